"""What was believed of agents and callers and is not so: found, mended, written down."""

from __future__ import annotations

import pytest

from engine.acd.places import Over, Stage
from engine.clock import VirtualClock
from engine.types import AgentState, RingKind
from tests.acd.desk import Desk, queue

READY, OFFERED, TALKING = AgentState.READY, AgentState.OFFERED, AgentState.TALKING


def live(desk: Desk, name: str):
    """The agent itself, to break it."""
    return desk.acd._agents.get(name)


def mended(desk: Desk) -> list[str]:
    return [row.data["what"] for row in desk.rows("mended")]


def test_in_a_quiet_day_nothing_is_mended(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013", queues={"desk": queue(wrap_up="15s")})
    for call in "abc":
        desk.enter(call)
    desk.answer("8012").floor.ringing("8013").fail(RingKind.BUSY)
    clock.advance(120)
    assert mended(desk) == []
    assert desk.acd.mended == 0


@pytest.mark.parametrize("state", [OFFERED, TALKING, AgentState.HOLD])
def test_an_agent_whom_nothing_holds_is_freed(clock: VirtualClock, state: AgentState) -> None:
    desk = Desk(clock, "8012")
    agent = live(desk, "8012")
    desk.acd._agents.move(agent, state, call="gone")
    clock.advance(12)
    assert desk.state("8012") is READY
    assert mended(desk) == ["an agent held by nobody"]
    assert desk.acd.mended == 1


def test_an_agent_whose_work_after_a_call_never_ends_is_freed(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="15s")})
    desk.enter("a")
    desk.answer()
    desk.hang_up("a")
    timer = live(desk, "8012").timer
    assert timer is not None
    timer.cancel()
    clock.advance(15 + 12)
    assert desk.state("8012") is READY
    assert mended(desk) == ["an agent whose time is over"]


def test_a_talk_over_a_leg_that_is_gone_is_ended(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    place = desk.enter("a")
    desk.floor.dead_legs.add(desk.answer().leg)
    clock.advance(12)
    assert desk.state("8012") is READY
    assert isinstance(desk.news(place)[-1], Over)
    assert mended(desk) == ["an agent whose leg is gone"]


def test_a_talk_with_a_caller_who_is_gone_is_ended(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    desk.answer()
    desk.floor.callers.discard("a")
    clock.advance(12)
    assert desk.state("8012") is READY
    assert mended(desk) == ["an agent whose caller is gone"]


def test_a_ghost_leaves_the_queue_and_those_behind_it_move_up(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.acd.pause("8012", "lunch")
    ghost, second = desk.enter("a"), desk.enter("b")
    desk.floor.callers.discard("a")
    clock.advance(12)
    assert ghost.stage is Stage.DONE
    assert second.position() == 1
    assert mended(desk) == ["a caller who is gone"]


def test_a_ghost_whose_phone_rings_frees_the_agent_for_the_next(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(offer="3m")})
    desk.enter("a")
    desk.enter("b")
    desk.floor.callers.discard("a")
    clock.advance(12)
    assert desk.offered() == [("8012", "a"), ("8012", "b")]


def test_a_caller_beside_a_free_agent_is_matched_and_raises_an_alarm(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    match, desk.acd._dispatch.line._match = desk.acd._dispatch.line._match, lambda place: None
    desk.enter("a")
    clock.advance(4)
    desk.acd._dispatch.line._match = match
    assert desk.offered() == []
    clock.advance(9)
    assert desk.offered() == [("8012", "a")]
    assert mended(desk) == ["a caller beside a free agent"]
    (alarm,) = desk.rows("alarm")
    assert (alarm.call, alarm.queue) == ("a", "desk")
    assert [facts["call"] for event, facts in desk.told if event == "alarm"] == ["a"]


def test_a_ready_agent_who_is_not_on_the_board_is_put_there(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.acd._board.busy("8012")
    desk.enter("a")
    clock.advance(12)
    assert desk.offered() == [("8012", "a")]
    assert mended(desk) == ["an agent who is not on the board as it is"]


def test_how_often_is_looked_is_a_rule(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", rules={"look_every": "1m"})
    desk.acd._agents.move(live(desk, "8012"), TALKING, call="gone")
    clock.advance(59)
    assert desk.state("8012") is TALKING
    clock.advance(4)
    assert desk.state("8012") is READY
