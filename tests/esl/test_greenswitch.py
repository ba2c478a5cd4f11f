"""The eight flaws of greenswitch 0.0.19: each shown on it as it is, and mended in ours.

Every test runs the same scene twice, against a server on TCP and on the real clock: once with plain
greenswitch, where the flaw must show (so that we notice when a later release mends it), and once with
ours. Waits that must never end on plain greenswitch are given up after ``PATIENCE`` seconds.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from greenswitch.esl import InboundESL, OutboundSession

from engine.clock import Clock, TimeUp
from engine.esl import wire
from engine.esl.connection import Connection
from engine.esl.wire import Request

PATIENCE = 0.25
CALL = "aaaaaaaa-0000-4000-8000-000000000001"
CLOCK = Clock()


def plain(port: int) -> Any:
    return InboundESL("127.0.0.1", port, "right")


def ours(port: int) -> Any:
    return Connection("127.0.0.1", port, "right", clock=CLOCK, reply_timeout=PATIENCE, events=())


BOTH = pytest.mark.parametrize(
    ("make", "flawed"), [(plain, True), (ours, False)], ids=["greenswitch", "ours"]
)


@pytest.fixture
def client(tcp_switch: Any, make: Callable[[int], Any]) -> Iterator[Any]:
    client = make(tcp_switch.listen())
    client.connect()
    yield client
    tcp_switch.close()
    if isinstance(client, Connection):
        client.stop()
    else:  # its own stop waits for greenlets that may never end
        client._run = False
        client.sock.close()


def within(function: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Its result, or ``"never"`` when it takes longer, or the exception that it raised."""
    try:
        with CLOCK.timeout(seconds):
            return function()
    except TimeUp:
        return "never"
    except Exception as error:  # noqa: BLE001 - the outcome is what is looked at
        return error


def next_event(client: Any, name: str, push: Callable[[], None]) -> Any:
    """The next event of that name, as a handler gets it."""
    box = CLOCK.queue()
    client.register_handle(name, box.put)
    push()
    return box.get(timeout=5)


@BOTH
@pytest.mark.parametrize("end", ["%0A", "%E2%80%A8", "%C2%85"], ids=["LF", "U+2028", "U+0085"])
def test_1_a_line_end_in_a_value_starts_no_header(
    client: Any, tcp_switch: Any, flawed: bool, end: str
) -> None:
    body = f"Event-Name: DTMF\nUnique-ID: real\nCaller-Caller-ID-Name: x{end}Unique-ID%3A victim\n\n".encode()
    frame = wire.encode([("Content-Type", wire.EVENT_PLAIN)], body)
    event = next_event(client, "DTMF", lambda: tcp_switch.push(frame))
    assert event.headers["Unique-ID"] == ("victim" if flawed else "real")


@BOTH
def test_2_the_body_within_an_event_is_no_header(client: Any, tcp_switch: Any, flawed: bool) -> None:
    frame = wire.encode_event_plain(
        {"Event-Name": "BACKGROUND_JOB", "Job-UUID": "real"}, "+OK\nJob-UUID: victim\n"
    )
    event = next_event(client, "BACKGROUND_JOB", lambda: tcp_switch.push(frame))
    assert event.headers["Job-UUID"] == ("victim" if flawed else "real")
    if not flawed:
        assert event.body == "+OK\nJob-UUID: victim\n"


class Spinning(Exception):
    pass


@BOTH
def test_3_an_end_within_a_body_ends_the_connection(
    client: Any, tcp_switch: Any, flawed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0

    def count(*_: object) -> None:
        nonlocal turns
        turns += 1
        if turns >= 1000:  # it would go on for ever, and nothing else in the process would run
            raise Spinning

    monkeypatch.setattr(logging, "warn", count)
    lost = CLOCK.event()
    client.register_handle("DISCONNECT", lambda _: lost.set())
    tcp_switch.push(b"Content-Length: 500\nContent-Type: text/event-json\n\n{")
    tcp_switch.client.shutdown(socket.SHUT_RDWR)
    tcp_switch.client.close()
    assert lost.wait(PATIENCE) is not flawed
    assert (turns == 1000) is flawed
    if not flawed:
        assert "within a frame" in client.error


@BOTH
def test_4_an_end_without_a_goodbye_frees_who_waits_and_loses_no_event(
    client: Any, tcp_switch: Any, flawed: bool
) -> None:
    def last_words(_: Request) -> None:
        tcp_switch.push(wire.encode_event_plain({"Event-Name": "HEARTBEAT"}))
        tcp_switch.client.shutdown(socket.SHUT_RDWR)

    tcp_switch.script["api status"] = last_words
    seen = CLOCK.event()
    client.register_handle("HEARTBEAT", lambda _: seen.set())
    outcome = within(lambda: client.send("api status"))
    assert (outcome == "never") is flawed
    if not flawed:
        assert type(outcome).__name__ == "NotConnectedError"
        assert seen.wait(PATIENCE)


@BOTH
@pytest.mark.parametrize(
    "strange",
    [b"Foo: bar\n\n", b"Content-Type: log/data\nContent-Length: 3\n\n\xff\xfe\xfd"],
    ids=["no type", "not UTF-8"],
)
def test_5_a_frame_without_type_or_not_in_utf8_stops_nothing(
    client: Any, tcp_switch: Any, flawed: bool, strange: bytes
) -> None:
    tcp_switch.push(strange)
    outcome = within(lambda: client.send("api echo x").data)
    assert outcome == ("never" if flawed else "x")
    assert client.connected  # also where nobody reads any more


@BOTH
def test_6_every_sender_gets_its_own_reply_and_large_commands_arrive_whole(
    client: Any, tcp_switch: Any, flawed: bool
) -> None:
    def say(text: str) -> Any:
        return within(lambda: client.send(f"api echo {text}").data, 1.0)

    texts = [letter * size for letter, size in zip("abcd", (6_000_000, 5, 4_000_000, 7), strict=True)]
    senders = [CLOCK.spawn(say, text) for text in texts]
    for sender in senders:
        sender.join()
    right = [sender.value == text for sender, text in zip(senders, texts, strict=True)]
    assert all(right) is not flawed


@BOTH
def test_6_a_switch_that_does_not_answer_is_given_up(client: Any, tcp_switch: Any, flawed: bool) -> None:
    tcp_switch.script["api status"] = None
    outcome = within(lambda: client.send("api status"), 3 * PATIENCE)
    assert (outcome == "never") is flawed
    if not flawed:
        assert "no reply" in str(outcome)


@BOTH
@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\n"], ids=repr)
def test_7_a_line_end_in_an_argument_sends_no_second_command(
    client: Any, tcp_switch: Any, flawed: bool, end: str
) -> None:
    before = len(tcp_switch.commands)
    text = f"api uuid_setvar {CALL} name x{end}api uuid_kill {CALL}"
    outcome = within(lambda: client.send(text))
    client.send("api echo done")
    sent = [(request.line, request.headers) for request in tcp_switch.commands[before:]]
    if flawed:
        assert sent[0][0] == f"api uuid_setvar {CALL} name x"
        assert end == "\n" or sent[1][0].startswith("api uuid_kill")
    else:
        assert type(outcome).__name__ == "UnsafeText"
        assert [line for line, _ in sent] == ["api echo done"]


def completed(application_uuid: str, app: str = "playback") -> dict[str, str]:
    return {
        "Event-Name": "CHANNEL_EXECUTE_COMPLETE",
        "Unique-ID": CALL,
        "Application": app,
        "Application-UUID": application_uuid,
        "variable_current_application": app,
    }


def test_8_on_greenswitch_a_second_handler_makes_playback_wait_for_ever(tcp_switch: Any) -> None:
    session = outbound(tcp_switch)
    tcp_switch.script["sendmsg"] = lambda _: (
        wire.encode_reply("+OK") + wire.encode_event_plain(completed("x"))
    )
    session.register_handle("CHANNEL_EXECUTE_COMPLETE", lambda _: None)
    assert within(lambda: session.playback("/p/a.wav")) == "never"
    session._run = False


def test_8_on_greenswitch_the_end_of_another_playback_ends_the_wait(tcp_switch: Any) -> None:
    session = outbound(tcp_switch)
    tcp_switch.script["sendmsg"] = lambda _: (
        wire.encode_reply("+OK") + wire.encode_event_plain(completed("another"))
    )
    event = within(lambda: session.playback("/p/a.wav"))
    assert event.headers["Application-UUID"] == "another"
    session._run = False


def outbound(tcp_switch: Any) -> OutboundSession:
    """A session of greenswitch's own on a socket to the fake switch."""
    sock = socket.create_connection(("127.0.0.1", tcp_switch.listen()))
    return OutboundSession(("127.0.0.1", 0), sock)


@pytest.mark.parametrize("make", [ours])
def test_8_ours_waits_for_its_own_execution_whoever_else_listens(client: Any, tcp_switch: Any) -> None:
    def play(request: Request) -> bytes:
        event_uuid = request.headers["event-uuid"]
        return (
            wire.encode_reply("+OK")
            + wire.encode_event_json(completed("another"))
            + wire.encode_event_json(completed(event_uuid))
        )

    tcp_switch.script["sendmsg"] = play
    seen: list[str] = []
    client.register_handle(
        "CHANNEL_EXECUTE_COMPLETE", lambda event: seen.append(event.get("Application-UUID"))
    )
    event = client.execute(CALL, "playback", "/p/a.wav", timeout=5)
    mine = tcp_switch.commands[-1].headers["event-uuid"]
    assert event.get("Application-UUID") == mine
    client.stop()  # lets the handlers finish
    assert seen == ["another", mine]


@pytest.mark.parametrize("make", [ours])
def test_the_interface_of_greenswitch_still_works(client: Any, tcp_switch: Any) -> None:
    assert isinstance(client, InboundESL)
    assert client.connected
    reply = client.send("api status")
    assert reply.data == "+OK"
    assert reply.headers["Content-Type"] == "api/response"
    assert client.send("event plain ALL").headers["Reply-Text"] == "+OK"
    assert client.send(f"sendmsg {CALL}\ncall-command: execute\nexecute-app-name: answer").data == "+OK"
    assert tcp_switch.commands[-1].headers == {"call-command": "execute", "execute-app-name": "answer"}

    box = CLOCK.queue()
    client.register_handle("CUSTOM::x", box.put)
    client.register_handle("CUSTOM::x", box.put)  # counts once
    custom = {"Event-Name": "CUSTOM", "Event-Subclass": "CUSTOM::x", "n": "1"}
    tcp_switch.push(wire.encode_event_plain(custom))
    assert box.get(timeout=5).headers["n"] == "1"
    client.unregister_handle("CUSTOM::x", box.put)
    with pytest.raises(ValueError, match="No handlers"):
        client.unregister_handle("CUSTOM::x", box.put)
    client.register_handle("*", box.put)
    tcp_switch.push(wire.encode_event_plain({**custom, "n": "2"}))
    assert box.get(timeout=5).headers["n"] == "2"
    assert len(box) == 0

    client.stop()
    assert tcp_switch.lines("exit") == ["exit"]
    assert not client.connected
    assert type(within(lambda: client.send("api status"))).__name__ == "NotConnectedError"


def test_with_connects_and_stops(tcp_switch: Any) -> None:
    with ours(tcp_switch.listen()) as client:
        assert client.send("api echo x").data == "x"
    assert tcp_switch.lines("exit") == ["exit"]


def test_a_wrong_password_is_a_value_error_and_no_server_is_not_connected(tcp_switch: Any) -> None:
    client = Connection("127.0.0.1", tcp_switch.listen(), "wrong", clock=CLOCK)
    with pytest.raises(ValueError, match="Invalid password"):
        client.connect()
    tcp_switch.close()
    assert type(within(client.connect, 5)).__name__ == "NotConnectedError"
