"""How a parked call runs what it is told: frames, nesting, locks, breaks, and what comes after the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.switch.simulator import SimCaller, Simulator


@pytest.fixture
def caller(sim: Simulator, client: Any) -> SimCaller:
    """An answered call whose fallback is cancelled."""
    caller = sim.call("8004")
    client.execute(caller.uuid, "answer", event_uuid="answer")
    client.complete("answer")
    client.api(f"sched_del {caller.uuid}")
    return caller


def applications(client: Any, uuid: str, start: int) -> list[str]:
    """EXECUTE and EXECUTE_COMPLETE in order, by Application-UUID."""
    marks = {"CHANNEL_EXECUTE": "+", "CHANNEL_EXECUTE_COMPLETE": "-"}
    return [
        marks[e["Event-Name"]] + e["Application-UUID"]
        for e in client.events[start:]
        if e["Event-Name"] in marks and e.get("Unique-ID") == uuid
    ]


def test_park_answers_nothing_and_a_command_waits_for_the_next_frame(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    clock.sleep(0.011)
    caller = sim.call("8004")
    client.execute(caller.uuid, "set", "a=1", event_uuid="E")
    client.complete("E")
    assert clock.monotonic() == pytest.approx(0.02)
    assert client.dump(caller.uuid)["Answer-State"] == "ringing"


def test_commands_sent_together_run_in_one_frame(client: Any, caller: SimCaller, clock: VirtualClock) -> None:
    began = clock.monotonic()
    for number in range(300):
        client.execute(caller.uuid, "set", f"n={number}", event_uuid=f"E{number}")
    assert client.complete("E299")["variable_n"] == "299"
    assert clock.monotonic() - began <= 0.02


def test_executes_nest_and_the_last_one_is_over_first(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    start = len(client.events)
    began = clock.monotonic()
    for name in "ABC":
        client.execute(caller.uuid, "playback", "silence_stream://500", event_uuid=name)
    client.complete("A")
    assert applications(client, caller.uuid, start) == ["+A", "+B", "+C", "-C", "-B", "-A"]
    assert clock.monotonic() - began == pytest.approx(1.52, abs=0.021)  # one after the other, each whole


def test_under_a_lock_everything_waits_even_what_takes_no_time(client: Any, caller: SimCaller) -> None:
    start = len(client.events)
    client.execute(caller.uuid, "playback", "silence_stream://500", event_uuid="A", lock=True)
    client.execute(caller.uuid, "set", "x=1", event_uuid="B")
    client.execute(
        caller.uuid, "playback", "silence_stream://500", event_uuid="C", lock=True, event_lock_pri="true"
    )
    client.complete("C")
    assert applications(client, caller.uuid, start) == ["+A", "-A", "+B", "-B", "+C", "-C"]


def test_an_announcement_nests_in_unlocked_music_which_goes_on(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    client.execute(caller.uuid, "playback", "local_stream://music", event_uuid="M")
    clock.sleep(1)
    client.execute(caller.uuid, "playback", "silence_stream://700", event_uuid="A")
    clock.sleep(0.5)
    assert caller.hearing == "silence_stream://700"
    client.complete("A")
    assert caller.hearing == "local_stream://music"


def test_one_break_on_a_nested_announcement_ends_the_music_too(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    start = len(client.events)
    client.execute(caller.uuid, "playback", "local_stream://music", event_uuid="M")
    clock.sleep(0.2)
    client.execute(caller.uuid, "playback", "silence_stream://700", event_uuid="A")
    clock.sleep(0.2)
    assert client.api(f"uuid_break {caller.uuid}") == "+OK\n"
    assert client.complete("M")["Application-Response"] == "FILE PLAYED"
    assert applications(client, caller.uuid, start) == ["+M", "+A", "-A", "-M"]
    stops = [e["Playback-Status"] for e in client.events[start:] if e["Event-Name"] == "PLAYBACK_STOP"]
    assert stops == ["break", "break"]


def test_a_break_gets_in_under_a_lock_and_what_waited_goes_on(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    client.execute(caller.uuid, "playback", "silence_stream://60000", event_uuid="A", lock=True)
    client.execute(caller.uuid, "set", "x=1", event_uuid="B")
    clock.sleep(0.3)
    client.api(f"uuid_break {caller.uuid}")
    assert client.complete("A")["Application-Response"] == "FILE PLAYED"
    assert client.event("PLAYBACK_STOP")["Playback-Status"] == "break"
    assert client.complete("B")["variable_x"] == "1"


def test_break_all_forgets_what_waited(client: Any, caller: SimCaller, clock: VirtualClock) -> None:
    client.execute(caller.uuid, "playback", "silence_stream://60000", event_uuid="A", lock=True)
    client.execute(caller.uuid, "set", "x=1")
    clock.sleep(0.3)
    client.api(f"uuid_break {caller.uuid} all")
    client.complete("A")
    clock.sleep(0.5)
    assert client.api(f"uuid_getvar {caller.uuid} x") == "_undef_"


def test_an_unknown_application_is_accepted_and_ends_the_call(client: Any, caller: SimCaller) -> None:
    assert client.execute(caller.uuid, "no_such_application", "x") == "+OK"
    assert caller.wait_ended(1) == "DESTINATION_OUT_OF_ORDER"
    names = client.names(caller.uuid)
    assert "CHANNEL_EXECUTE(no_such_application)" not in names


def test_what_needs_sound_gives_an_unanswered_call_early_media(
    sim: Simulator, connect: Callable[..., Any]
) -> None:
    client = connect("json CHANNEL_PROGRESS_MEDIA PLAYBACK_START CHANNEL_EXECUTE_COMPLETE")
    caller = sim.call("8004")
    client.execute(caller.uuid, "playback", "silence_stream://100", event_uuid="E")
    client.complete("E")
    assert client.event("CHANNEL_PROGRESS_MEDIA")["Answer-State"] == "early"
    assert caller.state == "ringing"


def test_a_loop_repeats_only_what_takes_half_a_second(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    client.execute(caller.uuid, "playback", "silence_stream://400", event_uuid="A", lock=True, loops="3")
    client.complete("A")
    client.execute(caller.uuid, "playback", "silence_stream://600", event_uuid="B", lock=True, loops="3")
    clock.sleep(3)
    assert [p.path for p in caller.played].count("silence_stream://400") == 1
    assert [p.path for p in caller.played].count("silence_stream://600") == 3


def test_a_variable_in_an_argument_is_expanded_and_a_command_is_denied(
    client: Any, caller: SimCaller
) -> None:
    client.execute(
        caller.uuid, "set", "a=${destination_number}-${nothing}-${system(touch /tmp/x)}", event_uuid="E"
    )
    done = client.complete("E")
    assert done["Application-Data"] == "a=8004--<API Execute Permission Denied>"
    assert done["variable_a"] == "8004--<API Execute Permission Denied>"


def test_set_expands_its_value_a_second_time(client: Any, caller: SimCaller) -> None:
    client.execute(caller.uuid, "set", "a=\\${uuid}", event_uuid="E")
    done = client.complete("E")
    assert done["Application-Data"] == "a=${uuid}"
    assert done["variable_a"] == caller.uuid


def test_a_transfer_ends_what_runs_and_keeps_what_waits(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    start = len(client.events)
    client.execute(caller.uuid, "playback", "silence_stream://60000", event_uuid="A", lock=True)
    client.execute(caller.uuid, "set", "x=1", event_uuid="B")
    client.execute(caller.uuid, "playback", "silence_stream://500", event_uuid="C", lock=True)
    clock.sleep(0.2)
    client.api(f"uuid_transfer {caller.uuid} park inline")
    parked = client.event("CHANNEL_PARK", caller.uuid, start=start)
    assert (parked["Caller-Dialplan"], parked["Caller-Destination-Number"]) == ("inline", "8004")
    done = {
        e["Application-UUID"]: e
        for e in client.events[start:]
        if e["Event-Name"] == "CHANNEL_EXECUTE_COMPLETE"
    }
    assert done["A"]["Application-Response"] == "PLAYBACK ERROR"
    assert done["B"]["variable_x"] == "1"
    assert done["C"]["Application-Response"] == "PLAYBACK ERROR"
    assert len([e for e in client.events[start:] if e["Event-Name"] == "PLAYBACK_START"]) == 1


def test_after_the_hangup_only_what_needs_no_life_is_still_run(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    start = len(client.events)
    client.execute(caller.uuid, "playback", "silence_stream://60000", event_uuid="A", lock=True)
    client.execute(caller.uuid, "set", "x=1", event_uuid="B")
    client.execute(caller.uuid, "playback", "silence_stream://500", event_uuid="C")
    clock.sleep(0.2)
    caller.hang_up()
    assert client.event("CHANNEL_DESTROY", caller.uuid)["variable_x"] == "1"
    assert client.names(caller.uuid, start=start) == [
        "CHANNEL_EXECUTE(playback)",
        "PLAYBACK_START",
        "CHANNEL_HANGUP",
        "PLAYBACK_STOP",
        "CHANNEL_EXECUTE_COMPLETE(playback)",
        "CHANNEL_EXECUTE(set)",
        "CHANNEL_EXECUTE_COMPLETE(set)",
        "CHANNEL_UNPARK",
        "CHANNEL_EXECUTE_COMPLETE(park)",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_DESTROY",
    ]


def test_a_hung_up_channel_is_not_found_any_more(client: Any, caller: SimCaller) -> None:
    client.api(f"uuid_kill {caller.uuid} USER_BUSY")
    assert client.api(f"uuid_exists {caller.uuid}") == "false"
    assert client.api(f"uuid_dump {caller.uuid}") == "-ERR No such channel!\n"
    assert client.execute(caller.uuid, "set", "a=1") == f"-ERR invalid session id [{caller.uuid}]"
    assert caller.wait_ended(1) == "USER_BUSY"


def test_parking_a_parked_call_makes_it_deaf_until_it_is_transferred(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    """Seen on FreeSWITCH: the second uuid_park unparks, and the state is no other than before."""
    for _ in range(2):
        client.api(f"uuid_park {caller.uuid}")
        clock.sleep(0.1)
    start = len(client.events)
    client.execute(caller.uuid, "set", "x=1", event_uuid="E")
    clock.sleep(1)
    assert not client.names(caller.uuid, start=start)
    assert client.dump(caller.uuid)["Channel-State"] == "CS_PARK"
    client.api(f"uuid_transfer {caller.uuid} park inline")
    assert client.complete("E")["variable_x"] == "1"


def test_park_timeout_hangs_up(client: Any, caller: SimCaller, clock: VirtualClock) -> None:
    client.execute(caller.uuid, "set", "park_timeout=5:NO_ANSWER")
    clock.sleep(0.1)
    client.api(f"uuid_transfer {caller.uuid} park inline")
    assert caller.wait_ended(7) == "NO_ANSWER"


def test_an_unanswered_caller_who_gives_up_has_cancelled(sim: Simulator, client: Any) -> None:
    caller = sim.call("8004")
    caller.hang_up()
    assert client.event("CHANNEL_HANGUP_COMPLETE")["Hangup-Cause"] == "ORIGINATOR_CANCEL"
