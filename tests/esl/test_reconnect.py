"""The connection lost, for every reason there is, and found again; on the virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.errors import NotConnected
from engine.esl import commands, wire
from engine.esl.connection import Backoff, Connection
from engine.esl.wire import Limits

CALL = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER = "bbbbbbbb-0000-4000-8000-000000000002"


def event(name: str, **headers: str) -> bytes:
    return wire.encode_event_json({"Event-Name": name, **headers})


def until(clock: VirtualClock, true: Callable[[], object], limit: float = 30) -> None:
    """Let virtual time pass until something is true."""
    end = clock.monotonic() + limit
    while not true():
        assert clock.monotonic() < end, "it never came true"
        clock.sleep(0.05)


# -- lost, and found again ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the switch closed the connection"),
        (b"Content-Type: api/response\nContent-Le", "within a frame"),
        (b"Content-Length: 500\nContent-Type: text/event-json\n\n{", "within a frame"),
        (b"Content-Type: text/disconnect-notice\nContent-Length: 4\n\nbye\n", "said goodbye"),
    ],
    ids=["nothing", "half a head", "half a body", "goodbye"],
)
def test_an_end_at_any_point_is_found_at_once_and_mended(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock, data: bytes, reason: str
) -> None:
    clock.sleep(2)
    switch.mute = True
    waiting = clock.spawn(line.request, commands.status())
    waiting.link(lambda g: None)
    clock.sleep(0.1)
    switch.mute = False
    switch.push(data)
    switch.client.close()
    clock.sleep(0.1)
    assert isinstance(waiting.exception, NotConnected)
    assert reason in seen.downs[0][1]
    assert line.wait_up(5)
    clock.sleep(0.1)
    assert [turn for _, turn, _ in seen.snapshots] == [1, 2, 1]
    clock.sleep(1.5)
    assert [turn for _, turn, _ in seen.snapshots] == [1, 2, 1, 2]


@pytest.mark.parametrize("length", ["-1", "x", "99999999999", "5000"])
def test_a_length_beyond_reason_ends_the_connection_and_no_memory_is_filled(
    make: Any, switch: Any, seen: Any, clock: VirtualClock, length: str
) -> None:
    connection = make(limits=Limits(body=1000))
    connection.start()
    connection.wait_up(5)
    switch.push(f"Content-Length: {length}\nContent-Type: text/event-json\n\n".encode())
    until(clock, lambda: len(seen.ups) == 2)
    assert "event socket" in seen.downs[0][1]


def test_silence_is_found_within_10_seconds(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    clock.sleep(60)
    assert line.reconnects == 0
    switch.mute = True
    switch.push(event("HEARTBEAT"))
    last = clock.monotonic()
    until(clock, lambda: seen.downs)
    assert seen.downs[0][0] - last <= 10


def test_a_switch_that_talks_is_not_asked_whether_it_lives(
    line: Connection, switch: Any, clock: VirtualClock
) -> None:
    clock.sleep(1.5)
    before = len(switch.commands)
    for _ in range(30):
        switch.push(event("HEARTBEAT"))
        clock.sleep(3)
    assert len(switch.commands) == before
    clock.sleep(60)
    assert 10 <= len(switch.commands) - before <= 15


def test_a_switch_that_accepts_and_says_nothing_is_given_up(
    make: Any, switch: Any, clock: VirtualClock
) -> None:
    switch.greeting = b""
    connection = make()
    connection.start()
    assert connection.wait_up(5.5) is False
    assert "said nothing" in connection.error
    switch.greeting = wire.encode([("Content-Type", wire.AUTH_REQUEST)])
    assert connection.wait_up(10)


def test_a_connection_that_takes_too_long_to_make_is_given_up(
    make: Any, switch: Any, clock: VirtualClock
) -> None:
    def never() -> Any:
        clock.sleep(3600)

    connection = make(connect=never)
    connection.start()
    assert connection.wait_up(5.5) is False
    assert "no connection to fake:8021 within 5 s" in connection.error


def test_a_wrong_password_is_said_and_tried_again_without_a_traceback(
    make: Any, switch: Any, clock: VirtualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = make(password="wrong")
    connection.start()
    assert connection.wait_up(60) is False
    assert connection.error == "fake:8021 refused the password"
    assert not connection.connected
    assert len(switch.connects) > 5
    printed = "".join(capsys.readouterr())
    assert printed.count("[warning") == 1  # one line for the outage, not one for each try
    assert "Traceback" not in printed
    assert "wrong" not in printed
    switch.password = "wrong"
    assert connection.wait_up(10)


def test_the_access_list_of_the_switch_refuses_us_and_that_is_said(
    make: Any, switch: Any, clock: VirtualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    switch.greeting = wire.encode([("Content-Type", wire.REJECTION)], b"Access Denied, go away.\n")
    connection = make()
    connection.start()
    assert connection.wait_up(20) is False
    assert connection.error == "refused by the switch's access list (Access Denied, go away.)"
    assert "Traceback" not in "".join(capsys.readouterr())


def test_a_refused_subscription_is_no_connection(make: Any, switch: Any) -> None:
    switch.script["event json"] = wire.encode_reply("-ERR permission denied")
    connection = make()
    connection.start()
    assert connection.wait_up(1) is False
    assert connection.error == "fake:8021 refused the subscription: -ERR permission denied"


def gaps_of(make: Any, switch: Any, clock: VirtualClock, seed: int) -> list[float]:
    switch.refusing, switch.connects = True, []
    connection = make(seed=seed, backoff=Backoff(first=0.25, factor=2, most=5, jitter=0.5))
    connection.start()
    clock.sleep(60)
    connection.stop()
    return [round(b - a, 6) for a, b in pairwise(switch.connects)]


def test_tries_back_off_with_a_jitter_that_the_seed_decides(
    make: Any, switch: Any, clock: VirtualClock
) -> None:
    gaps = gaps_of(make, switch, clock, 7)
    full = [0.25, 0.5, 1, 2, 4, 5, 5, 5]
    assert all(most / 2 <= gap <= most for gap, most in zip(gaps, full, strict=False))
    assert gaps == gaps_of(make, switch, clock, 7)
    assert gaps != gaps_of(make, switch, clock, 8)


def test_a_connection_that_held_starts_the_back_off_anew_and_one_that_flaps_does_not(
    make: Any, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    connection = make()
    connection.start()
    connection.wait_up(5)
    waits = []
    for _ in range(6):  # lost as soon as it is up
        began = clock.monotonic()
        switch.client.close()
        until(clock, lambda: not connection.up)
        assert connection.wait_up(10)
        waits.append(clock.monotonic() - began)
    assert waits[-1] > 2
    clock.sleep(10)
    began = clock.monotonic()
    switch.client.close()
    until(clock, lambda: not connection.up)
    assert connection.wait_up(10)
    assert clock.monotonic() - began < 0.5


def test_a_restarted_switch_is_told_from_a_lost_connection(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    switch.client.close()
    until(clock, lambda: len(seen.ups) == 2)
    switch.core = "c0000000-0000-4000-8000-000000000002"
    switch.client.close()
    until(clock, lambda: len(seen.ups) == 3)
    assert [restarted for _, _, restarted in seen.ups] == [False, False, True]
    assert line.core_uuid == switch.core


def test_a_fault_in_the_making_of_a_transport_ends_no_trying(
    make: Any, switch: Any, clock: VirtualClock
) -> None:
    tries: list[int] = []

    def connect() -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("not a network's fault")
        return switch.pipe()

    connection = make(connect=connect)
    connection.start()
    assert connection.wait_up(10)


def test_a_switch_that_is_not_there_yet_is_found_when_it_comes(
    make: Any, switch: Any, clock: VirtualClock
) -> None:
    switch.refusing = True
    connection = make()
    connection.start()
    clock.sleep(30)
    switch.refusing = False
    assert connection.wait_up(5.1)


def test_a_write_that_fails_ends_the_connection(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    switch.near.sendall = lambda data: (_ for _ in ()).throw(
        ConnectionResetError(104, "Connection reset by peer")
    )
    with pytest.raises(NotConnected, match="reset by peer"):
        line.request(commands.status())
    assert line.wait_up(5)


# -- the end --------------------------------------------------------------------------------------------------


def test_stop_says_goodbye_calls_nobody_and_can_be_started_again(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    line.stop()
    assert switch.lines("exit") == ["exit"]
    assert (line.up, line.connected) == (False, False)
    clock.sleep(60)
    assert (len(switch.connects), seen.downs) == (1, [])
    line.start()
    assert line.wait_up(5)


def test_stop_ends_a_connection_that_is_only_trying_and_one_whose_switch_is_mute(
    make: Any, switch: Any, clock: VirtualClock
) -> None:
    switch.refusing = True
    trying = make()
    trying.start()
    clock.sleep(1)
    trying.stop()
    unreachable = make(connect=lambda: clock.sleep(3600))
    unreachable.start()
    clock.sleep(1)
    began = clock.monotonic()
    unreachable.stop()
    assert clock.monotonic() == began
    switch.refusing = False
    mute = make()
    mute.start()
    mute.wait_up(5)
    switch.mute = True
    began = clock.monotonic()
    mute.stop()
    assert clock.monotonic() - began <= 1


def test_stop_may_be_called_from_a_callback(make: Any, switch: Any, clock: VirtualClock) -> None:
    connection = make(on_event=lambda e: connection.stop())
    connection.start()
    connection.wait_up(5)
    switch.push(event("DTMF"))
    until(clock, lambda: not connection.up)
