"""Duplicate, overtaking and lost events: the same state in the end, and the reaper frees what nobody spoke of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.tap import Tap
from tests.flows.shop import Shop

FLOW = """
greet:
  - answer
  - play: Good morning to you all.
  - menu: {prompt: Press one., options: {1: number}, give_up: end, first: 10s}
number:
  - collect: {into: x, as: digits, length: 2-4, prompt: Type it., give_up: end, first: 10s}
  - queue: {name: desk, full: end, too_long: end, no_agents: end, longest: 1m}
  - play: Thank you.
  - go: end
end:
  - hangup
"""

TALK = """
greet:
  - answer
  - queue: {name: desk, full: end, too_long: end, no_agents: end}
  - go: end
end:
  - play: Thank you.
  - hangup
"""


def at_rest(centre: Any) -> None:
    """Nothing is left of any call, and nobody is held by one."""
    centre.clock.advance(45)
    assert (dict(centre.app.calls.calls), dict(centre.app.calls.legs)) == ({}, {})
    assert centre.simulator.switch.channels == {}
    assert centre.app.acd.queue("desk").waiting == ()
    assert {centre.agent(one).state for one in ("201", "202")} <= {"ready", "wrap_up", "paused"}


def goes_through(centre: Any) -> Any:
    """A caller who does all that the flow asks for, and talks to whoever answers."""
    for phone in ("1001", "1002"):
        centre.simulator.phone(phone).auto(answer_after=2.0, talk_for=10.0)
    caller = centre.caller().dials("8000")
    for keys in ("1", "47#"):
        centre.clock.advance(4)
        if caller.sim.ended is None:
            caller.presses(keys)
    return caller


def test_events_that_come_twice_change_nothing(shop: Shop) -> None:
    centre = shop(FLOW)
    Tap(centre).doubles()
    caller = goes_through(centre)
    assert caller.ended == "NORMAL_CLEARING"
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.talked) == ("talked", pytest.approx(10, abs=1))
    assert [e.kind for e in centre.journal(caller)].count("call.ended") == 1
    at_rest(centre)


@pytest.mark.parametrize("seed", range(5))
def test_events_of_other_calls_may_overtake(shop: Shop, seed: int) -> None:
    centre = shop(FLOW)
    Tap(centre, seed).shuffles()
    callers = [goes_through(centre) for _ in range(3)]
    for caller in callers:
        assert caller.ended == "NORMAL_CLEARING"
    assert {cdr.outcome for cdr in centre.cdrs()} == {"talked"}
    at_rest(centre)


def test_a_lost_hang_up_of_a_caller_is_found_within_thirty_seconds(shop: Shop) -> None:
    centre = shop(FLOW)
    caller = centre.caller().dials("8000")
    centre.clock.advance(1)
    Tap(centre).loses("CHANNEL_HANGUP", caller.uuid)
    caller.hangs_up()
    assert len(centre.calls()) == 1
    centre.clock.advance(29)
    assert centre.calls() == []
    (cdr,) = centre.cdrs()
    assert cdr.cause == "LOST"
    assert not cdr.ordinary


@pytest.mark.parametrize("who", ["caller", "agent"])
def test_a_lost_hang_up_in_a_talk_frees_the_agent_within_thirty_seconds(shop: Shop, who: str) -> None:
    centre = shop(TALK)
    caller = centre.caller().dials("8000")
    agent = centre.agent("201").is_offered(caller).answers()
    caller.talks_to(agent)
    leg = caller.uuid if who == "caller" else agent.phone.ring.uuid
    Tap(centre).loses("CHANNEL_HANGUP", leg)
    (caller.sim if who == "caller" else agent.phone).hang_up()
    centre.clock.advance(30)
    assert agent.state in ("wrap_up", "ready")
    at_rest(centre)


def test_a_call_whose_arrival_was_lost_is_led_before_the_fallback_takes_it(shop: Shop) -> None:
    centre = shop(FLOW)
    Tap(centre).loses("CHANNEL_PARK")
    caller = centre.caller().dials("8000")
    centre.clock.advance(30)
    at_rest(centre)
    assert caller.sim.ended is not None
    assert len(centre.cdrs()) == (0 if caller.sim.fell_back else 1)


@pytest.mark.parametrize(
    "name",
    [
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_BRIDGE",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_HANGUP",
        "DTMF",
    ],
)
@pytest.mark.parametrize("times", [1, 3])
def test_whatever_is_lost_the_caller_is_served_or_apologised_to_and_nothing_stays(
    shop: Shop, name: str, times: int
) -> None:
    centre = shop(FLOW)
    tap = Tap(centre)
    tap.loses(name, times=times)
    caller = goes_through(centre)
    assert caller.sim.wait_ended(200) is not None
    assert name in tap.lost
    at_rest(centre)
    assert len(centre.cdrs()) == 1


@pytest.mark.parametrize("seed", range(8))
def test_with_a_tenth_of_all_events_lost_nothing_stays_for_ever(shop: Shop, seed: int) -> None:
    centre = shop(FLOW)
    tap = Tap(centre, seed)
    tap.loses_some(0.1)
    callers = [goes_through(centre) for _ in range(4)]
    centre.clock.advance(150)
    for caller in callers:
        caller.sim.hang_up()
    tap.heals()
    at_rest(centre)
    led = {caller.uuid for caller in callers if not caller.sim.fell_back}
    assert {cdr.call for cdr in centre.cdrs()} >= led
