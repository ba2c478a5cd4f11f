"""A crowded day: a thousand callers wait and two hundred agents talk, for ten minutes at full load.

The whole engine (calls, flows, ACD, store) on the simulator and a virtual clock. Whoever is served, hangs up or is
sent away is replaced by another caller, so that as many wait all the time. Agents have skills; some let their phones
ring, some callers lose patience, phones vanish and come back, agents pause. Every few seconds everything is
counted: nothing may be in a state that the facts don't allow any more. At the end all callers hang up, and nothing of
them may be left. Memory (of engine and simulator together, which share the process) is compared between the time
when everybody had come and the end; the simulator remembers the last calls only.
"""

from __future__ import annotations

import gc
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.home import Home
from bench.table import Report
from engine.app import App
from engine.app.installation import read_installation
from engine.clock import Clock, VirtualClock
from engine.prompts import MuteVoice
from engine.switch.simulator import Simulator
from engine.switch.simulator.people import SimCaller
from engine.types import AgentState, CallState

MINUTES = 10.0
# Calls that are over, which the simulator keeps of all callers and of each phone: its memory is not what is meant.
HISTORY = 2
LOOK = 5.0  # seconds between two counts
OFFER, WRAP_UP = 15.0, 5.0
GRACE = 12.0  # seconds that a state may last longer than it should: the switch's own deadlines
GROWTH = 1.10  # of memory, from when everybody had come to the end
SKILLS = ("fragile", "customs", "cold", "bulky")
QUEUES = f"""\
grammar: 1
queues:
  desk:
    title: {{en: Desk}}
    offer: {OFFER:g}s
    wrap_up: {WRAP_UP:g}s
    longest: 1h
    length: 5000
    relax: [{{after: 60s, level: 1}}, {{after: 3m, skills: any}}]
"""
FLOW = """\
grammar: 1
flow: bench/desk
revision: 1
title: A queue
owner: operations
languages: [en]
start: all
blocks:
  all:
    - answer
    - queue: {{name: desk, skills: {{{skill}: {level}}}, full: over, too_long: over, no_agents: over}}
    - go: over
  over:
    - hangup
"""


@dataclass
class Soak:
    """One such day. ``run`` raises AssertionError at the first thing that is stuck."""

    folder: Path
    agents: int = 200
    waiting: int = 1_000
    seed: int = 20261122
    warm: float = 120.0  # seconds after which every part of the day has been seen once
    calls: int = 0
    talks: int = 0
    memory: list[float] = field(default_factory=list)  # MiB, with each count after everybody had come
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.clock = VirtualClock()
        home = _home(self.folder / "home", self.clock, self.agents, self.dice)
        self.simulator = Simulator(
            self.clock,
            password="simulated",
            spool=home.folder / "var" / "recordings",
            history=HISTORY,
            rings=HISTORY,
        )
        installation = read_installation(home.folder, self.clock)
        installation.require_sound()
        assert installation.acd is not None
        for agent in installation.acd.agents.values():
            phone = self.simulator.phone(agent.phone)
            phone.auto(answer_after=self._answers, talk_for=lambda: self.dice.uniform(20.0, 100.0))
        self.app = App(
            home.folder,
            switch="simulator",
            clock=self.clock,
            installation=installation,
            voice=MuteVoice(),
            control=False,
            simulator=self.simulator,
        )
        self.here: dict[str, SimCaller] = {}
        self.since: dict[str, tuple[AgentState, float]] = {}

    def _answers(self) -> float | None:
        return None if self.dice.random() < 0.03 else self.dice.uniform(0.5, 4.0)

    def run(self, minutes: float) -> None:
        """Fill the queue, let the time pass, and empty it."""
        self.app.start()
        assert self.app.ready.wait(90), "the engine did not become ready"
        try:
            while len(self.here) < self.waiting + self.agents:
                self._arrive()
                if self.calls % 20 == 0:
                    self.clock.advance(0.2)
            self.clock.advance(self.warm)
            end = self.clock.monotonic() + minutes * 60
            while self.clock.monotonic() < end:
                self._turn()
            self._everybody_goes()
        finally:
            self.app.stop()
            self.simulator.stop()
            self.clock.close()

    # -- what happens -------------------------------------------------------------------------------

    def _arrive(self) -> None:
        self.calls += 1
        number = f"9{self.dice.randrange(len(SKILLS) * 2):03d}"
        caller = self.simulator.call(number, caller=f"+8613{self.calls:09d}")
        self.here[caller.uuid] = caller

    def _turn(self) -> None:
        dice, acd = self.dice, self.app.acd
        for caller in dice.sample(list(self.here.values()), 3):
            if caller.state != "talking" and caller.ended is None:
                caller.hang_up()
        agent = dice.choice(acd.agents())
        phone = self.simulator.phone(agent.phone)
        match dice.randrange(4):
            case 0 if agent.state is not AgentState.LOGGED_OUT:
                acd.pause(agent.id, "tea")
            case 1:
                phone.unregister()
            case 2:
                phone.vanish()
        self.clock.advance(LOOK)
        for view in acd.agents():
            self.simulator.phone(view.phone).register()
            if view.state is AgentState.PAUSED and dice.random() < 0.5:
                acd.ready(view.id)
        for uuid in [uuid for uuid, caller in self.here.items() if caller.ended is not None]:
            self.outcomes[self.here.pop(uuid).ended or ""] += 1
        while len(self.here) < self.waiting + self.agents:
            self._arrive()
        self.clock.advance(0.5)
        self._count()

    # -- what must hold -----------------------------------------------------------------------------

    def _count(self) -> None:
        """Nothing is in a state that the facts don't allow."""
        acd, now = self.app.acd, self.clock.monotonic()
        if astray := self._astray():
            self.clock.advance(1.0)  # a call that is just ending is known to be over on one side first
            astray &= self._astray()
        assert not astray, f"known to one side only: {astray}"
        alive = {uuid for uuid, caller in self.here.items() if caller.ended is None}
        limits = {AgentState.OFFERED: OFFER + GRACE, AgentState.WRAP_UP: WRAP_UP + GRACE}
        for agent in acd.agents():
            state, since = self.since.get(agent.id, (None, 0.0))
            mark = (agent.state, agent.since.timestamp())
            if state is not agent.state or since != mark[1]:
                self.since[agent.id] = mark
            lasts = (self.clock.now() - agent.since).total_seconds()
            assert lasts < limits.get(agent.state, 3600.0), f"{agent.id} is {agent.state} for {lasts:.0f} s"
            if agent.state is AgentState.TALKING:
                assert agent.call in alive, f"{agent.id} talks to {agent.call}, who is gone"
        talks = [agent.call for agent in acd.agents() if agent.state is AgentState.TALKING]
        assert len(set(talks)) == len(talks), "one call talks to two agents"
        queue = acd.queue("desk", most=len(alive))
        assert {one.call for one in queue.waiting} <= alive, "a ghost waits"
        assert len(queue.waiting) >= self.waiting * 0.9, f"only {len(queue.waiting)} wait"
        free = [agent.id for agent in acd.agents() if agent.state is AgentState.READY]
        assert not free, f"{free} are ready while {len(queue.waiting)} wait, at {now:.0f} s"
        gc.collect()
        self.memory.append(psutil.Process().memory_info().rss / 2**20)

    def _astray(self) -> set[str]:
        """Calls that only the engine, or only the switch, takes for alive."""
        known = {call.id for call in self.app.calls.views()}
        return known ^ {uuid for uuid, caller in self.here.items() if caller.ended is None}

    def _everybody_goes(self) -> None:
        for caller in self.here.values():
            if caller.ended is None:
                caller.hang_up()
        self.clock.advance(WRAP_UP + GRACE + OFFER)
        acd = self.app.acd
        self.talks = sum(agent.calls_taken for agent in acd.agents())
        assert not self.app.calls.views()
        assert not [call for call in self.app.calls.views() if call.state is CallState.QUEUED]
        assert not acd.queue("desk").waiting
        left = Counter(agent.state for agent in acd.agents())
        assert left.keys() <= {AgentState.READY, AgentState.PAUSED, AgentState.UNREACHABLE}, left

    @property
    def growth(self) -> float:
        """The memory at the end over that at the beginning, each the middle of a tenth of the counts."""
        tenth = max(1, len(self.memory) // 10)
        first, last = sorted(self.memory[:tenth]), sorted(self.memory[-tenth:])
        return last[len(last) // 2] / first[len(first) // 2]


def _home(folder: Path, clock: Clock, agents: int, dice: random.Random) -> Home:
    home = Home(folder, clock)
    for old in ("ivr", "parked"):
        (folder / f"plugins/bench/flows/{old}.yaml").unlink()
    for sound in (home.beep, home.silence):
        sound.unlink()
    home.write("plugins/bench/prompts/en.yaml", "none: Nothing.\n")
    people, numbers = [], []
    for number in range(1, agents + 1):
        skills = ", ".join(
            f"{skill}: {dice.randint(1, 3)}" for skill in dice.sample(SKILLS, dice.randint(1, 4))
        )
        people.append(
            f"  {number}: {{name: Agent {number}, phone: {1000 + number}, queues: [desk], login: auto, "
            f"skills: {{{skills}}}}}\n"
        )
    for number in range(len(SKILLS) * 2):
        skill, level = SKILLS[number % len(SKILLS)], 1 + number // len(SKILLS)
        name = f"desk{number}"
        flow = FLOW.format(skill=skill, level=level).replace("bench/desk", f"bench/{name}")
        home.write(f"plugins/bench/flows/{name}.yaml", flow)
        numbers.append(f'  - {{to: "9{number:03d}", flow: bench/{name}}}\n')
    home.write("conf/agents.yaml", f"grammar: 1\nagents:\n{''.join(people)}")
    home.write("conf/queues.yaml", QUEUES)
    home.write(
        "dialplans/main.yaml",
        f"grammar: 1\ndialplan: main\nnumbers:\n{''.join(numbers)}otherwise: {{flow: bench/desk0}}\n",
    )
    return home


def run(report: Report) -> None:
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = Soak(Path(folder))
        began = psutil.Process().cpu_times()
        soak.run(MINUTES)
        ended = psutil.Process().cpu_times()
    crowd = f"{soak.waiting:,} waiting, {soak.agents} agents, {MINUTES:g} minutes"
    report.limit(f"{crowd}: calls that came", soak.calls, "calls")
    report.limit(f"{crowd}: talks", soak.talks, "talks")
    report.limit(f"{crowd}: what was stuck, in {len(soak.memory)} counts", 0, "", at_most=0)
    report.limit(f"{crowd}: memory at the end over that at the start", soak.growth, "x", at_most=GROWTH)
    report.limit(f"{crowd}: memory at the end", soak.memory[-1], "MiB")
    spent = ended.user + ended.system - began.user - began.system
    report.limit(f"{crowd}: CPU of it all, the simulator included", spent, "s")
