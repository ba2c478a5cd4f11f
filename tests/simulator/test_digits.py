"""Digit collections. Each case was played on FreeSWITCH 1.11 with the same arguments and the same keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.switch.simulator import SimCaller, Simulator

QUICK = "silence_stream://10"


@pytest.fixture
def caller(sim: Simulator, client: Any) -> SimCaller:
    caller = sim.call("8004")
    client.execute(caller.uuid, "answer", event_uuid="answer")
    client.complete("answer")
    client.api(f"sched_del {caller.uuid}")
    return caller


Ask = Callable[..., dict[str, str | None]]


@pytest.fixture
def ask(client: Any, caller: SimCaller, clock: VirtualClock) -> Ask:
    """Run a collection; groups of keys come 100 ms apart, the first after ``after`` seconds."""
    number = [0]

    def run(
        arguments: str, keys: str = "", *, after: float = 0.2, app: str = "play_and_get_digits"
    ) -> dict[str, str | None]:
        number[0] += 1
        name = f"P{number[0]}"
        client.execute(caller.uuid, app, arguments, event_uuid=name, lock=True)
        clock.sleep(after)
        for group in keys.split():
            client.api(f"uuid_recv_dtmf {caller.uuid} {group}")
            clock.sleep(0.1)
        done = client.complete(name)
        wanted = ("dd", "dd_invalid", "read_result", "read_terminator_used")
        return {name: done.get(f"variable_{name}") for name in wanted}

    return run


@pytest.mark.parametrize(
    ("arguments", "keys", "after", "digits", "result"),
    [
        # enough keys, then silence: the digits are there, and the result is still called a time-out
        (f"1 4 1 1200 # silence_stream://500 {QUICK} dd \\d+ 500", "1 2", 0.2, "12", "timeout"),
        (f"1 4 1 1200 # silence_stream://500 {QUICK} dd \\d+ 500", "", 0.2, None, "failure"),
        # too few: a failure, and yet the variable holds them
        (f"3 4 1 1200 # silence_stream://500 {QUICK} dd \\d+ 500", "1 2", 0.2, "12", "failure"),
        # the terminator during the prompt or after it
        (f"1 4 1 1200 # silence_stream://500 {QUICK} dd \\d+ 500", "#", 0.2, None, "failure"),
        (f"0 4 1 1200 # silence_stream://500 {QUICK} dd \\d+ 500", "#", 0.8, None, "success"),
        (f"1 4 1 1200 # silence_stream://500 {QUICK} dd \\d+ 500", "12#", 0.8, "12", "success"),
        # one key wanted
        (f"1 1 1 1200 # silence_stream://500 {QUICK} dd \\d+ 500", "7", 0.2, "7", "success"),
        (f"1 1 1 1200 # silence_stream://500 {QUICK} dd \\d+ 500", "#", 0.2, None, "success"),
        # asked twice
        (f"2 4 2 1200 # silence_stream://500 {QUICK} dd ^12 500", "34# 12#", 0.2, "12", "success"),
        # a plus keeps the terminator, an equals sign demands one
        (f"2 4 1 1200 +# silence {QUICK} dd .* 500", "12#", 0.2, "12#", "success"),
        (f"1 4 1 1200 =# silence {QUICK} dd .* 500", "12", 0.2, "12", "failure"),
        # nothing is also an answer
        (f"0 4 1 1200 # silence {QUICK} dd .* 500", "", 0.2, None, "timeout"),
        # "none" is no key, so there is no terminator: # is a digit like another
        (f"1 3 1 1200 none silence {QUICK} dd .* 500", "1#2", 0.2, "1#2", "success"),
    ],
)
def test_a_collection_ends_as_on_the_switch(
    ask: Ask, arguments: str, keys: str, after: float, digits: str | None, result: str
) -> None:
    got = ask(arguments, keys, after=after)
    assert (got["dd"], got["read_result"]) == (digits, result)


def test_what_does_not_match_is_kept_under_another_name(ask: Ask) -> None:
    got = ask(f"1 1 1 1200 # silence_stream://500 {QUICK} dd [12] 500", "7")
    assert (got["dd"], got["dd_invalid"]) == (None, "7")


def test_a_prompt_that_is_not_there_ends_the_collection_at_once_without_a_result(ask: Ask) -> None:
    got = ask(f"1 4 1 5000 # /nowhere/at-all.wav {QUICK} dd \\d+ 500", "", after=0.05)
    assert got == {"dd": None, "dd_invalid": None, "read_result": None, "read_terminator_used": None}


def test_less_than_a_second_counts_as_one(ask: Ask, clock: VirtualClock) -> None:
    began = clock.monotonic()
    ask(f"1 4 1 300 # silence {QUICK} dd \\d+ 200")
    assert 1.0 <= clock.monotonic() - began < 1.1


def test_a_key_ends_the_prompt_and_counts(ask: Ask, client: Any) -> None:
    assert ask(f"1 1 1 5000 # silence_stream://60000 {QUICK} dd \\d+", "4", after=1.0)["dd"] == "4"
    stop = client.event("PLAYBACK_STOP")
    assert (stop["Playback-Status"], stop["variable_playback_ms"]) == ("break", "1000")


def test_read_tells_the_same(ask: Ask) -> None:
    got = ask("1 4 silence_stream://500 dd 1200 #", "12#", app="read")
    assert (got["dd"], got["read_result"], got["read_terminator_used"]) == ("12", "success", "#")


def test_keys_pressed_while_parked_or_in_music_are_lost_to_a_later_collection(
    ask: Ask, client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    caller.press("12")
    clock.sleep(1)
    client.execute(caller.uuid, "playback", "silence_stream://2000", lock=True)
    clock.sleep(0.1)
    caller.press("34")
    clock.sleep(3)
    assert [e["DTMF-Digit"] for e in client.events if e["Event-Name"] == "DTMF"] == list("1234")
    assert ask(f"1 4 1 1200 # silence {QUICK} dd \\d+ 500")["dd"] is None


def test_keys_pressed_in_a_sleep_end_it_and_stay(
    ask: Ask, client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    client.execute(caller.uuid, "sleep", "5000", event_uuid="S", lock=True)
    client.execute(
        caller.uuid,
        "play_and_get_digits",
        f"1 4 1 1200 # silence {QUICK} dd \\d+ 500",
        event_uuid="P",
        lock=True,
    )
    clock.sleep(0.2)
    client.api(f"uuid_recv_dtmf {caller.uuid} 56")
    client.complete("S")
    assert clock.monotonic() < 1
    assert client.complete("P")["variable_dd"] == "56"


def test_a_secret_makes_no_event_and_no_trace_but_its_variable(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    caller = sim.call("8004")
    uuid = caller.uuid
    client.execute(uuid, "answer")
    client.execute(uuid, "set", "sensitive_dtmf=true")
    client.execute(
        uuid,
        "play_and_get_digits",
        f"1 8 1 3000 # silence_stream://2000 {QUICK} il_pin \\d+ 1000",
        event_uuid="P",
        lock=True,
    )
    clock.sleep(0.5)
    caller.press("2580#")
    assert client.complete("P")["variable_il_pin"] == "2580"
    client.execute(uuid, "unset", "il_pin")
    client.execute(uuid, "set", "sensitive_dtmf=false", event_uuid="F")
    client.complete("F")
    caller.press("7")
    clock.sleep(0.5)
    caller.hang_up()
    end = client.event("CHANNEL_HANGUP_COMPLETE", uuid)
    assert end["variable_digits_dialed"] == "X"  # the dialplan sets digits_dialed_filter
    assert [e["DTMF-Digit"] for e in client.events if e["Event-Name"] == "DTMF"] == ["7"]
    assert "2580" not in str(end)


def test_of_what_was_pressed_only_how_much_is_in_the_account(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    caller.press("12*#")
    clock.sleep(1)
    caller.hang_up()
    assert client.event("CHANNEL_HANGUP_COMPLETE")["variable_digits_dialed"] == "XXXX"


def test_without_keys_the_account_says_none(client: Any, caller: SimCaller) -> None:
    caller.hang_up()
    assert client.event("CHANNEL_HANGUP_COMPLETE")["variable_digits_dialed"] == "none"


def test_a_star_ends_a_playback_unless_the_terminators_are_none(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    client.execute(caller.uuid, "playback", "silence_stream://2000", event_uuid="A", lock=True)
    clock.sleep(0.2)
    caller.press("1*2")
    assert client.complete("A").get("variable_playback_terminator_used") is None
    client.execute(caller.uuid, "unset", "playback_terminators")
    client.execute(caller.uuid, "playback", "silence_stream://2000", event_uuid="B", lock=True)
    clock.sleep(0.2)
    caller.press("1*2")
    done = client.complete("B")
    assert (done["variable_playback_terminator_used"], done["Application-Response"]) == ("*", "FILE PLAYED")
    assert caller.played[-1].broken


def test_a_break_ends_the_prompt_but_not_the_wait_for_keys(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    client.execute(
        caller.uuid,
        "play_and_get_digits",
        f"1 1 1 5000 # silence_stream://60000 {QUICK} dd \\d+",
        event_uuid="P",
        lock=True,
    )
    clock.sleep(1)
    client.api(f"uuid_break {caller.uuid}")
    clock.sleep(1)
    client.api(f"uuid_break {caller.uuid}")
    clock.sleep(1)
    caller.press("3")
    assert client.complete("P")["variable_dd"] == "3"


def test_bound_keys_are_swallowed_and_others_come_through_as_if_an_application_had_sent_them(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    action = "exec:event,'Event-Subclass=il::key,Event-Name=CUSTOM,il_key=xfer',self,self"
    client.execute(caller.uuid, "bind_digit_action", f"talk,*2,{action}", event_uuid="B")
    client.complete("B")
    start = len(client.events)
    caller.press("*2")
    event = client.event("CUSTOM", start=start)
    assert (event["Event-Subclass"], event["il_key"], event["Unique-ID"]) == ("il::key", "xfer", caller.uuid)
    assert "DTMF" not in client.names(start=start)
    caller.press("*5")
    clock.sleep(0.5)
    keys = [(e["DTMF-Digit"], e["DTMF-Source"]) for e in client.events[start:] if e["Event-Name"] == "DTMF"]
    assert keys == [("*", "APP"), ("5", "APP")]
    start = len(client.events)
    caller.press("*")
    clock.sleep(1.0)
    assert not client.names(start=start)
    clock.sleep(1.0)
    assert client.names(start=start) == ["DTMF"]
    client.api(f"uuid_recv_dtmf {caller.uuid} *2")  # keys that came over the line only
    clock.sleep(0.5)
    assert client.names(start=start) == ["DTMF", "DTMF", "DTMF"]


def test_text_that_is_no_keys_is_not_received(client: Any, caller: SimCaller) -> None:
    assert client.api(f"uuid_recv_dtmf {caller.uuid} q") == "-USAGE: <uuid> <dtmf_data>\n"
    assert client.api(f"uuid_recv_dtmf {caller.uuid} 12") == f"+OK {caller.uuid} received DTMF 12.\n"
