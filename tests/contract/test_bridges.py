"""Agents' legs, bridges, what is left when one side goes, and the two limbos."""

from __future__ import annotations

import uuid as uuids
from typing import Any

import pytest

from engine.errors import CommandRefused
from engine.esl import commands as c
from tests.contract.rig import Rig

MUSIC = "tone_stream://%(30000,0,440)"
TALKING = ("CS_SOFT_EXECUTE", "CS_EXCHANGE_MEDIA", "CS_EXECUTE")


def test_a_phone_rings_with_our_own_uuid_and_parks_when_it_is_answered(switch: Rig) -> None:
    phone = switch.phone("1001")
    leg, job = switch.originate("1001", il_owner="somebody")
    ring = phone.wait_ring()
    assert switch.exists(leg)
    assert switch.dump(leg)["Answer-State"] in ("ringing", "early")
    ring.answer()
    assert job.wait(5.0).startswith(f"+OK {leg}")
    parked = switch.heard.wait("CHANNEL_PARK", leg)
    assert parked.var("il_owner") == "somebody"
    assert parked.get("Call-Direction") == "outbound"
    assert switch.heard.order("CHANNEL_ANSWER", "CHANNEL_PARK", uuid=leg) == [
        "CHANNEL_ANSWER",
        "CHANNEL_PARK",
    ]


def test_killing_the_leg_cancels_the_ring_before_any_reply(switch: Rig) -> None:
    phone = switch.phone("1001")
    leg, job = switch.originate("1001")
    ring = phone.wait_ring()
    switch.api(c.uuid_kill(leg, "ORIGINATOR_CANCEL"))
    switch.until(lambda: ring.gone)
    with pytest.raises(CommandRefused, match="ORIGINATOR_CANCEL"):
        job.wait(5.0)
    assert switch.heard.wait("CHANNEL_HANGUP_COMPLETE", leg).get("Hangup-Cause") == "ORIGINATOR_CANCEL"


def test_a_phone_that_is_not_registered_fails_at_once(switch: Rig) -> None:
    leg, job = switch.originate("1009")
    with pytest.raises(CommandRefused, match="USER_NOT_REGISTERED"):
        job.wait(1.0)
    assert not switch.exists(leg)


@pytest.mark.parametrize(
    ("status", "cause"), [(486, "USER_BUSY"), (603, "CALL_REJECTED"), (480, "NO_USER_RESPONSE")]
)
def test_a_phone_that_refuses_gives_its_cause(switch: Rig, status: int, cause: str) -> None:
    phone = switch.phone("1001")
    leg, job = switch.originate("1001")
    phone.wait_ring().reject(status)
    with pytest.raises(CommandRefused, match=cause):
        job.wait(5.0)
    assert switch.heard.wait("CHANNEL_HANGUP_COMPLETE", leg).get("Hangup-Cause") == cause


def test_a_phone_that_nobody_lifts_stops_ringing_at_the_time_limit(switch: Rig) -> None:
    phone = switch.phone("1001")
    leg, job = switch.originate("1001", timeout=1)
    ring = phone.wait_ring()
    with pytest.raises(CommandRefused, match="NO_ANSWER"):
        job.wait(5.0)
    switch.until(lambda: ring.gone)
    assert switch.heard.wait("CHANNEL_HANGUP_COMPLETE", leg).get("Hangup-Cause") == "NO_ANSWER"


def test_a_bridge_ends_music_and_is_told_once_on_either_leg(switch: Rig) -> None:
    _, caller = switch.arrive()
    music = switch.execute(caller, "playback", MUSIC)
    switch.heard.wait("PLAYBACK_START", caller)
    _, leg = switch.agent_leg(switch.phone("1001"))
    bridged = switch.bridge(caller, leg)
    assert {bridged.get("Bridge-A-Unique-ID"), bridged.get("Bridge-B-Unique-ID")} == {caller, leg}
    switch.heard.done(music)
    assert len(switch.heard.find("CHANNEL_BRIDGE")) == 1
    switch.until(lambda: switch.bridged() == {caller, leg})
    states = {uuid: switch.dump(uuid)["Channel-State"] for uuid in (caller, leg)}
    assert set(states.values()) <= set(TALKING), states


def test_when_the_agent_hangs_up_the_caller_is_parked_again(switch: Rig) -> None:
    person, caller = switch.arrive()
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    since = switch.heard.mark
    agent.hang_up()
    switch.heard.wait("CHANNEL_HANGUP_COMPLETE", leg, since=since)
    parked = switch.heard.wait("CHANNEL_PARK", caller, since=since)
    assert parked.get("Channel-State") in ("CS_PARK", "CS_EXECUTE")
    assert len(switch.heard.find("CHANNEL_UNBRIDGE", since=since)) == 1
    assert switch.run(caller, "set", "il_x=1").var("il_x") == "1"
    assert not person.gone


def test_when_the_caller_hangs_up_the_agent_s_leg_is_parked(switch: Rig) -> None:
    person, caller = switch.arrive()
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    since = switch.heard.mark
    person.hang_up()
    switch.heard.wait("CHANNEL_HANGUP_COMPLETE", caller, since=since)
    switch.heard.wait("CHANNEL_PARK", leg, since=since)
    assert not agent.gone
    switch.api(c.uuid_kill(leg))
    switch.until(lambda: agent.gone)


def test_bridging_the_caller_to_another_leg_parks_the_first_one(switch: Rig) -> None:
    _, caller = switch.arrive()
    one, leg_one = switch.agent_leg(switch.phone("1001"))
    _, leg_two = switch.agent_leg(switch.phone("1002"))
    switch.bridge(caller, leg_one)
    since = switch.heard.mark
    switch.bridge(caller, leg_two)
    switch.heard.wait("CHANNEL_PARK", leg_one, since=since)
    assert not one.gone
    switch.until(lambda: switch.bridged() == {caller, leg_two})


def test_an_attended_transfer_is_three_bridges_and_nobody_is_dropped(switch: Rig) -> None:
    person, caller = switch.arrive()
    one, leg_one = switch.agent_leg(switch.phone("1001"))
    two, leg_two = switch.agent_leg(switch.phone("1002"))
    switch.bridge(caller, leg_one)
    since = switch.heard.mark
    switch.bridge(leg_one, leg_two)  # the agents talk, the caller waits
    switch.heard.wait("CHANNEL_PARK", caller, since=since)
    since = switch.heard.mark
    switch.bridge(caller, leg_two)  # completed
    switch.heard.wait("CHANNEL_PARK", leg_one, since=since)
    assert [person.gone, one.gone, two.gone] == [False, False, False]


def test_bridging_to_a_leg_that_does_not_exist_is_refused_and_leaves_the_caller(switch: Rig) -> None:
    person, caller = switch.arrive()
    assert "-ERR" in switch.refused(c.uuid_bridge(caller, str(uuids.uuid4())))
    assert switch.run(caller, "set", "il_x=1").var("il_x") == "1"
    assert not person.gone


def caught(switch: Rig) -> tuple[Any, str]:
    """An agent's leg whose caller went in the moment of the bridge."""
    agent, leg = switch.agent_leg(switch.phone("1001"))
    for number in range(8):
        _, caller = switch.arrive(caller=f"+861380000000{number}")
        since = switch.heard.mark
        switch.connection.post(c.uuid_bridge(caller, leg), c.uuid_kill(caller), on_error=lambda *_: None)
        switch.heard.wait("CHANNEL_HANGUP_COMPLETE", caller, since=since)
        switch.clock.sleep(0.3)
        if switch.dump(leg)["Channel-State"] in ("CS_SOFT_EXECUTE", "CS_RESET"):
            assert leg not in switch.bridged()
            assert not switch.heard.find("CHANNEL_PARK", leg, since=since)
            return agent, leg
    raise AssertionError("the moment was missed eight times")


def test_a_caller_who_goes_in_the_moment_of_the_bridge_leaves_the_leg_in_limbo(switch: Rig) -> None:
    """No event tells, it hears no `set`, and uuid_park brings it back with what was sent meanwhile."""
    agent, leg = caught(switch)
    set_ = switch.execute(leg, "set", "il_x=1")
    switch.clock.sleep(0.3)
    assert switch.variable(leg, "il_x") is None
    since = switch.heard.mark
    switch.api(c.uuid_park(leg))
    switch.heard.done(set_)
    assert switch.heard.wait("CHANNEL_PARK", leg, since=since).get("Channel-State") == "CS_PARK"
    assert not agent.gone


def test_a_leg_in_limbo_can_be_hung_up(switch: Rig) -> None:
    agent, leg = caught(switch)
    agent.hang_up()
    switch.heard.wait("CHANNEL_HANGUP_COMPLETE", leg)


def two_on_one_leg(switch: Rig) -> tuple[Any, str, str, str]:
    """Two callers sent to one leg: the agent, his leg, the loser and the winner. Mostly the later one wins."""
    _, first = switch.arrive(caller="+8613800000001")
    _, second = switch.arrive(caller="+8613800000002")
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.connection.post(c.uuid_bridge(first, leg), c.uuid_bridge(second, leg))
    switch.heard.wait("CHANNEL_BRIDGE")
    switch.until(lambda: leg in switch.bridged())
    (winner,) = switch.bridged() - {leg}
    loser = first if winner == second else second
    assert switch.dump(loser)["Channel-State"] == "CS_SOFT_EXECUTE"
    return agent, leg, loser, winner


def test_of_two_callers_on_one_leg_the_loser_is_deaf_and_goes_when_the_leg_goes(switch: Rig) -> None:
    """Unless ``uuid_bridge_park_on_cancel`` is set, as the dialplan sets it."""
    agent, leg, loser, winner = two_on_one_leg(switch)
    switch.api(c.uuid_setvar(loser, "uuid_bridge_park_on_cancel", "false"))
    switch.connection.post(c.set_(loser, "il_x", "1"))
    switch.clock.sleep(0.3)
    assert switch.variable(loser, "il_x") is None
    since = switch.heard.mark
    agent.hang_up()
    switch.heard.wait("CHANNEL_HANGUP_COMPLETE", loser, since=since)
    switch.heard.wait("CHANNEL_PARK", winner, since=since)
    assert not switch.exists(leg)


def test_a_caller_whose_agent_hangs_up_just_as_they_are_bridged_is_parked(switch: Rig) -> None:
    """The dialplan's ``uuid_bridge_park_on_cancel``: else the caller would be hung up with the agent."""
    _, uuid = switch.arrive()
    _, leg = switch.agent_leg(switch.phone("1001"))
    since = switch.heard.mark
    switch.api(c.uuid_bridge(uuid, leg))
    switch.heard.wait("CHANNEL_UNPARK", uuid, since=since)
    switch.clock.sleep(0.01)
    switch.api(c.uuid_kill(leg))
    switch.heard.wait("CHANNEL_PARK", uuid, since=since)
    assert switch.run(uuid, "set", "il_x=1").var("il_x") == "1"


def test_the_loser_of_two_is_parked_when_the_leg_goes(switch: Rig) -> None:
    agent, _, loser, _ = two_on_one_leg(switch)
    since = switch.heard.mark
    agent.hang_up()
    switch.heard.wait("CHANNEL_PARK", loser, since=since)
    assert switch.run(loser, "set", "il_x=1").var("il_x") == "1"


def test_a_loser_who_was_told_to_park_parks_when_the_leg_goes(switch: Rig) -> None:
    agent, _, loser, _ = two_on_one_leg(switch)
    since = switch.heard.mark
    switch.api(c.uuid_park(loser))
    switch.quiet("CHANNEL_PARK", loser)
    agent.hang_up()
    switch.heard.wait("CHANNEL_PARK", loser, since=since)
    assert switch.run(loser, "set", "il_x=1").var("il_x") == "1"


def test_parking_what_a_bridge_left_parked_makes_it_deaf(switch: Rig) -> None:
    """A third limbo: CHANNEL_UNPARK comes, no CHANNEL_PARK, the state still says CS_PARK, and nothing that is
    sent runs any more. A transfer brings it back. So uuid_park is for what is not parked."""
    _, caller = switch.arrive()
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    agent.hang_up()
    switch.heard.wait("CHANNEL_PARK", caller, where=lambda e: e.get("Channel-State") == "CS_PARK")
    since = switch.heard.mark
    switch.api(c.uuid_park(caller))
    switch.heard.wait("CHANNEL_UNPARK", caller, since=since)
    switch.connection.post(c.set_(caller, "il_x", "1"))
    switch.quiet("CHANNEL_PARK", caller)
    assert switch.variable(caller, "il_x") is None
    assert switch.dump(caller)["Channel-State"] == "CS_PARK"
    switch.api(c.uuid_transfer(caller, "8004", "XML", "trunk"))
    switch.heard.wait("CHANNEL_PARK", caller, since=since)
    switch.until(lambda: switch.variable(caller, "il_x") == "1")


def test_parking_what_the_dialplan_parked_parks_it_anew(switch: Rig) -> None:
    _, caller = switch.arrive()
    since = switch.heard.mark
    switch.api(c.uuid_park(caller))
    assert switch.heard.wait("CHANNEL_PARK", caller, since=since).get("Channel-State") == "CS_PARK"
    assert switch.run(caller, "set", "il_x=1").var("il_x") == "1"


def test_keys_during_a_talk_are_events_and_the_other_side_hears_them(switch: Rig) -> None:
    person, caller = switch.arrive()
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    switch.until(lambda: switch.bridged() == {caller, leg})
    agent.press("5")
    assert switch.heard.wait("DTMF", leg).get("DTMF-Digit") == "5"
    person.press("6")
    assert switch.heard.wait("DTMF", caller).get("DTMF-Digit") == "6"
    switch.until(lambda: agent.keys_heard == "6")
    switch.until(lambda: person.keys_heard == "5")


def test_bound_keys_become_an_event_and_are_swallowed(switch: Rig) -> None:
    person, caller = switch.arrive()
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.connection.post(c.bind_digit_action(leg, "*2", "il::key", {"il_key": "xfer"}))
    switch.heard.wait(
        "CHANNEL_EXECUTE_COMPLETE", leg, where=lambda e: e.get("Application") == "bind_digit_action"
    )
    switch.bridge(caller, leg)
    switch.until(lambda: switch.bridged() == {caller, leg})
    agent.press("*2")
    key = switch.heard.wait("il::key", leg)
    assert key.get("il_key") == "xfer"
    switch.clock.sleep(0.3)
    assert person.keys_heard == ""
    assert switch.bridged() == {caller, leg}


def test_uuid_bridge_of_a_caller_who_was_not_answered_is_why_we_answer_first(switch: Rig) -> None:
    """Both legs may be destroyed; the engine answers before it bridges. Here: the engine's order works."""
    _, caller = switch.arrive(answered=False)
    _, leg = switch.agent_leg(switch.phone("1001"))
    answered = switch.execute(caller, "answer")
    switch.heard.done(answered)
    switch.bridge(caller, leg)
    switch.until(lambda: switch.bridged() == {caller, leg})
