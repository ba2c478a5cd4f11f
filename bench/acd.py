"""The ACD's decision: whom a free agent takes, and who takes a new caller, however many wait.

1,000 agents on five queues with two to eight of 20 skills; callers of whom most need one skill, some two, a few
none. The board is kept in the state that it has on a bad day: everybody waits, and for each caller who is taken
another one comes. The peer's SQL gets as many rows. CPU time of this process, the best of several rounds, since
other work on the machine only ever adds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count

from bench.module_sql import module_sql
from bench.peer_sql import SHAPE, PeerTables
from bench.table import Report
from engine.acd.acd import Acd
from engine.acd.board import AGENT, By, Seat, Ticket, has, needs
from engine.acd.config import AcdConfig, AgentConfig, QueueConfig
from engine.acd.memory import MemoryBoard
from engine.acd.places import Request
from engine.clock import Clock
from engine.switch.freeswitch import find_freeswitch
from engine.types import AgentView, RingResult, TalkResult

AGENTS = 1_000
SKILLS = tuple(f"skill_{number}" for number in range(20))
QUEUES = tuple(f"queue_{number}" for number in range(5))
TURNS = 2_000
ROUNDS = 5
PEER_TURNS = 30
GOAL = 50.0  # us for one decision
FLAT = 4.0  # cost at 100,000 waiting over cost at 1,000


def run(report: Report) -> None:
    size = f"{AGENTS:,} agents, {len(SKILLS)} skills"
    takes = {waiting: Desk(waiting).agent_frees() for waiting in (1_000, 10_000, 100_000)}
    comes = {waiting: Desk(waiting, hopeless=True).caller_comes() for waiting in (1_000, 10_000, 100_000)}
    for name, costs in (("an agent becomes free", takes), ("a caller comes", comes)):
        report.limit(f"{name}: 10,000 waiting, {size}", costs[10_000], "us", at_most=GOAL)
        report.compare(
            f"{name}: 100,000 waiting",
            costs[100_000],
            costs[1_000],
            "ours, 1,000 waiting",
            "us",
            at_most=FLAT,
        )
    for name, by in (("most skilled", By.SKILL), ("by chance", By.CHANCE)):
        cost = Desk(10_000, hopeless=True).caller_comes(by)
        report.limit(f"a caller comes, {name}: 10,000 waiting", cost, "us", at_most=GOAL)
    cost = Desk(10_000, stuck=True).agent_frees()
    report.limit("an agent becomes free: 10,000 waiting for one agent each", cost, "us", at_most=GOAL)
    relaxes = {waiting: Desk(waiting).relaxes() for waiting in (1_000, 10_000, 100_000)}
    report.limit("a caller's needs are relaxed: 10,000 waiting", relaxes[10_000], "us", at_most=GOAL)
    report.compare(
        "a caller's needs are relaxed: 100,000 waiting",
        relaxes[100_000],
        relaxes[1_000],
        "ours, 1,000 waiting",
        "us",
        at_most=FLAT,
    )
    _against_sql(report, takes)
    report.limit("position of one of 100,000", Desk(100_000).position(), "us")
    report.limit("ready -> asked to ring, 10,000 waiting", whole(10_000), "us")


def _against_sql(report: Report, takes: Mapping[int, float]) -> None:
    """The same load put to mod_callcenter's own statements, or to such of its shape: see :mod:`bench.peer_sql`."""
    binary = find_freeswitch()
    sql = (module_sql(binary) if binary is not None else None) or SHAPE
    for waiting in (1_000, 10_000):
        tables = PeerTables(sql, waiting, AGENTS, SKILLS)
        decision = min(_mean(tables.decision) for _ in range(3)) * 1e6
        report.compare(
            f"an agent becomes free: {waiting:,} waiting", takes[waiting], decision, sql.name, "us"
        )
        # Before it looks at anything new, the pass goes on to all others who wait.
        whole = (_mean(tables.all_members) + waiting * min(_mean(tables.one_member) for _ in range(3))) * 1e6
        report.compare(
            f"one look at all who wait (computed from its parts): {waiting:,} waiting",
            takes[waiting],
            whole,
            sql.name,
            "us",
        )


def _mean(measure: Callable[[], float]) -> float:
    return sum(measure() for _ in range(PEER_TURNS)) / PEER_TURNS


class Desk:
    """A board with ``waiting`` callers. ``hopeless``: nobody has what they need, and all agents are free.
    ``stuck``: each waits for one agent alone."""

    def __init__(self, waiting: int, *, hopeless: bool = False, stuck: bool = False) -> None:
        self.dice = random.Random(20261122)
        self.board = MemoryBoard()
        self.calls = count()
        self.seats = [self._seat(f"agent-{number}") for number in range(AGENTS)]
        for seat in self.seats:
            self.board.seat(seat)
            self.board.present(seat.agent, True)
        for _ in range(waiting):
            ticket = self.ticket(level=9 if hopeless else 0)
            if stuck:
                seat = self.dice.choice(self.seats)
                name = self.dice.choice(list(seat.queues))
                ticket = replace(ticket, queue=name, needs=((AGENT + seat.agent, 1),))
            self.board.join(ticket)
        if hopeless:
            for seat in self.seats:
                self.board.free(seat.agent, self.ranks(seat))

    def _seat(self, name: str) -> Seat:
        dice = self.dice
        skills = {skill: dice.randint(1, 3) for skill in dice.sample(SKILLS, dice.randint(2, 8))}
        queues = {queue: dice.choice((1, 1, 1, 2)) for queue in dice.sample(QUEUES, dice.randint(1, 3))}
        return Seat(name, queues, has(skills, (), agent=name))

    def ticket(self, level: int = 0) -> Ticket:
        dice, number = self.dice, next(self.calls)
        asked = dice.sample(SKILLS, 1 if level else dice.choices((0, 1, 2), (5, 70, 25))[0])
        skills = {skill: level or dice.choice((1, 1, 2, 3)) for skill in asked}
        priority = dice.choices((0, 10, 50), (90, 8, 2))[0]
        wanted = needs(skills)
        head_start = 12.0 * priority
        return Ticket(
            f"call-{number}",
            dice.choice(QUEUES),
            float(number),
            priority,
            wanted,
            head_start=head_start,
            asked=wanted,
        )

    def ranks(self, seat: Seat) -> Mapping[str, float]:
        idle = self.dice.random()
        return dict.fromkeys(seat.queues, idle)

    def agent_frees(self) -> float:
        """Microseconds from "this agent is free" to the reservation."""
        best = float("inf")
        for _ in range(ROUNDS):
            spent = 0.0
            for seat in self.dice.choices(self.seats, k=TURNS):
                ranks = self.ranks(seat)
                began = time.process_time()
                self.board.free(seat.agent, ranks)
                match = self.board.match_agent(seat.agent)
                spent += time.process_time() - began
                if match is not None:
                    self.board.leave(match.call)
                    self.board.join(self.ticket())
                self.board.busy(seat.agent)
            best = min(best, spent / TURNS * 1e6)
        return best

    def relaxes(self) -> float:
        """Microseconds to let a waiting caller need less, and to look for an agent."""
        lines = [ticket for queue in QUEUES for ticket in self.board.line(queue) if ticket.needs]
        best = float("inf")
        for _ in range(ROUNDS):
            chosen = self.dice.sample(lines, min(TURNS, len(lines)))
            less = [replace(one, needs=tuple((thing, 1) for thing, _ in one.needs)) for one in chosen]
            began = time.process_time()
            for ticket in less:
                self.board.change(ticket)
                self.board.match_call(ticket.call)
            best = min(best, (time.process_time() - began) / len(less) * 1e6)
            for ticket in chosen:
                self.board.change(ticket)
        return best

    def caller_comes(self, by: By = By.RANK) -> float:
        """Microseconds from "this caller is here" to the reservation."""
        best = float("inf")
        by_name = {seat.agent: seat for seat in self.seats}
        for _ in range(ROUNDS):
            spent = 0.0
            for _ in range(TURNS):
                ticket = self.ticket()
                began = time.process_time()
                self.board.join(ticket)
                match = self.board.match_call(ticket.call, by)
                spent += time.process_time() - began
                self.board.leave(ticket.call)
                if match is not None:
                    self.board.free(match.agent, self.ranks(by_name[match.agent]))
            best = min(best, spent / TURNS * 1e6)
        return best

    def position(self) -> float:
        """Microseconds to say somebody's place in the line."""
        calls = [ticket.call for queue in QUEUES for ticket in self.board.line(queue)]
        asked = self.dice.choices(calls, k=TURNS)
        best = float("inf")
        for _ in range(ROUNDS):
            began = time.process_time()
            for call in asked:
                self.board.position(call)
            best = min(best, (time.process_time() - began) / TURNS * 1e6)
        return best


def whole(waiting: int) -> float:
    """Microseconds from an agent's "ready" to the call of ``Floor.ring``, everything included."""
    clock = Clock()
    floor = _Floor(clock)
    queue = QueueConfig.model_validate({"title": {"en": "Desk"}, "length": 100_000, "longest": "12h"})
    names = [f"agent-{number}" for number in range(AGENTS)]
    agents = {
        name: AgentConfig.model_validate({"name": name, "phone": str(10_000 + at), "queues": {"desk": 1}})
        for at, name in enumerate(names)
    }
    rows: list[object] = []
    acd = Acd(AcdConfig({"desk": queue}, agents), clock, floor, rows.append)
    acd.phones_are({agent.phone for agent in agents.values()})
    acd.start()
    for name in names:
        acd.login(name)
        acd.pause(name, "start")
    for call in range(waiting):
        acd.enter(Request(f"call-{call}", "", "desk"))
    spent = []
    for name in names:
        floor.asked.clear()
        began = time.process_time()
        acd.ready(name)
        floor.asked.wait(5)
        spent.append((floor.at - began) * 1e6)
    acd.abandon()
    return sorted(spent)[len(spent) // 2]


class _Ring:
    """A phone that rings until the end of the benchmark."""

    leg = "leg"

    def __init__(self, clock: Clock) -> None:
        self._never = clock.event()

    def wait(self) -> RingResult:
        self._never.wait()
        raise AssertionError("this phone is never answered")

    def cancel(self) -> None: ...

    def connect(self) -> bool:
        return False

    def wait_over(self) -> TalkResult:
        raise AssertionError("nobody talks here")

    def drop(self) -> None: ...


class _Floor:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.asked = clock.event()
        self.at = 0.0

    def ring(self, call_id: str, agent: AgentView, *, seconds: float, variables: Mapping[str, str]) -> _Ring:
        self.at = time.process_time()
        self.asked.set()
        return _Ring(self._clock)

    def adopt(self, call_id: str, leg: str) -> _Ring:
        return _Ring(self._clock)

    def caller_alive(self, call_id: str) -> bool:
        return True
