"""Events as FreeSWITCH builds, orders and writes them, and the bus that carries them to listeners.

An event is a few groups of headers in a fixed order: the envelope (name, Core-UUID, dates, sequence),
what is known of the channel, its caller profile, its variables, and what is particular to the event.
The groups change at different times, so a channel keeps its own as ready pieces of JSON: writing an
event of a hundred headers is then the joining of five pieces. An event that no listener wants only
takes its number in the sequence.

Source of names and order: events recorded from FreeSWITCH 1.11 (``event json ALL``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Protocol

import orjson

from engine.clock import Clock

Headers = Mapping[str, "str | list[str]"]

# FreeSWITCH percent-encodes these in plain events (switch_utils.h, SWITCH_URL_UNSAFE), controls and non-ASCII.
_UNSAFE = set('\r\n #%&+:;<=>?@[\\]^`{|}"')

# Every event a listener may name (switch_event.c, EVENT_NAMES).
_NAMES = """CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER
    CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD
    CHANNEL_UNHOLD CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA
    CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID API
    LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH UNPUBLISH TALK NOTALK SESSION_CRASH
    MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN NOTIFY_IN PRESENCE_OUT PRESENCE_PROBE
    MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE
    PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML NOTIFY
    PHONE_FEATURE PHONE_FEATURE_SUBSCRIBE SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS CHANNEL_DATA GENERAL
    COMMAND SESSION_HEARTBEAT CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO RECV_INFO
    RECV_RTCP_MESSAGE SEND_RTCP_MESSAGE CALL_SECURE NAT RECORD_START RECORD_STOP PLAYBACK_START
    PLAYBACK_STOP CALL_UPDATE FAILURE SOCKET_DATA MEDIA_BUG_START MEDIA_BUG_STOP CONFERENCE_DATA_QUERY
    CONFERENCE_DATA CALL_SETUP_REQ CALL_SETUP_RESULT CALL_DETAIL DEVICE_STATE TEXT
    SHUTDOWN_REQUESTED TRANSFEROR TRANSFEREE TRANSFER"""
EVENT_NAMES = frozenset(_NAMES.split())


def encode_value(value: str) -> str:
    """Percent-encode a header's value as the plain format does (UTF-8, upper-case hex)."""
    if value.isascii() and not _UNSAFE.intersection(value) and value.isprintable():
        return value
    return "".join(
        chr(byte) if 32 < byte < 127 and chr(byte) not in _UNSAFE else f"%{byte:02X}"
        for byte in value.encode("utf-8", "surrogateescape")
    )


def plain_lines(headers: Headers) -> str:
    """Headers as lines of the plain format; an array is written ``ARRAY::a|:b``."""
    lines = []
    for name, value in headers.items():
        text = value if isinstance(value, str) else "ARRAY::" + "|:".join(value)
        lines.append(f"{name}: {encode_value(text)}\n")
    return "".join(lines)


def fragment(headers: Headers) -> bytes:
    """Headers as the inside of a JSON object, without its braces."""
    return orjson.dumps(headers)[1:-1]


_CALLING = {
    "Event-Calling-File": "simulator",
    "Event-Calling-Function": "simulator",
    "Event-Calling-Line-Number": "0",
}
_CALLING_JSON = fragment(_CALLING)


class Pieces(Protocol):
    """The groups of headers that a channel contributes, as dictionaries and as ready JSON."""

    def groups(self, variables: bool) -> list[Headers]: ...

    def fragments(self, variables: bool) -> list[bytes]: ...


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every event begins with. ``stamp``: microseconds since the epoch."""

    name: str
    subclass: str
    fixed: Mapping[str, str]
    dates: Mapping[str, str]
    ready: bytes  # fixed and dates as JSON
    stamp: int
    sequence: int

    def headers(self) -> dict[str, str]:
        """As a dictionary."""
        return {
            **({"Event-Subclass": self.subclass} if self.subclass else {}),
            "Event-Name": self.name,
            **self.fixed,
            **self.dates,
            "Event-Date-Timestamp": str(self.stamp),
            **_CALLING,
            "Event-Sequence": str(self.sequence),
        }

    def json(self) -> bytes:
        """As the inside of a JSON object."""
        subclass = b'"Event-Subclass":%s,' % orjson.dumps(self.subclass) if self.subclass else b""
        return b'%s"Event-Name":"%s",%s,"Event-Date-Timestamp":"%d",%s,"Event-Sequence":"%d"' % (
            subclass,
            self.name.encode(),
            self.ready,
            self.stamp,
            _CALLING_JSON,
            self.sequence,
        )


class Event:
    """One event, rendered at most once in each format, whoever listens."""

    __slots__ = (
        "_json",
        "_plain",
        "body",
        "envelope",
        "extra",
        "leading",
        "name",
        "source",
        "subclass",
        "variables",
    )

    def __init__(
        self,
        name: str,
        envelope: Envelope,
        source: Pieces | None,
        variables: bool,
        extra: Headers,
        body: str | None,
        subclass: str,
        leading: Headers | None,
    ) -> None:
        self.name = name
        self.subclass = subclass
        self.envelope = envelope
        self.source = source
        self.variables = variables
        self.extra = extra
        self.leading = leading
        self.body = body
        self._json: bytes | None = None
        self._plain: bytes | None = None

    def headers(self) -> dict[str, str | list[str]]:
        """All headers, in order."""
        merged: dict[str, str | list[str]] = dict(self.leading or {})
        merged.update(self.envelope.headers())
        if self.source is not None:
            for group in self.source.groups(self.variables):
                merged.update(group)
        merged.update(self.extra)
        return merged

    def get(self, name: str) -> str | None:
        """One header's value, compared without regard to case; None when absent."""
        low = name.lower()
        for key, value in self.headers().items():
            if key.lower() == low:
                return value if isinstance(value, str) else "ARRAY::" + "|:".join(value)
        return None

    def json_body(self) -> bytes:
        """The JSON object alone."""
        pieces = [fragment(self.leading)] if self.leading else []
        pieces.append(self.envelope.json())
        if self.source is not None:
            pieces += self.source.fragments(self.variables)
        if self.extra:
            pieces.append(fragment(self.extra))
        if self.body is not None:
            size = str(len(self.body.encode("utf-8", "surrogateescape")))
            pieces.append(fragment({"Content-Length": size, "_body": self.body}))
        return b"{" + b",".join(piece for piece in pieces if piece) + b"}"

    def json_frame(self) -> bytes:
        """The event as it goes over the wire to a listener of ``event json``."""
        if self._json is None:
            body = self.json_body()
            self._json = b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(body), body)
        return self._json

    def plain_body(self) -> bytes:
        """The event's lines, with its own Content-Length and body when it has one."""
        text = plain_lines(self.headers())
        if self.body is None:
            return (text + "\n").encode("utf-8", "surrogateescape")
        body = self.body.encode("utf-8", "surrogateescape")
        return f"{text}Content-Length: {len(body)}\n\n".encode() + body

    def plain_frame(self) -> bytes:
        """The event as it goes over the wire to a listener of ``event plain``."""
        if self._plain is None:
            body = self.plain_body()
            self._plain = b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(body), body)
        return self._plain


class Listener(Protocol):
    """Whoever gets events: a connection, or something inside the simulator."""

    def wants(self, name: str, subclass: str) -> bool: ...

    def deliver(self, event: Event) -> None: ...


class Bus:
    """Numbers the events, stamps them, and hands each to the listeners that asked for it."""

    def __init__(self, clock: Clock, core_uuid: str, hostname: str) -> None:
        self._clock = clock
        self._sequence = 433
        self._listeners: list[Listener] = []
        self._fixed = {
            "Core-UUID": core_uuid,
            "FreeSWITCH-Hostname": hostname,
            "FreeSWITCH-Switchname": hostname,
            "FreeSWITCH-IPv4": "127.0.0.1",
            "FreeSWITCH-IPv6": "::1",
        }
        self._second = -1
        self._dates: dict[str, str] = {}
        self._fixed_json = b""

    def add(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def heard(self, name: str) -> bool:
        """Does anybody want such events now?"""
        return any(listener.wants(name, "") for listener in self._listeners)

    def envelope(self, name: str, subclass: str = "") -> Envelope:
        """The headers that every event begins with; takes the next number of the sequence."""
        now = self._clock.now()
        stamp = round(now.timestamp() * 1_000_000)
        second = stamp // 1_000_000
        if second != self._second:
            self._second = second
            self._dates = {
                "Event-Date-Local": now.strftime("%Y-%m-%d %H:%M:%S"),
                "Event-Date-GMT": now.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),
            }
            self._fixed_json = fragment({**self._fixed, **self._dates})
        self._sequence += 1
        return Envelope(name, subclass, self._fixed, self._dates, self._fixed_json, stamp, self._sequence)

    def fire(
        self,
        name: str,
        source: Pieces | None = None,
        extra: Headers | None = None,
        *,
        variables: bool = True,
        body: str | None = None,
        subclass: str = "",
        leading: Headers | None = None,
    ) -> None:
        """Build the event when somebody wants it, and deliver it to each such listener at once."""
        wanted = [listener for listener in self._listeners if listener.wants(name, subclass)]
        if not wanted:
            self._sequence += 1
            return
        event = Event(
            name, self.envelope(name, subclass), source, variables, extra or {}, body, subclass, leading
        )
        for listener in wanted:
            listener.deliver(event)


class Watcher:
    """A listener inside the process: calls ``function(event)`` for the named events."""

    def __init__(self, names: frozenset[str], function: Callable[[Event], None]) -> None:
        self._names = names
        self._function = function

    def wants(self, name: str, subclass: str) -> bool:
        return name in self._names

    def deliver(self, event: Event) -> None:
        self._function(event)
