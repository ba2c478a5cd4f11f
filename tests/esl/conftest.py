"""A scripted stand-in for the switch's end of the event socket, on a pipe in memory or on TCP.

It knows the greeting and nothing of telephony; what it answers is set by each test.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.clock import Clock, VirtualClock
from engine.esl import wire
from engine.esl.connection import Connection, Event
from engine.esl.wire import CommandDecoder, Request

CORE = "c0000000-0000-4000-8000-000000000001"
Answer = Callable[[Request], bytes | None]


class Pipe:
    """One end of a pipe in memory."""

    def __init__(self, clock: Clock) -> None:
        self.box = clock.queue()
        self.other: Pipe | None = None
        self.writes: list[bytes] = []
        self.left = b""
        self.ended = False

    def sendall(self, data: bytes) -> None:
        if self.ended or self.other is None or self.other.ended:
            raise BrokenPipeError(32, "Broken pipe")
        self.writes.append(data)
        self.other.box.put(data)

    def recv(self, size: int) -> bytes:
        if not self.left:
            if self.ended:
                return b""
            self.left = self.box.get()
        data, self.left = self.left[:size], self.left[size:]
        return data

    def close(self) -> None:
        if not self.ended:
            self.ended = True
            self.box.put(b"")
            if self.other is not None:
                self.other.box.put(b"")


class FakeSwitch:
    """Answers by ``script`` (beginning of a command's line -> its answer), else as an idle switch would."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.password = "right"
        self.core = CORE
        self.commands: list[Request] = []
        self.script: dict[str, Answer | bytes | None] = {}
        self.rows: list[dict[str, str]] = []
        self.greeting = wire.encode([("Content-Type", wire.AUTH_REQUEST)])
        self.refusing = False
        self.mute = False
        self.connects: list[float] = []
        self.client: Any = None  # the transport to the client that came last
        self.near: Any = None  # the client's own end of its pipe
        self._listener: socket.socket | None = None
        self._arrived = clock.event()

    def pipe(self) -> Pipe:
        """A transport, as ``Connection(connect=…)`` wants it."""
        self.connects.append(self.clock.monotonic())
        if self.refusing:
            raise ConnectionRefusedError(111, "Connection refused")
        near, far = Pipe(self.clock), Pipe(self.clock)
        near.other, far.other = far, near
        self.near = near
        self.clock.spawn(self.serve, far)
        return near

    def listen(self) -> int:
        """A TCP port of its own."""
        self._listener = listener = socket.create_server(("127.0.0.1", 0))
        self.clock.spawn(self._accept, listener)
        return listener.getsockname()[1]

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        if self.client is not None:
            self.client.close()

    def push(self, *data: bytes) -> None:
        """Send bytes to the client."""
        for piece in data:
            self.client.sendall(piece)

    def lines(self, start: str = "") -> list[str]:
        """The commands received so far that begin so."""
        return [request.line for request in self.commands if request.line.startswith(start)]

    def last(self, start: str) -> Request:
        """The last command that begins so."""
        return next(request for request in reversed(self.commands) if request.line.startswith(start))

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            self.clock.spawn(self.serve, peer)

    def serve(self, peer: Any) -> None:
        self.client = peer
        decoder = CommandDecoder(wire.Limits(head=64 << 20))
        try:
            if self.greeting:
                peer.sendall(self.greeting)
            while data := peer.recv(65536):
                decoder.feed(data)
                while (request := decoder.next()) is not None:
                    self.commands.append(request)
                    if self.mute:
                        continue
                    answer = self.answer(request)
                    if answer is None:
                        continue
                    peer.sendall(answer)
                    if request.line == "exit":
                        peer.close()
                        return
        except OSError:
            pass

    def answer(self, request: Request) -> bytes | None:
        line = request.line
        for start, answer in self.script.items():
            if line.startswith(start):
                return answer(request) if callable(answer) else answer
        if line.startswith("auth "):
            ok = line == f"auth {self.password}"
            return wire.encode_reply("+OK accepted" if ok else "-ERR invalid")
        if line == "api global_getvar core_uuid":
            return wire.encode_api(self.core)
        if line == "api show channels as json":
            rows: Any = {"row_count": len(self.rows), **({"rows": self.rows} if self.rows else {})}
            return wire.encode_api(wire.orjson.dumps(rows).decode())
        if line.startswith("api echo "):
            return wire.encode_api(line[9:])
        if line.startswith("api "):
            return wire.encode_api("+OK\n")
        if line.startswith("bgapi "):
            job = request.headers["job-uuid"]
            return wire.encode_reply(f"+OK Job-UUID: {job}", ("Job-UUID", job))
        if line == "exit":
            notice = b"Disconnected, goodbye.\n"
            return wire.encode_reply("+OK bye") + wire.encode([("Content-Type", wire.DISCONNECT)], notice)
        return wire.encode_reply("+OK")


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    yield clock
    clock.close()


@pytest.fixture
def switch(clock: VirtualClock) -> Iterator[FakeSwitch]:
    """A fake switch on the virtual clock, by pipe."""
    switch = FakeSwitch(clock)
    yield switch
    switch.close()


@pytest.fixture
def tcp_switch() -> Iterator[FakeSwitch]:
    """A fake switch on the real clock, for TCP."""
    switch = FakeSwitch(Clock())
    yield switch
    switch.close()


class Seen:
    """What a connection called back, with the time."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.ups: list[tuple[float, str, bool]] = []
        self.downs: list[tuple[float, str]] = []
        self.snapshots: list[tuple[float, int, int]] = []
        self.events: list[Event] = []

    def up(self, core: str, restarted: bool) -> None:
        self.ups.append((self.clock.monotonic(), core, restarted))

    def down(self, reason: str) -> None:
        self.downs.append((self.clock.monotonic(), reason))

    def snapshot(self, rows: list[dict[str, str]], turn: int) -> None:
        self.snapshots.append((self.clock.monotonic(), turn, len(rows)))

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]


@pytest.fixture
def seen(clock: VirtualClock) -> Seen:
    return Seen(clock)


@pytest.fixture
def make(clock: VirtualClock, switch: Any, seen: Seen) -> Any:
    made: list[Connection] = []

    def make(**more: Any) -> Connection:
        settings: dict[str, Any] = {
            "clock": clock,
            "connect": switch.pipe,
            "on_event": seen.events.append,
            "on_up": seen.up,
            "on_down": seen.down,
            "on_snapshot": seen.snapshot,
            **more,
        }
        connection = Connection("fake", 8021, settings.pop("password", "right"), **settings)
        made.append(connection)
        return connection

    yield make
    for connection in made:
        connection.stop()


@pytest.fixture
def line(make: Any) -> Connection:
    """A connection that is up."""
    connection: Connection = make()
    connection.start()
    assert connection.wait_up(5)
    return connection
