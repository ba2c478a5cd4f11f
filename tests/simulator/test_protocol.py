"""The event socket from a client's side. Every reply was taken from FreeSWITCH 1.11."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.switch.simulator import Simulator

GOODBYE = b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"


def fresh(sim: Simulator) -> Any:
    pipe = sim.pipe()
    assert pipe.recv(4096) == b"Content-Type: auth/request\n\n"
    return pipe


def test_a_wrong_password_is_refused_and_the_connection_ends_with_a_notice(sim: Simulator) -> None:
    pipe = fresh(sim)
    pipe.sendall(b"auth wrong\n\n")
    said = pipe.recv(4096) + pipe.recv(4096)
    assert said.startswith(b"Content-Type: command/reply\nReply-Text: -ERR invalid\n\n")
    assert said.endswith(b"Content-Type: text/disconnect-notice\nContent-Length: 67\n\n" + GOODBYE)
    assert pipe.recv(4096) == b""
    with pytest.raises(BrokenPipeError):
        pipe.sendall(b"auth again\n\n")


def test_before_the_password_nothing_is_known(sim: Simulator) -> None:
    pipe = fresh(sim)
    pipe.sendall(b"api status\n\n")
    assert pipe.recv(4096) == b"Content-Type: command/reply\nReply-Text: -ERR command not found\n\n"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("event json FOO", "-ERR no keywords supplied"),
        ("event json", "-ERR no keywords supplied"),
        ("event", "-ERR no keywords supplied"),
        ("event json CHANNEL_CREATE FOO", "+OK event listener enabled json"),
        ("event CHANNEL_CREATE", "+OK event listener enabled plain"),
        ("noevents", "-ERR not listening for events"),
        ("nixevent FOO", "-ERR no keywords supplied"),
        ("nixevent CHANNEL_CREATE", "+OK events nixed"),
        ("filter", "-ERR command not found"),
        ("filter Unique-ID", "-ERR invalid syntax"),
        ("filter Unique-ID abc", "+OK filter added. [Unique-ID]=[abc]"),
        ("filter delete Unique-ID", "+OK filter deleted. [Unique-ID][]"),
        ("bogus", "-ERR command not found"),
        ("api", "-ERR command not found"),
        ("bgapi", "-ERR command not found"),
        ("auth x", "-ERR command not found"),
        ("sendmsg", "-ERR invalid session id []"),
        ("sendmsg xyz\ncall-command: execute\nexecute-app-name: set", "-ERR invalid session id [xyz]"),
        ("linger", "-ERR not controlling a session"),
        ("nolinger", "-ERR not controlling a session"),
        ("log 5", "+OK log level 5 [5]"),
        ("nolog", "+OK no longer logging"),
    ],
)
def test_replies_are_those_of_the_switch(connect: Callable[..., Any], command: str, reply: str) -> None:
    assert connect(events="").command(command) == reply


def test_exit_says_bye_and_then_goodbye(connect: Callable[..., Any], clock: VirtualClock) -> None:
    client = connect()
    assert client.command("exit") == "+OK bye"
    headers, body = client.reply()
    assert (headers["Content-Type"], body.encode()) == ("text/disconnect-notice", GOODBYE)
    clock.sleep(0.01)
    assert client.ended


def test_commands_may_come_in_single_bytes_and_many_at_once(
    sim: Simulator, connect: Callable[..., Any]
) -> None:
    client = connect()
    for byte in b"api strepoch\r\n\r\n":
        client.transport.sendall(bytes([byte]))
    assert client.reply()[1].isdecimal()
    client.transport.sendall(b"\n\napi create_uuid\n\napi hostname\n\n")
    assert len(client.reply()[1]) == 36
    assert client.reply()[1] == "simulator"


def test_a_newline_in_the_body_of_a_message_stays_data(sim: Simulator, client: Any) -> None:
    caller = sim.call("8004")
    client.execute(caller.uuid, "set", "note=one\ncall-command: hangup\n\napi hupall", event_uuid="E")
    done = client.complete("E")
    assert done["variable_note"] == "one\ncall-command: hangup\n\napi hupall"
    assert caller.ended is None


def test_a_newline_in_a_header_begins_a_new_header_or_command(sim: Simulator, client: Any) -> None:
    caller = sim.call("8004")
    client.post(
        f"sendmsg {caller.uuid}\ncall-command: execute\nexecute-app-name: set\nexecute-app-arg: x=1\n\nbogus"
    )
    assert client.reply()[0]["Reply-Text"] == "+OK"
    assert client.reply()[0]["Reply-Text"] == "-ERR command not found"


def test_a_background_job_answers_at_once_and_tells_its_result_as_an_event(client: Any) -> None:
    headers, _ = client.send("bgapi strepoch\nJob-UUID: mine")
    assert headers["Reply-Text"] == "+OK Job-UUID: mine"
    assert headers["Job-UUID"] == "mine"
    job = client.event("BACKGROUND_JOB")
    assert (job["Job-UUID"], job["Job-Command"]) == ("mine", "strepoch")
    assert job["Content-Length"] == str(len(job["_body"]))
    assert "Job-Command-Arg" not in job
    headers, _ = client.send("bgapi bogus 1")
    job = client.wait(lambda e: e.get("Job-UUID") == headers["Job-UUID"])
    assert (job["Job-Command-Arg"], job["_body"]) == ("1", "-ERR bogus Command not found!\n")


def test_an_api_that_takes_long_blocks_the_connection_and_its_events(
    sim: Simulator, connect: Callable[..., Any], clock: VirtualClock
) -> None:
    client, other = connect(), connect()
    client.post("api msleep 500")
    client.post("api strepoch")
    began = clock.monotonic()
    sim.call("8004")
    other.event("CHANNEL_PARK")
    assert not client.events
    assert client.reply()[1] == "+OK"
    assert clock.monotonic() - began == pytest.approx(0.5)
    assert client.reply()[1].isdecimal()
    client.event("CHANNEL_PARK")


def test_only_named_events_come_and_custom_ones_by_their_subclass(
    sim: Simulator, connect: Callable[..., Any]
) -> None:
    client = connect("json CHANNEL_PARK CUSTOM sofia::register")
    sim.call("8004")
    phone = sim.phone("1001")
    client.event("CUSTOM")
    phone.unregister()
    sim.call("8004").hang_up()
    client.api("strepoch")
    assert {e["Event-Name"] for e in client.events} == {"CHANNEL_PARK", "CUSTOM"}
    assert [e.get("Event-Subclass") for e in client.events if "Event-Subclass" in e] == ["sofia::register"]
    client.command("nixevent CHANNEL_PARK")
    seen = len(client.events)
    sim.call("8004")
    client.api("strepoch")
    assert len(client.events) == seen


def test_a_filter_lets_only_what_matches_through(sim: Simulator, connect: Callable[..., Any]) -> None:
    client = connect("json CHANNEL_PARK")
    client.command("filter Caller-Destination-Number 8005")
    sim.call("8004")
    sim.call("8005")
    client.event("CHANNEL_PARK")
    assert [e["Caller-Destination-Number"] for e in client.events] == ["8005"]


def test_plain_events_are_ambiguous_for_careless_clients_and_json_is_not(
    sim: Simulator, connect: Callable[..., Any]
) -> None:
    """FreeSWITCH percent-encodes values: decoding before splitting would make a second Unique-ID."""
    plain, as_json = connect("plain CHANNEL_PARK"), connect("json CHANNEL_PARK")
    caller = sim.call("8004", name="x%250AUnique-ID%253A victim")  # the SIP stack decodes once
    name = "x%0AUnique-ID%3A victim"
    assert as_json.event("CHANNEL_PARK")["Caller-Caller-ID-Name"] == name
    event = plain.event("CHANNEL_PARK")
    assert event["Caller-Caller-ID-Name"] == "x%250AUnique-ID%253A%20victim"
    assert event["Unique-ID"] == caller.uuid
    assert event["Channel-Name"] == "sofia/external/%2B8613800000000%40127.0.0.1"


def test_an_array_is_a_list_in_json_and_one_text_in_plain(
    sim: Simulator, connect: Callable[..., Any]
) -> None:
    plain, as_json = connect("plain CHANNEL_PARK"), connect("json CHANNEL_PARK")
    sim.call("8004")
    assert as_json.event("CHANNEL_PARK")["variable_DP_MATCH"] == ["8004", "8004"]
    assert plain.event("CHANNEL_PARK")["variable_DP_MATCH"] == "ARRAY%3A%3A8004%7C%3A8004"


def test_frames_have_the_headers_of_the_switch_in_its_order(sim: Simulator) -> None:
    pipe = fresh(sim)
    pipe.sendall(b"auth only for tests\n\nevent json CHANNEL_HANGUP\n\n")
    pipe.recv(65536)
    sim.call("8004").hang_up()
    frame = pipe.recv(65536)
    head, _, body = frame.partition(b"\n\n")
    assert head == b"Content-Length: %d\nContent-Type: text/event-json" % len(body)
    event = json.loads(body)
    assert list(event)[:12] == [
        "Event-Name",
        "Core-UUID",
        "FreeSWITCH-Hostname",
        "FreeSWITCH-Switchname",
        "FreeSWITCH-IPv4",
        "FreeSWITCH-IPv6",
        "Event-Date-Local",
        "Event-Date-GMT",
        "Event-Date-Timestamp",
        "Event-Calling-File",
        "Event-Calling-Function",
        "Event-Calling-Line-Number",
    ]
    assert event["Event-Sequence"].isdecimal()
    assert [name for name in event if name.startswith("Channel-")][:3] == [
        "Channel-State",
        "Channel-Call-State",
        "Channel-State-Number",
    ]


def test_the_sequence_counts_events_that_nobody_wanted_too(
    sim: Simulator, connect: Callable[..., Any]
) -> None:
    client = connect("json CHANNEL_PARK CHANNEL_DESTROY")
    caller = sim.call("8004")
    caller.hang_up()
    first, last = client.event("CHANNEL_PARK"), client.event("CHANNEL_DESTROY")
    assert int(last["Event-Sequence"]) > int(first["Event-Sequence"]) + 2


def test_the_heart_beats_every_twenty_seconds(client: Any, clock: VirtualClock) -> None:
    clock.sleep(61)
    beats = [e for e in client.events if e["Event-Name"] == "HEARTBEAT"]
    assert len(beats) == 3
    assert beats[0]["Event-Info"] == "System Ready"
    assert beats[0]["Up-Time"].startswith("0 years, 0 days, 0 hours, 0 minutes, 20 seconds")


def test_dtmf_carries_no_variables_and_the_others_carry_all(sim: Simulator, client: Any) -> None:
    caller = sim.call("8004")
    client.execute(caller.uuid, "answer")
    client.execute(caller.uuid, "set", "il_state=abc", event_uuid="E")
    client.complete("E")
    caller.press("5")
    key = client.event("DTMF")
    assert not [name for name in key if name.startswith("variable_")]
    assert (key["DTMF-Digit"], key["DTMF-Source"]) == ("5", "RTP")
    caller.hang_up()
    for name in ("CHANNEL_HANGUP", "CHANNEL_UNPARK", "CHANNEL_HANGUP_COMPLETE"):
        assert client.event(name, caller.uuid)["variable_il_state"] == "abc"


def test_a_cut_connection_just_ends_and_a_silent_one_says_nothing(
    sim: Simulator, connect: Callable[..., Any], clock: VirtualClock
) -> None:
    cut, silent = connect(), connect()
    cut.transport.cut()
    clock.sleep(0.01)
    assert cut.ended
    assert cut.quiet()
    silent.transport.silence()
    sim.call("8004")
    clock.sleep(60)
    assert not silent.events
    assert not silent.ended


def test_after_a_cut_the_calls_go_on(sim: Simulator, connect: Callable[..., Any]) -> None:
    caller = sim.call("8004")
    client = connect()
    client.execute(caller.uuid, "answer")
    client.api(f"sched_del {caller.uuid}")
    client.execute(caller.uuid, "playback", "silence_stream://5000", event_uuid="E", lock=True)
    client.execute(caller.uuid, "set", "il_done=E")
    client.transport.cut()
    again = connect()
    done = again.complete("E")
    assert done["Application-Response"] == "FILE PLAYED"
    again.wait(lambda e: e.get("variable_il_done") == "E")
    assert caller.ended is None
