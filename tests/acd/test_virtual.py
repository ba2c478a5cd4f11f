"""Those who are called back beside those on the line: who goes first, and that nobody is lost between the two."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant

from engine.acd.board import Seat, Ticket
from engine.acd.memory import MemoryBoard
from engine.acd.places import Brought, Leaving, Left, Request, Stage
from engine.clock import VirtualClock
from engine.types import AgentState
from tests.acd.desk import Desk
from tests.acd.test_machine import TROUBLE, WORK, ADay

CALLERS = st.lists(
    st.tuples(st.integers(0, 5), st.booleans(), st.sampled_from([0, 0, 3])), min_size=1, max_size=30
)


@given(callers=CALLERS)
def test_nobody_is_called_back_ahead_of_who_waited_on_the_line_as_long(
    callers: list[tuple[int, bool, int]],
) -> None:
    board = MemoryBoard()
    board.seat(Seat("a", {"desk": 1}))
    for number, (joined, virtual, priority) in enumerate(callers):
        board.join(Ticket(f"{number}", "desk", joined, priority, head_start=float(priority), virtual=virtual))
    served: list[Ticket] = []
    while board.waiting("desk"):
        board.free("a", {"desk": 0.0})
        match = board.match_agent("a")
        assert match is not None
        joined, virtual, priority = callers[int(match.call)]
        served.append(
            Ticket(match.call, "desk", joined, priority, head_start=float(priority), virtual=virtual)
        )
        board.leave(match.call)
    for at, one in enumerate(served):
        for other in served[at + 1 :]:
            assert one.turn <= other.turn
            assert not (one.turn == other.turn and one.virtual and not other.virtual)


def test_the_agent_is_on_the_line_before_the_caller_is_brought(clock: VirtualClock) -> None:
    desk = Desk(clock, "a")
    asked: list[str] = []

    def bring(agent: Any, leg: str) -> Brought:
        asked.append(leg)
        assert desk.acd.agent("a").calling_back == "+8613800000000"
        clock.sleep(8)
        return Brought.HERE

    desk.enter("owed", bring=bring)
    assert asked == []
    ring = desk.floor.ringing("a")
    ring.answer()
    desk.settle()
    assert (asked, desk.state("a"), ring.bridged) == ([ring.leg], AgentState.OFFERED, False)
    clock.advance(8)
    assert ring.bridged
    assert desk.state("a") is AgentState.TALKING


def test_who_is_not_reached_leaves_and_the_agent_goes_on_to_the_next(clock: VirtualClock) -> None:
    desk = Desk(clock, "a")
    place = desk.enter("owed", bring=lambda agent, leg: Brought.NOT_REACHED)
    desk.enter("live")
    desk.floor.ringing("a").answer()
    desk.settle()
    assert desk.news(place) == [Left(Leaving.NOT_REACHED)]
    assert desk.floor.ringing("a").call_id == "live"


@pytest.mark.parametrize("how", ["logout", "withdrawn"])
def test_what_is_called_off_while_the_caller_is_dialled_ends_at_once(clock: VirtualClock, how: str) -> None:
    desk = Desk(clock, "a")

    def bring(agent: Any, leg: str) -> Brought:
        while not ring.dropped:
            clock.sleep(0.1)
        return Brought.AGENT_GONE

    place = desk.enter("owed", bring=bring, no_agents=False)
    ring = desk.floor.ringing("a")
    ring.answer()
    clock.advance(2)
    if how == "logout":
        desk.acd.logout("a")
    else:
        assert place.leave(Leaving.WITHDRAWN)
    clock.advance(1)
    assert ring.dropped
    assert desk.state("a") is (AgentState.LOGGED_OUT if how == "logout" else AgentState.READY)
    assert place.position() == (1 if how == "logout" else 0)


class AMixedDay(ADay):
    """Every third caller of two queues is one who is to be called back."""

    def arrive(self, dice: int) -> None:
        if dice % 3 or (dice >> 6 & 3) == 3:
            super().arrive(dice)
            return
        self.calls += 1
        call = f"call-{self.calls}"
        self.floor.callers.add(call)

        def bring(agent: Any, leg: str) -> Brought:
            ring = next(ring for ring in self.floor.rings if ring.leg == leg)
            dropped, drop = self.clock.event(), ring.drop

            def drop_and_tell() -> None:
                drop()
                dropped.set()

            ring.drop = drop_and_tell  # type: ignore[method-assign]
            if ring.dropped or dropped.wait(dice % 9):
                return Brought.AGENT_GONE
            return (Brought.HERE, Brought.HERE, Brought.NOT_REACHED, Brought.AGENT_GONE)[dice >> 8 & 3]

        request = Request(
            call,
            "+8613800000000",
            ("one", "two", "one")[dice >> 6 & 3],
            skills=[{}, {"p": 1}][dice % 2],
            since=float(dice % 300),
            no_agents=False,
            max_length=10**9,
            longest=1e6,
            bring=bring,
        )
        self.news[call] = []
        self.places[call] = self.acd.enter(request)

    @invariant()
    def agents_and_calls_go_in_pairs(self) -> None:
        rings, offers = self.floor.rings, self.acd._dispatch._offers
        for some in ([ring for ring in rings if ring.rings], [ring for ring in rings if ring.bridged]):
            assert len({ring.agent for ring in some}) == len(some)
        talks = [ring for ring in rings if ring.bridged]
        assert len({ring.call_id for ring in talks}) == len(talks)
        brought = [offer for offer in offers if offer._bringing]
        assert len({offer.match.call for offer in brought}) == len(brought)  # nobody is dialled twice
        states = [agent.state for agent in self.acd.agents()]
        connecting = sum(offer.place.stage is Stage.CONNECTING for offer in offers)
        rung = sum(ring.rings for ring in rings)
        past = self.past(AgentState.OFFERED)
        assert states.count(AgentState.OFFERED) == rung + connecting + len(brought) + past
        for offer in brought:
            assert self.acd.agent(offer.agent.id).call == offer.match.call


@pytest.mark.parametrize("seed", range(4))
def test_a_long_day_with_callers_on_the_line_and_callers_at_home(seed: int) -> None:
    dice = random.Random(seed)
    day = AMixedDay()
    day.open_the_desk(bridge_time=dice.choice([0.0, 0.4]))
    for _ in range(200):
        turn = dice.random()
        if turn < 0.8:
            names = dice.choices(WORK + TROUBLE, k=dice.randint(1, 4))
            day.several_things_at_once(deeds=[(name, dice.randrange(1 << 16)) for name in names])
        elif turn < 0.98:
            day.time_passes(seconds=dice.choice([0.1, 0.3, 1, 5, 12, 30, 120]))
        else:
            day.the_switch_is_away(seconds=dice.choice([0.2, 3.0]))
        day.nobody_waits_while_somebody_could_help()
        day.agents_and_calls_go_in_pairs()
        day.nothing_is_left_over()
        day.every_second_of_an_agent_is_in_one_state()
        day.news_tells_one_whole_story()
    day.teardown()


TestAMixedDay = AMixedDay.TestCase
TestAMixedDay.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
