"""A small client of the event socket, and a simulator on a virtual clock."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.clock import Empty, VirtualClock
from engine.switch.simulator import Simulator

PASSWORD = "only for tests"
EVERYTHING = (
    "CHANNEL_CREATE CHANNEL_PARK CHANNEL_UNPARK CHANNEL_ANSWER CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_BRIDGE "
    "CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY PLAYBACK_START "
    "PLAYBACK_STOP RECORD_START RECORD_STOP DTMF BACKGROUND_JOB HEARTBEAT CUSTOM sofia::register sofia::unregister "
    "sofia::expire il::key"
)

Event = dict[str, Any]


class Client:
    """Speaks the event socket over one transport. Events and replies are kept in the order they came."""

    def __init__(self, clock: VirtualClock, transport: Any) -> None:
        self.clock = clock
        self.transport = transport
        self.events: list[Event] = []
        self.raw: list[tuple[dict[str, str], bytes]] = []
        self.ended = False
        self._replies = clock.queue()
        self._news = clock.event()
        self._reader = clock.spawn(self._read)

    def _read(self) -> None:
        inbox = b""
        while True:
            data = self.transport.recv(65536)
            if not data:
                break
            inbox += data
            while b"\n\n" in inbox:
                head, _, rest = inbox.partition(b"\n\n")
                headers = dict(line.split(": ", 1) for line in head.decode().split("\n"))
                size = int(headers.get("Content-Length", 0))
                if len(rest) < size:
                    break
                self._take(headers, rest[:size])
                inbox = rest[size:]
        self.ended = True
        self._news.set()

    def _take(self, headers: dict[str, str], body: bytes) -> None:
        self.raw.append((headers, body))
        if headers["Content-Type"] == "text/event-json":
            self.events.append(json.loads(body))
            self._news.set()
        elif headers["Content-Type"] == "text/event-plain":
            self.events.append(
                dict(line.split(": ", 1) for line in body.decode().split("\n") if ": " in line)
            )
            self._news.set()
        else:
            self._replies.put((headers, body))

    def send(self, text: str) -> tuple[dict[str, str], str]:
        self.post(text)
        return self.reply()

    def post(self, text: str) -> None:
        self.transport.sendall(text.encode() + b"\n\n")

    def reply(self, timeout: float = 30) -> tuple[dict[str, str], str]:
        headers, body = self._replies.get(timeout)
        return headers, body.decode()

    def command(self, text: str) -> str:
        return self.send(text)[0].get("Reply-Text", "")

    def api(self, text: str) -> str:
        return self.send(f"api {text}")[1]

    def dump(self, uuid: str) -> Event:
        return json.loads(self.api(f"uuid_dump {uuid} json"))

    def execute(
        self, uuid: str, app: str, arg: str = "", *, event_uuid: str = "", lock: bool = False, **more: str
    ) -> str:
        text = f"sendmsg {uuid}\ncall-command: execute\nexecute-app-name: {app}\n"
        if event_uuid:
            text += f"Event-UUID: {event_uuid}\n"
        if lock:
            text += "event-lock: true\n"
        for name, value in more.items():
            text += f"{name.replace('_', '-')}: {value}\n"
        if arg:
            text += f"content-type: text/plain\ncontent-length: {len(arg.encode())}\n\n{arg}"
        else:
            text += "\n"
        self.transport.sendall(text.encode())
        return self.reply()[0]["Reply-Text"]

    def wait(self, test: Callable[[Event], bool], *, start: int = 0, timeout: float = 60) -> Event:
        """The first event (from number ``start``) that passes ``test``; fails when none comes."""
        deadline = self.clock.monotonic() + timeout
        seen = start
        while True:
            while seen < len(self.events):
                if test(self.events[seen]):
                    return self.events[seen]
                seen += 1
            self._news.clear()
            left = deadline - self.clock.monotonic()
            if not self._news.wait(left):
                raise AssertionError(f"no such event among {[name_of(e) for e in self.events[start:]]}")

    def each(self) -> Iterator[Event]:
        """All events, from the first one on, for ever."""
        taken = 0
        while True:
            while taken < len(self.events):
                taken += 1
                yield self.events[taken - 1]
            self._news.clear()
            self._news.wait()

    def event(self, name: str, uuid: str = "", *, start: int = 0, timeout: float = 60) -> Event:
        return self.wait(
            lambda e: e["Event-Name"] == name and uuid in ("", e.get("Unique-ID")),
            start=start,
            timeout=timeout,
        )

    def complete(self, event_uuid: str, timeout: float = 60) -> Event:
        """The CHANNEL_EXECUTE_COMPLETE of what was sent with this Event-UUID."""
        return self.wait(
            lambda e: (
                e["Event-Name"] == "CHANNEL_EXECUTE_COMPLETE" and e.get("Application-UUID") == event_uuid
            ),
            timeout=timeout,
        )

    def names(self, uuid: str = "", *, start: int = 0) -> list[str]:
        """Names of events in order; executes carry the application."""
        return [name_of(e) for e in self.events[start:] if uuid in ("", e.get("Unique-ID"))]

    def quiet(self) -> bool:
        try:
            self._replies.get(0)
        except Empty:
            return True
        return False


def name_of(event: Event) -> str:
    app = event.get("Application")
    return f"{event['Event-Name']}({app})" if app else event["Event-Name"]


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    yield clock
    clock.close()


@pytest.fixture
def sim(clock: VirtualClock) -> Iterator[Simulator]:
    simulator = Simulator(clock, password=PASSWORD, seed=7)
    yield simulator
    simulator.stop()


@pytest.fixture
def connect(clock: VirtualClock, sim: Simulator) -> Callable[..., Client]:
    """Connections that are authorised and listen to everything the engine listens to."""

    def make(events: str = f"json {EVERYTHING}") -> Client:
        client = Client(clock, sim.pipe())
        client.reply()
        assert client.command(f"auth {PASSWORD}") == "+OK accepted"
        if events:
            assert client.command(f"event {events}").startswith("+OK")
        return client

    return make


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()


@pytest.fixture
def sound(tmp_path: Path) -> Callable[..., str]:
    """Makes WAV files of so many seconds of silence; returns their paths."""

    def make(name: str, seconds: float) -> str:
        frames = int(seconds * 8000)
        path = tmp_path / f"{name}.wav"
        data = b"\0\0" * frames
        path.write_bytes(
            b"RIFF"
            + struct.pack("<I", 36 + len(data))
            + b"WAVEfmt "
            + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
            + b"data"
            + struct.pack("<I", len(data))
            + data
        )
        return str(path)

    return make
