"""A caller whose flow is gone is led to somebody, or told to call again."""

from __future__ import annotations

from typing import Any

import pytest

NUMBER, FLOW = "7002", "reception/lost_place"


@pytest.fixture
def lost(centre: Any) -> Any:
    centre.number(NUMBER, FLOW)
    return centre


def test_a_lost_caller_talks_to_the_desk(lost: Any) -> None:
    for other in ("8013", "8014"):
        lost.agent(other).logs_out()
    caller = lost.caller().dials(NUMBER)
    caller.hears("lost_place")
    caller.hears("reception/to_desk")
    agent = lost.agent("8012").ready().is_offered(caller)
    agent.answers()
    caller.talks_to(agent)
    agent.hangs_up()
    caller.hears("bye")
    assert caller.ended


def test_a_lost_caller_whom_nobody_can_take_is_asked_to_call_again(lost: Any) -> None:
    for agent in ("8012", "8013", "8014"):
        lost.agent(agent).logs_out()
    caller = lost.caller().dials(NUMBER)
    caller.hears("lost_place")
    caller.hears("reception/to_desk")
    caller.hears("reception/call_again")
    caller.hears("bye")
    assert caller.ended


def test_a_lost_caller_hears_that_the_desk_is_closed(lost: Any) -> None:
    lost.closes("desk", "1h", prompt="closed")
    caller = lost.caller().dials(NUMBER)
    caller.hears("lost_place")
    caller.hears("closed")
    caller.hears("bye")
    assert caller.ended
