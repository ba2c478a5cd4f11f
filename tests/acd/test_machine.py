"""A day of a small desk, as random as hypothesis can make it; the promises of the ACD hold after each turn.

A turn does one to four things at the same instant (that is where races are), lets everything run, and then
looks: one call per agent, one agent per call, the order of the rule, nobody waiting while an agent who could
help is free, every second of an agent in exactly one state, nothing left over.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.acd.acd import Acd
from engine.acd.agents import Agent
from engine.acd.board import lacks
from engine.acd.engaged import Engaged
from engine.acd.offers import Offer
from engine.acd.places import Leaving, Left, Over, Place, Request, Stage, Talking
from engine.clock import VirtualClock
from engine.errors import WrongState
from engine.types import AgentState, JournalEntry, RingKind, TalkEnd
from tests.acd.desk import Desk, queue
from tests.acd.floor import FakeRing

QUEUES = {
    "one": queue(
        wrap_up="10s",
        longest="90s",
        length="6",
        sticky="8s",
        relax=[
            {"after": "5s", "level": "2"},
            {"after": "15s", "skills": {"p": "0"}},
            {"after": "40s", "skills": "any"},
        ],
        overflow={"to": "queue:two", "after": "60s", "beyond": "4"},
    ),
    "two": queue(
        longest="5m", offer="10s", strategy="round_robin", at_closing={"do": "leave", "grace": "3s"}
    ),
    "all": queue(longest="2m", offer="10s", strategy="ring_all", relax=[{"after": "20s", "skills": "any"}]),
}
AGENTS: dict[str, dict[str, Any]] = {
    "a": {"queues": {"one": "1", "two": "2", "all": "1"}, "skills": {"p": "2"}},
    "b": {"queues": {"one": "1", "all": "2"}, "skills": {"p": "1", "q": "3"}},
    "c": {"queues": {"one": "2", "two": "1", "all": "1"}, "skills": {"p": "3", "q": "1"}},
    "d": {"queues": {"two": "1"}, "login": "by_hand"},
}
TALKS = (AgentState.TALKING, AgentState.HOLD)
WAITING = (Stage.WAITING, Stage.OFFERED, Stage.CONNECTING)
WORK = ["arrive"] * 4 + ["ask"] * 2 + ["answer"] * 4 + ["answer_everywhere", "end", "ready", "login"]
WORK += ["past_the_queue_goes_on"] * 2 + ["reopen"]
TROUBLE = [
    "go_back",
    "hand_over",
    "hang_up",
    "press",
    "fail",
    "pause",
    "logout",
    "phone_lost",
    "phone_back",
    "crossed",
    "end_wrap_up",
    "hold",
    "raise_up",
    "move",
    "close",
    "call_past_the_queue",
]
DEEDS = st.tuples(st.sampled_from(WORK + TROUBLE), st.integers(0, 1 << 16))


class ADay(RuleBasedStateMachine):
    @initialize(bridge_time=st.sampled_from([0.0, 0.4]))
    def open_the_desk(self, bridge_time: float) -> None:
        self.clock = VirtualClock()
        self.desk = Desk(self.clock, *AGENTS.items(), queues=QUEUES, start=False)
        self.floor = self.desk.floor
        self.floor.bridge_time = bridge_time
        self.calls = 0
        self.places: dict[str, Place] = {}
        self.asking: dict[str, bool] = {}  # calls whose agents wait to ask somebody: whether they wait still
        self.engaged: list[Engaged] = []  # agents whom calls came to past the queue
        self.news: dict[str, list[object]] = {}
        self.states: dict[str, str] = dict.fromkeys(AGENTS, "logged_out")
        self.seconds: dict[str, float] = dict.fromkeys(AGENTS, 0.0)
        self.watch(self.desk.acd)
        self.desk.acd.start()
        self.desk.settle()

    def teardown(self) -> None:
        if hasattr(self, "clock"):
            self.desk.acd.abandon()
            self.clock.close()

    def watch(self, acd: Acd) -> None:
        self.acd = self.desk.acd = acd
        acd._report._journal = self.journal

    # -- what happens ---------------------------------------------------------------------------

    @rule(deeds=st.lists(DEEDS, min_size=1, max_size=4))
    def several_things_at_once(self, deeds: list[tuple[str, int]]) -> None:
        for name, dice in deeds:
            getattr(self, name)(dice)
        self.desk.settle()

    @rule(seconds=st.sampled_from([0.1, 0.3, 1, 5, 12, 30, 120]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from([0.2, 3.0]))
    def the_switch_is_away(self, seconds: float) -> None:
        self.floor.connected = False
        self.clock.advance(seconds)
        self.floor.connected = True
        self.clock.advance(1.1)

    @rule(away=st.sampled_from([0.1, 8.0]))
    def the_engine_dies_and_comes_back(self, away: float) -> None:
        memories = self.acd.snapshot()
        waits = {
            call: (place.here, place.joined) for call, place in self.places.items() if place.stage in WAITING
        }
        rings: dict[str, list[FakeRing]] = {}
        for ring in self.floor.rings:
            if ring.rings or ring.bridged:
                rings.setdefault(ring.call_id, []).append(ring)
        crossing = [place for place in self.places.values() if place.stage is Stage.CONNECTING]
        self.acd.abandon()
        self.engaged = []  # the calls layer finds them again, or lets the agents go
        for place in crossing:
            place.offer.ring.drop()  # an answered leg that nobody bridges any more is freed by the calls layer
        self.desk.settle()
        self.clock.advance(away)
        acd = Acd(self.acd.config, self.clock, self.floor, self.journal)
        self.watch(acd)
        acd.restore(memories)
        acd.phones_are(self.registered())
        for call, place in list(self.places.items()):
            if place.stage is Stage.DONE or call not in self.floor.callers:
                del self.places[call]
                continue
            request = Request(**{**self.as_dict(place.request), "resumed": True})
            found = rings.get(call, [])
            talks = [ring for ring in found if ring.bridged]
            if call in waits:
                request = self.after(request, *waits[call])
            if talks:
                self.places[call] = acd.resume_talk(request, talks[0].agent, talks[0].leg)
            elif ringing := [ring for ring in found if ring.rings]:
                for ring in ringing:
                    self.places[call] = acd.resume_offer(request, ring.agent, ring.leg)
            elif call in waits:
                self.places[call] = acd.enter(request)
            else:
                del self.places[call]
            self.news[call] = []
        acd.start()
        self.desk.settle()

    def after(self, request: Request, here: float, joined: float) -> Request:
        now = self.clock.monotonic()
        return Request(**{**self.as_dict(request), "since": now - joined, "here": now - here})

    @staticmethod
    def as_dict(request: Request) -> dict[str, Any]:
        return {name: getattr(request, name) for name in Request.__slots__}

    def registered(self) -> set[str]:
        return {view.phone for view in self.acd.agents() if self.acd._agents.registered(view.phone)} or {
            "1001"
        }

    def arrive(self, dice: int) -> None:
        self.calls += 1
        call = f"call-{self.calls}"
        skills = [{}, {}, {"p": 1}, {"p": 2}, {"q": 1}, {"p": 3, "q": 1}][dice % 6]
        self.floor.callers.add(call)
        request = Request(
            call,
            "+8613800000000",
            ("one", "two", "one", "all")[dice >> 6 & 3],
            skills=skills,
            priority=5 if dice % 11 == 0 else 0,
            agent="b" if dice % 7 == 0 else "",
            last_agent="c" if dice % 5 == 0 else "",
            no_agents=bool(dice & 128),
        )
        self.news[call] = []
        self.places[call] = self.acd.enter(request)

    def ask(self, dice: int) -> None:
        """An agent of somewhere else waits to ask somebody, its caller on hold."""
        self.calls += 1
        call = f"call-{self.calls}"
        self.floor.callers.add(call)
        self.asking[call] = True
        self.news[call] = []
        self.places[call] = self.acd.enter(
            Request(
                call,
                "+8613800000000",
                ("one", "two", "all")[dice % 3],
                priority=200,
                since=float(dice % 40),
                asks="agent-elsewhere",
                join=self.joiner(call),
            )
        )

    def joiner(self, call: str) -> Callable[[Any], bool | None]:
        """Who answered is brought to who asks; nobody waits any more when that one has gone back meanwhile."""

        def join(ring: FakeRing) -> bool | None:
            self.clock.sleep(self.floor.bridge_time)
            if not self.asking[call]:
                return None
            return ring.connect()

        return join

    def who_asks(self) -> list[str]:
        return [call for call in self.live() if self.asking.get(call) and self.places[call].request.asks]

    def go_back(self, dice: int) -> None:
        """Who asks talks to its caller again."""
        waits = [call for call in self.who_asks() if self.places[call].stage is not Stage.TALKING]
        if call := self.pick(dice, waits):
            self.asking[call] = False
            self.leave(call, Leaving.BACK)

    def hand_over(self, dice: int) -> None:
        """Who asks leaves its place to its caller, whatever rings for it."""
        waits = [
            call for call in self.who_asks() if self.places[call].stage in (Stage.WAITING, Stage.OFFERED)
        ]
        if call := self.pick(dice, waits):
            place = self.places[call]
            turn, position, offers = place.ticket.turn, place.position(), list(place.offers)
            self.news[call] += self.desk.news(place)
            self.acd.hand(place, self.clock.queue(), tell={"article": "4711"})
            assert (place.ticket.turn, place.position(), place.offers) == (turn, position, offers)
            assert (place.request.asks, place.request.join) == ("", None)

    def pick(self, dice: int, items: list[Any]) -> Any:
        return items[dice % len(items)] if items else None

    def live(self) -> list[str]:
        return [call for call, place in self.places.items() if place.stage is not Stage.DONE]

    def leave(self, call: str, reason: Leaving) -> None:
        self.news[call] += self.desk.news(self.places[call])
        if self.places[call].leave(reason):
            self.news[call].append(Left(reason))  # who leaves by itself knows it, and is sent no news

    def hang_up(self, dice: int) -> None:
        if call := self.pick(dice, self.live()):
            self.floor.hang_up(call)
            self.leave(call, Leaving.CALLER)

    def press(self, dice: int) -> None:
        if call := self.pick(dice, self.live()):
            self.leave(call, Leaving.KEY)

    def rings(self) -> list[FakeRing]:
        return [ring for ring in self.floor.rings if ring.rings]

    def answer(self, dice: int) -> None:
        if ring := self.pick(dice, self.rings()):
            ring.bridges = bool(dice % 9)
            ring.answer()

    def answer_everywhere(self, dice: int) -> None:
        """All phones that ring for one call are answered in the same instant."""
        if chosen := self.pick(dice, self.rings()):
            for ring in [ring for ring in self.rings() if ring.call_id == chosen.call_id]:
                ring.answer()

    def crossed(self, dice: int) -> None:
        """Answered and called off in the same instant."""
        if ring := self.pick(dice, self.rings()):
            ring.answer()
            self.floor.hang_up(ring.call_id)
            self.leave(ring.call_id, Leaving.CALLER)

    def fail(self, dice: int) -> None:
        if ring := self.pick(dice, self.rings()):
            ring.fail(self.pick(dice, [kind for kind in RingKind if kind is not RingKind.ANSWERED]))

    def end(self, dice: int) -> None:
        if ring := self.pick(dice, [ring for ring in self.floor.rings if ring.bridged]):
            ring.end_talk(self.pick(dice, list(TalkEnd)))
            if dice % 2:
                self.floor.callers.discard(ring.call_id)

    def command(self, dice: int, name: str, *values: object) -> None:
        try:
            getattr(self.acd, name)(self.pick(dice, list(AGENTS)), *values)
        except WrongState:
            pass  # a command that is none now; that it says so is tested elsewhere

    def ready(self, dice: int) -> None:
        self.command(dice, "ready")

    def pause(self, dice: int) -> None:
        self.command(dice, "pause", self.pick(dice, ["lunch", "busy", "meeting"]))

    def login(self, dice: int) -> None:
        self.command(dice, "login")

    def logout(self, dice: int) -> None:
        self.command(dice, "logout")

    def end_wrap_up(self, dice: int) -> None:
        self.command(dice, "end_wrap_up")

    def hold(self, dice: int) -> None:
        self.command(dice, "on_hold", dice % 2 == 0)

    # -- what supervisors do, and calls past the queue --------------------------------------------

    def waiting(self) -> list[str]:
        return [call for call in self.live() if self.places[call].stage is Stage.WAITING]

    def raise_up(self, dice: int) -> None:
        if call := self.pick(dice, [call for call in self.live() if self.places[call].stage in WAITING]):
            self.acd.raise_priority(call, self.pick(dice, [1000, 10, 0, -10]), "a")

    def move(self, dice: int) -> None:
        call, to = self.pick(dice, self.waiting()), self.pick(dice, list(QUEUES))
        if call is not None:
            place = self.places[call]
            joined, priority = place.joined, place.ticket.priority
            try:
                self.acd.move(call, to, "a")
            except WrongState:
                return  # closed
            if place.stage is not Stage.DONE:
                assert (place.joined, place.ticket.priority) == (joined, priority), "not as it was"

    def close(self, dice: int) -> None:
        self.acd.close_queue(self.pick(dice, list(QUEUES)), "alarm", "a")

    def reopen(self, _dice: int) -> None:
        for name in QUEUES:
            self.acd.open_queue(name, "a")

    def call_past_the_queue(self, dice: int) -> None:
        """Somebody asks an agent for advice, or transfers a caller straight to it."""
        try:
            self.engaged.append(self.acd.engage(self.pick(dice, list(AGENTS)), f"past-{dice}", "one"))
        except WrongState:
            return
        self.floor.callers.add(f"past-{dice}")

    def past_the_queue_goes_on(self, dice: int) -> None:
        """Such a ring is answered, or missed, or such a talk is over."""
        self.engaged = [one for one in self.engaged if self.holds(one)]
        if one := self.pick(dice, self.engaged):
            if not one.talked and dice % 3:
                one.answered()
                return
            how = self.pick(dice, [None, RingKind.NO_ANSWER, RingKind.UNREACHABLE, RingKind.BUSY])
            one.over(wrap_up=one.talked and dice % 2 == 0, missed=None if one.talked else how)
            assert not self.holds(one)

    def holds(self, engaged: Engaged) -> bool:
        return self.acd._agents.get(engaged.view.id).engagement is engaged

    def past(self, state: AgentState) -> int:
        return sum(self.holds(one) and one.view.state is state for one in self.engaged)

    def phone_lost(self, dice: int) -> None:
        self.acd.phone_lost(str(1001 + dice % len(AGENTS)))

    def phone_back(self, dice: int) -> None:
        self.acd.phone_registered(str(1001 + dice % len(AGENTS)))

    # -- what must hold -------------------------------------------------------------------------

    def journal(self, entry: JournalEntry) -> None:
        if entry.kind == "agent.state":
            assert entry.data["before"] == self.states[entry.agent], "a state that nobody saw begin"
            assert entry.data["seconds"] >= 0
            self.states[entry.agent] = entry.data["state"]
            self.seconds[entry.agent] += entry.data["seconds"]
        elif entry.kind == "offer.made":
            self.check_the_choice(entry)

    def able(self, agent: Agent, place: Place) -> bool:
        having = self.acd._dispatch._seats[agent.id].has
        return place.request.queue in agent.config.queues and not lacks(having, place.ticket.needs)

    def check_the_choice(self, entry: JournalEntry) -> None:
        """At the moment of the decision: nobody was passed over."""
        agent = self.acd._agents.get(entry.agent)
        places = self.acd._dispatch._places
        chosen = places[entry.call]
        tiers = agent.config.queues
        waiting = [place for place in places.values() if place.stage is Stage.WAITING]

        def turn(place: Place) -> tuple[int, float]:
            return tiers[place.request.queue], place.ticket.turn

        for place in waiting if entry.data["side"] != "all" else ():
            assert not self.able(agent, place) or turn(chosen) <= turn(place), "a caller was passed over"
        name = chosen.request.queue
        mine = (entry.data["tier"], entry.data["rank"])
        assert entry.data["tier"] == tiers[name]
        for other in self.acd._agents:
            if (
                other.state is AgentState.READY
                and self.able(other, chosen)
                and agent.id != chosen.ticket.prefer
            ):
                rank = self.acd._dispatch.tallies.ranks(other.id, other.free_since)[name]
                assert mine <= (other.config.queues[name], rank + 0.001), "an agent was passed over"

    @invariant()
    def nobody_waits_while_somebody_could_help(self) -> None:
        for place in self.places.values():
            if place.stage is Stage.WAITING and self.acd._dispatch.is_open:
                for agent in self.acd._agents:
                    assert agent.state is not AgentState.READY or not self.able(agent, place)

    @invariant()
    def where_all_are_rung_nobody_is_left_out(self) -> None:
        for place in self.places.values():
            rings_all = place.request.queue == "all" and place.stage is Stage.OFFERED
            if rings_all and not place.sticky and self.acd._dispatch.is_open:
                for agent in self.acd._agents:
                    assert agent.state is not AgentState.READY or not self.able(agent, place)

    @invariant()
    def agents_and_calls_go_in_pairs(self) -> None:
        rung = [ring for ring in self.floor.rings if ring.rings]
        talks = [ring for ring in self.floor.rings if ring.bridged]
        for rings in (rung, talks):
            assert len({ring.agent for ring in rings}) == len(rings)
            one_each = [
                ring for ring in rings if ring.bridged or self.places[ring.call_id].request.queue != "all"
            ]
            assert len({ring.call_id for ring in one_each}) == len(one_each)
        for ring in rung:
            agent = self.acd.agent(ring.agent)
            assert (agent.state, agent.call) == (AgentState.OFFERED, ring.call_id)
            assert self.places[ring.call_id].stage is Stage.OFFERED
        for ring in talks:
            agent = self.acd.agent(ring.agent)
            assert agent.state in TALKS
            assert agent.call == ring.call_id
            assert self.places[ring.call_id].stage is Stage.TALKING
        states = [agent.state for agent in self.acd.agents()]
        past = sum(self.past(state) for state in TALKS)
        assert sum(state in TALKS for state in states) == len(talks) + past
        connecting = sum(place.stage is Stage.CONNECTING for place in self.places.values())
        offered = len(rung) + connecting + self.past(AgentState.OFFERED)
        assert states.count(AgentState.OFFERED) == offered

    @invariant()
    def nothing_is_left_over(self) -> None:
        dispatch, board = self.acd._dispatch, self.acd._board
        waiting = {call for call, place in self.places.items() if place.stage in WAITING}
        assert dispatch._places.keys() == waiting
        for name in QUEUES:
            line = [ticket.call for ticket in board.line(name)]
            assert set(line) == {call for call in waiting if self.places[call].request.queue == name}
            assert [board.position(call) for call in line] == list(range(1, len(line) + 1))
            assert all(ticket == self.places[ticket.call].ticket for ticket in board.line(name))
            keys = [ticket.turn for ticket in board.line(name)]
            assert keys == sorted(keys)
        assert {
            id(offer) for place in self.places.values() for offer in place.offers if self.open(place)
        } == {id(offer) for offer in dispatch._offers if self.open(offer.place)}
        assert all(place.stage is Stage.OFFERED for place in dispatch._ringing_all.values())
        stuck = {call for places in dispatch.line._stuck.values() for call in places}
        assert stuck == {call for call in waiting if self.places[call].sticky}
        engaged = [agent for agent in self.acd._agents if agent.engagement is not None]
        assert len(dispatch._offers) == sum(isinstance(agent.engagement, Offer) for agent in engaged)
        assert all(agent.state in (AgentState.OFFERED, *TALKS) for agent in engaged)
        free = [agent.id for agent in self.acd._agents if agent.state is AgentState.READY]
        assert sorted(board.free_agents()) == sorted(free)
        at_work = {
            name: sum(name in a.config.queues and a.state.value in AT_WORK for a in self.acd._agents)
            for name in QUEUES
        }
        assert {name: dispatch._at_work[name] for name in QUEUES} == at_work

    @staticmethod
    def open(place: Place) -> bool:
        return place.stage is not Stage.DONE

    @invariant()
    def what_is_needed_is_what_is_wanted_by_now(self) -> None:
        for place in self.places.values():
            if place.stage in WAITING:
                sticky = ((f"agent:{place.ticket.prefer}", 1),)
                assert place.ticket.needs == (sticky if place.sticky else place.wanted.needs)
                queue, waited = QUEUES[place.request.queue], self.clock.monotonic() - place.here
                steps = [step for step in queue.relax if step.after < waited - 0.01]
                assert place.wanted.at_last(steps) == place.wanted, "a step of relaxing did not come"
                assert queue.sticky is None or not place.sticky or waited <= queue.sticky.wait + 0.01

    @invariant()
    def every_second_of_an_agent_is_in_one_state(self) -> None:
        now = self.clock.monotonic()
        for agent in self.acd._agents:
            assert agent.state.value == self.states[agent.id]
            assert abs(self.seconds[agent.id] + now - agent.since - now) < 0.05

    @invariant()
    def news_tells_one_whole_story(self) -> None:
        for call, place in self.places.items():
            story = self.news[call]
            story += self.desk.news(place)
            ends = [news for news in story if isinstance(news, Left | Over)]
            assert len(ends) == (place.stage is Stage.DONE)
            if ends:
                assert story[-1] is ends[0]
            talked = [news for news in story if isinstance(news, Talking)]
            assert len(talked) == (place.stage is Stage.TALKING or any(isinstance(end, Over) for end in ends))


AT_WORK = {"ready", "offered", "talking", "hold", "wrap_up"}


@pytest.mark.parametrize("seed", range(12))
def test_a_long_day_by_the_dice(seed: int) -> None:
    """Hypothesis finds the shortest way to a fault; this goes far, with the same turns and promises."""
    dice = random.Random(seed)
    day = ADay()
    day.open_the_desk(bridge_time=dice.choice([0.0, 0.4]))
    quiet = ["ready", "login", "end", "answer", "phone_back", "end_wrap_up"] * 3 if seed % 2 else []
    for _ in range(300):
        turn = dice.random()
        if turn < 0.8:
            names = dice.choices(WORK + TROUBLE + quiet, k=dice.randint(1, 4))
            day.several_things_at_once(deeds=[(name, dice.randrange(1 << 16)) for name in names])
        elif turn < 0.96:
            day.time_passes(seconds=dice.choice([0.1, 0.3, 1, 5, 12, 30, 120]))
        elif turn < 0.98:
            day.the_switch_is_away(seconds=dice.choice([0.2, 3.0]))
        else:
            day.the_engine_dies_and_comes_back(away=dice.choice([0.1, 8.0]))
        day.nobody_waits_while_somebody_could_help()
        day.where_all_are_rung_nobody_is_left_out()
        day.agents_and_calls_go_in_pairs()
        day.nothing_is_left_over()
        day.what_is_needed_is_what_is_wanted_by_now()
        day.every_second_of_an_agent_is_in_one_state()
        day.news_tells_one_whole_story()
    day.teardown()


TestADay = ADay.TestCase
TestADay.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
