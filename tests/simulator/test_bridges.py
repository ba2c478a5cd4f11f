"""Talks, who is parked after them, and what becomes of legs whose bridge never comes.

The orders and states were taken from FreeSWITCH 1.11, where each case was provoked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.switch.simulator import PhoneRing, SimCaller, Simulator

Leg = tuple[PhoneRing, str]


@pytest.fixture
def call(sim: Simulator, client: Any) -> Callable[..., SimCaller]:
    def make(number: str = "8004") -> SimCaller:
        caller = sim.call(number)
        client.execute(caller.uuid, "answer", event_uuid=f"answer {caller.uuid}")
        client.complete(f"answer {caller.uuid}")
        client.api(f"sched_del {caller.uuid}")
        return caller

    return make


@pytest.fixture
def caller(call: Callable[..., SimCaller]) -> SimCaller:
    return call()


@pytest.fixture
def agent(sim: Simulator, client: Any) -> Callable[..., Leg]:
    """A leg to a phone, answered and parked."""

    def make(extension: str = "1001") -> Leg:
        phone = sim.phone(extension)
        uuid = sim.switch.new_uuid()
        client.command(
            f"bgapi originate {{origination_uuid={uuid},park_after_bridge=true,hangup_after_bridge=false}}"
            f"sofia/internal/{extension}%local &park()"
        )
        ring = phone.wait_ring(2)
        assert ring is not None
        ring.answer()
        client.event("CHANNEL_PARK", uuid)
        return ring, uuid

    return make


def bridge(client: Any, a: str, b: str) -> dict[str, Any]:
    start = len(client.events)
    assert client.api(f"uuid_bridge {a} {b}") == f"+OK {b}\n"
    return client.event("CHANNEL_BRIDGE", start=start)


def state(client: Any, uuid: str) -> str:
    return client.dump(uuid)["Channel-State"]


def test_ok_is_no_bridge_yet_and_it_comes_within_a_few_frames(
    client: Any, caller: SimCaller, agent: Callable[..., Leg], clock: VirtualClock
) -> None:
    ring, leg = agent()
    client.execute(caller.uuid, "playback", "local_stream://music", event_uuid="M")
    clock.sleep(1.005)
    start, began = len(client.events), clock.monotonic()
    client.api(f"uuid_bridge {caller.uuid} {leg}")
    assert caller.bridged_to is None
    event = client.event("CHANNEL_BRIDGE", caller.uuid)
    assert 0.04 <= clock.monotonic() - began <= 0.065
    assert (event["Bridge-A-Unique-ID"], event["Bridge-B-Unique-ID"]) == (caller.uuid, leg)
    assert event["Other-Leg-Unique-ID"] == leg
    assert (caller.bridged_to, ring.bridged_to) == (leg, caller.uuid)
    assert client.names(caller.uuid, start=start) == [
        "PLAYBACK_STOP",
        "CHANNEL_EXECUTE_COMPLETE(playback)",
        "CHANNEL_UNPARK",
        "CHANNEL_EXECUTE_COMPLETE(park)",
        "CHANNEL_EXECUTE(uuid_bridge)",
        "CHANNEL_BRIDGE",
    ]
    assert client.complete("M")["Application-Response"] == "PLAYBACK ERROR"
    assert (state(client, caller.uuid), state(client, leg)) == ("CS_SOFT_EXECUTE", "CS_EXCHANGE_MEDIA")


def test_the_event_is_on_the_first_leg_whichever_that_is(
    client: Any, caller: SimCaller, agent: Callable[..., Leg]
) -> None:
    _, leg = agent()
    assert bridge(client, leg, caller.uuid)["Unique-ID"] == leg


def test_when_the_agent_hangs_up_the_caller_is_parked(
    client: Any, caller: SimCaller, agent: Callable[..., Leg], clock: VirtualClock
) -> None:
    ring, leg = agent()
    bridge(client, caller.uuid, leg)
    clock.sleep(10)
    start = len(client.events)
    ring.hang_up()
    parked = client.event("CHANNEL_PARK", caller.uuid, start=start)
    assert client.names(start=start) == [
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_DESTROY",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_PARK",
    ]
    assert parked["Channel-State"] == "CS_PARK"
    assert parked["variable_bridge_hangup_cause"] == "NORMAL_CLEARING"
    assert [e["Unique-ID"] for e in client.events[start:] if e["Event-Name"] == "CHANNEL_UNBRIDGE"] == [
        caller.uuid
    ]
    for stale in ("signal_bond", "bridge_uuid", "last_bridge_to"):
        assert parked[f"variable_{stale}"] == leg  # it goes stale, as on the switch
    client.execute(caller.uuid, "set", "x=1", event_uuid="E")
    client.complete("E")


def test_when_the_caller_hangs_up_the_agent_is_parked(
    client: Any, caller: SimCaller, agent: Callable[..., Leg]
) -> None:
    _, leg = agent()
    bridge(client, caller.uuid, leg)
    start = len(client.events)
    caller.hang_up()
    client.event("CHANNEL_HANGUP_COMPLETE", caller.uuid)
    assert client.names(start=start)[:4] == [
        "CHANNEL_HANGUP",
        "CHANNEL_PARK",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_HANGUP_COMPLETE",
    ]
    assert state(client, leg) == "CS_PARK"


def test_without_park_after_bridge_the_leg_that_stays_is_hung_up(
    client: Any, caller: SimCaller, agent: Callable[..., Leg]
) -> None:
    ring, leg = agent()
    client.api(f"uuid_setvar {leg} park_after_bridge")
    bridge(client, caller.uuid, leg)
    caller.hang_up()
    assert ring.wait_ended(1) == "NORMAL_CLEARING"


def test_keys_in_a_talk_are_events_of_who_pressed_and_heard_by_the_other(
    client: Any, caller: SimCaller, agent: Callable[..., Leg], clock: VirtualClock
) -> None:
    ring, leg = agent()
    bridge(client, caller.uuid, leg)
    start = len(client.events)
    caller.press("12")
    clock.sleep(1)
    ring.press("9")
    clock.sleep(1)
    keys = [(e["Unique-ID"], e["DTMF-Digit"]) for e in client.events[start:] if e["Event-Name"] == "DTMF"]
    assert keys == [(caller.uuid, "1"), (caller.uuid, "2"), (leg, "9")]
    assert (ring.keys_heard, caller.keys_heard) == ("12", "9")


def test_what_waited_under_a_lock_runs_in_the_talk(
    client: Any, caller: SimCaller, agent: Callable[..., Leg], clock: VirtualClock
) -> None:
    _, leg = agent()
    client.execute(caller.uuid, "playback", "silence_stream://60000", event_uuid="A", lock=True)
    client.execute(caller.uuid, "set", "x=1", event_uuid="B")
    clock.sleep(0.2)
    bridge(client, caller.uuid, leg)
    assert client.complete("B")["Channel-State"] == "CS_SOFT_EXECUTE"


def test_bridging_to_another_parks_the_former_and_toggles_and_completes(
    client: Any, caller: SimCaller, agent: Callable[..., Leg]
) -> None:
    (one, first), (two, second) = agent("1001"), agent("1002")
    bridge(client, caller.uuid, first)
    bridge(client, caller.uuid, second)
    assert (state(client, first), two.bridged_to) == ("CS_PARK", caller.uuid)
    bridge(client, first, second)  # the agents talk, the caller waits
    assert (state(client, caller.uuid), one.bridged_to) == ("CS_PARK", second)
    bridge(client, first, caller.uuid)
    assert (state(client, second), caller.bridged_to) == ("CS_PARK", first)
    bridge(client, caller.uuid, second)
    assert (caller.bridged_to, state(client, first)) == (second, "CS_PARK")
    assert caller.talks == [first, second, first, second]


@pytest.mark.parametrize("delay", [0.0, 0.025, 0.04, 0.055])
def test_limbo_a_caller_who_hangs_up_just_as_he_is_bridged_leaves_the_agent_in_silence(
    client: Any, caller: SimCaller, agent: Callable[..., Leg], clock: VirtualClock, delay: float
) -> None:
    _, leg = agent()
    start = len(client.events)
    client.api(f"uuid_bridge {caller.uuid} {leg}")
    clock.sleep(delay)
    caller.hang_up()
    clock.sleep(30)
    assert client.names(leg, start=start) == ["CHANNEL_UNPARK", "CHANNEL_EXECUTE_COMPLETE(park)"]
    assert state(client, leg) == ("CS_SOFT_EXECUTE" if delay else "CS_RESET")
    assert client.execute(leg, "set", "x=1", event_uuid="E") == "+OK"
    clock.sleep(1)
    assert client.names(leg, start=start)[2:] == []  # nothing is looked at
    assert client.api(f"uuid_park {leg}") == "+OK\n"
    assert client.complete("E")["variable_x"] == "1"
    client.event("CHANNEL_PARK", leg, start=start)
    assert state(client, leg) == "CS_PARK"


def test_limbo_is_left_by_another_bridge_a_transfer_or_a_hangup(
    client: Any, call: Callable[..., SimCaller], agent: Callable[..., Leg], clock: VirtualClock
) -> None:
    def stranded(extension: str) -> Leg:
        ring, leg = agent(extension)
        caller = call()
        client.api(f"uuid_bridge {caller.uuid} {leg}")
        clock.sleep(0.03)
        caller.hang_up()
        clock.sleep(1)
        return ring, leg

    ring, leg = stranded("1001")
    bridge(client, call().uuid, leg)
    _, leg = stranded("1002")
    client.api(f"uuid_transfer {leg} park inline")
    clock.sleep(0.1)
    client.execute(leg, "set", "x=1", event_uuid="E")
    client.complete("E")
    ring, leg = stranded("1003")
    ring.hang_up()
    assert ring.wait_ended(1) == "NORMAL_CLEARING"


@pytest.mark.parametrize("delay", [0.025, 0.045])
def test_a_caller_whose_agent_hangs_up_just_then_is_hung_up_too(
    client: Any, caller: SimCaller, agent: Callable[..., Leg], clock: VirtualClock, delay: float
) -> None:
    """Seen on FreeSWITCH from 4 to 40 ms after uuid_bridge; ``uuid_bridge_park_on_cancel`` saves the caller."""
    ring, leg = agent()
    client.api(f"uuid_setvar {caller.uuid} uuid_bridge_park_on_cancel")  # the dialplan sets it
    client.api(f"uuid_bridge {caller.uuid} {leg}")
    clock.sleep(delay)
    ring.hang_up()
    assert caller.wait_ended(1) == "ORIGINATOR_CANCEL"


def test_uuid_bridge_park_on_cancel_which_the_dialplan_sets_parks_that_caller(
    client: Any, caller: SimCaller, agent: Callable[..., Leg], clock: VirtualClock
) -> None:
    ring, leg = agent()
    start = len(client.events)
    client.api(f"uuid_bridge {caller.uuid} {leg}")
    clock.sleep(0.03)
    ring.hang_up()
    client.event("CHANNEL_PARK", caller.uuid, start=start)
    assert state(client, caller.uuid) == "CS_PARK"


def test_an_agent_who_is_gone_before_the_first_frame_leaves_the_caller_parked(
    client: Any, caller: SimCaller, agent: Callable[..., Leg]
) -> None:
    _, leg = agent()
    start = len(client.events)
    client.api(f"uuid_bridge {caller.uuid} {leg}")
    client.api(f"uuid_kill {leg}")
    client.event("CHANNEL_PARK", caller.uuid, start=start)


@pytest.fixture
def two_on_one(
    client: Any, call: Callable[..., SimCaller], agent: Callable[..., Leg], clock: VirtualClock
) -> Callable[[], tuple[SimCaller, SimCaller, Leg]]:
    """Two callers sent to one leg at once: the loser, the winner, the leg."""

    def make() -> tuple[SimCaller, SimCaller, Leg]:
        first, second = call(), call()
        ring, leg = agent()
        client.api(f"uuid_bridge {first.uuid} {leg}")
        client.api(f"uuid_bridge {second.uuid} {leg}")
        clock.sleep(1)
        winner, loser = (first, second) if first.bridged_to else (second, first)
        assert winner.bridged_to == leg
        assert loser.bridged_to is None
        return loser, winner, (ring, leg)

    return make


def test_limbo_of_two_callers_on_one_leg_the_loser_is_deaf(
    client: Any, two_on_one: Callable[[], tuple[SimCaller, SimCaller, Leg]], clock: VirtualClock
) -> None:
    loser, winner, (_, leg) = two_on_one()
    start = len(client.events)
    assert state(client, loser.uuid) == "CS_SOFT_EXECUTE"
    client.execute(loser.uuid, "set", "x=1", event_uuid="E")
    assert client.api(f"uuid_park {loser.uuid}") == "+OK\n"
    assert client.api(f"uuid_transfer {loser.uuid} park inline") == "+OK\n"
    clock.sleep(5)
    assert client.names(loser.uuid, start=start) == []
    assert winner.bridged_to == leg


def test_the_loser_goes_when_the_leg_goes_or_is_parked_if_that_was_asked_for(
    client: Any, two_on_one: Callable[[], tuple[SimCaller, SimCaller, Leg]], clock: VirtualClock
) -> None:
    def without_the_variable() -> tuple[SimCaller, SimCaller, PhoneRing]:
        loser, winner, (ring, _) = two_on_one()
        client.api(f"uuid_setvar {loser.uuid} uuid_bridge_park_on_cancel")
        return loser, winner, ring

    loser, winner, ring = without_the_variable()
    ring.hang_up()
    assert loser.wait_ended(1) == "ORIGINATOR_CANCEL"
    assert state(client, winner.uuid) == "CS_PARK"
    loser, winner, ring = without_the_variable()
    client.api(f"uuid_park {loser.uuid}")
    ring.hang_up()
    clock.sleep(0.2)
    assert state(client, loser.uuid) == "CS_PARK"
    loser, _, (ring, _) = two_on_one()
    ring.hang_up()
    clock.sleep(0.2)
    assert state(client, loser.uuid) == "CS_PARK"


def test_after_twenty_seconds_the_loser_takes_the_leg_with_him(
    client: Any, two_on_one: Callable[[], tuple[SimCaller, SimCaller, Leg]], clock: VirtualClock
) -> None:
    loser, winner, (ring, _) = two_on_one()
    clock.sleep(22)
    assert (loser.ended, ring.ended) == ("DESTINATION_OUT_OF_ORDER", "DESTINATION_OUT_OF_ORDER")
    assert state(client, winner.uuid) == "CS_PARK"


def test_an_unanswered_caller_and_his_agent_are_both_destroyed(
    sim: Simulator, client: Any, agent: Callable[..., Leg]
) -> None:
    caller = sim.call("8004")
    ring, leg = agent()
    client.api(f"uuid_bridge {caller.uuid} {leg}")
    assert caller.wait_ended(1) == "DESTINATION_OUT_OF_ORDER"
    assert ring.wait_ended(1) == "ORIGINATOR_CANCEL"


def test_a_caller_and_a_leg_that_still_rings_are_both_destroyed(
    sim: Simulator, client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    phone = sim.phone("1001")
    client.command("bgapi originate {origination_uuid=L}sofia/internal/1001%local &park()")
    ring = phone.wait_ring(2)
    clock.sleep(0.5)
    client.api(f"uuid_bridge {caller.uuid} L")
    assert caller.wait_ended(1) == "ORIGINATOR_CANCEL"
    assert ring.wait_ended(1) == "DESTINATION_OUT_OF_ORDER"


def test_three_meet_in_a_conference_and_kick_all_returns_them_to_their_park(
    client: Any, caller: SimCaller, agent: Callable[..., Leg], clock: VirtualClock
) -> None:
    (_, first), (_, second) = agent("1001"), agent("1002")
    bridge(client, caller.uuid, first)
    for uuid in (caller.uuid, first, second):
        assert client.api(f"uuid_transfer {uuid} conference:room@default,park inline") == "+OK\n"
    clock.sleep(0.5)
    assert client.api("conference list").startswith("+OK Conference room (3 members")
    assert client.api("conference xml_list").count("<uuid>") == 3
    assert client.dump(second)["variable_conference_name"] == "room"
    start = len(client.events)
    answer = client.api("conference room kick all")
    assert answer.count("+OK kicked") == 3
    for uuid in (caller.uuid, first, second):
        client.event("CHANNEL_PARK", uuid, start=start)
    assert client.api("conference room kick all") == "-ERR Conference room not found\n"


def test_a_supervisor_listens_whispers_and_goes_when_the_leg_goes(
    sim: Simulator, client: Any, caller: SimCaller, agent: Callable[..., Leg], clock: VirtualClock
) -> None:
    ring, leg = agent()
    bridge(client, caller.uuid, leg)
    phone = sim.phone("1009")
    client.command(f"bgapi originate {{origination_uuid=S}}sofia/internal/1009%local &eavesdrop({leg})")
    listener = phone.wait_ring(2)
    listener.answer()
    clock.sleep(0.5)
    (task,) = sim.switch.channels[leg].eavesdroppers
    for key, mode in (
        ("2", "whisper to the leg"),
        ("1", "whisper to the other party"),
        ("3", "barge"),
        ("0", "listen"),
    ):
        client.api(f"uuid_recv_dtmf S {key}")
        clock.sleep(0.1)
        assert task.mode == mode
    assert f"<function>eavesdrop</function>\n  <target>{leg}</target>" in client.api(f"uuid_buglist {leg}")
    ring.hang_up()
    assert listener.wait_ended(1) == "NORMAL_CLEARING"


def test_the_bridge_application_calls_talks_and_goes_on(
    sim: Simulator, client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    phone = sim.phone("1001")
    client.execute(caller.uuid, "bridge", "{il_x=1}sofia/internal/1001%local", event_uuid="B", lock=True)
    ring = phone.wait_ring(2)
    assert ring.caller_id[1] == "+8613800000000"
    clock.sleep(1)
    ring.answer()
    client.event("CHANNEL_BRIDGE", caller.uuid)
    assert (state(client, caller.uuid), state(client, ring.uuid)) == ("CS_EXECUTE", "CS_EXCHANGE_MEDIA")
    ring.hang_up()
    assert client.complete("B")["variable_originate_disposition"] == "SUCCESS"
    client.wait(lambda e: e["Event-Name"] == "CHANNEL_PARK" and e["Channel-State"] == "CS_PARK")


def test_the_bridge_application_ends_the_call_when_nobody_is_reached(client: Any, caller: SimCaller) -> None:
    client.execute(caller.uuid, "bridge", "sofia/internal/1009%local", event_uuid="B", lock=True)
    assert caller.wait_ended(1) == "USER_NOT_REGISTERED"
