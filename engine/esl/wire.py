"""The event socket as bytes in, frames out; no socket, no clock, no greenlet.

Theory
------
What the switch sends is a row of frames. A frame is a block of ``Name: value`` lines, an empty line, and,
when the block has a Content-Length, exactly that many bytes of body. Nothing else delimits anything, so the
decoder needs one number to make progress: how many bytes must be there before it is worth looking again.

    feed(bytes) ─> [ bytes held ] ─> next() ─> Frame | None (not yet) | WireError (never again)

Rules that hold, each with its tests:

1. Any way of cutting the same bytes into pieces gives the same frames.
2. ``next()`` returns a frame, or None, or raises, in time linear in the bytes fed: nothing can make it spin.
   After a WireError the stream is out of step and every further call raises; the only cure is a new one.
3. Lines end at LF and nowhere else. U+0085, U+2028 and a lone CR are text.
4. What is URL-encoded (the values of a plain event, and nothing else) is decoded after the lines were split,
   so that ``x%0AUnique-ID%3A victim`` stays the odd name that it is.
5. Of two headers of the same name the first counts; two different lengths are an error.
6. Bytes that are not UTF-8 become U+FFFD. Not surrogates: such text could neither be sent nor stored
   later, and would kill whoever tried. The framing is done on bytes and can't suffer.
7. A length is a row of at most ten ASCII digits within the limits; anything else is a WireError before a
   byte of the body is waited for.

The kinds of frame (src/mod/event_handlers/mod_event_socket/mod_event_socket.c): ``auth/request``,
``command/reply``, ``api/response``, ``text/event-json``, ``text/event-plain``, ``text/event-xml``,
``log/data``, ``text/disconnect-notice``, ``text/rude-rejection``. A frame of another kind, or of none, comes
out like these; what it means is the connection's business.

JSON is what the engine subscribes to: a plain event can't tell an absent value from one that reads
``_undef_``, and costs four times as much to read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import orjson

from engine.errors import SwitchError

AUTH_REQUEST = "auth/request"
COMMAND_REPLY = "command/reply"
API_RESPONSE = "api/response"
EVENT_JSON = "text/event-json"
EVENT_PLAIN = "text/event-plain"
LOG_DATA = "log/data"
DISCONNECT = "text/disconnect-notice"
REJECTION = "text/rude-rejection"

# The head of an event exactly as mod_event_socket writes it: nearly every frame, and worth one regex.
_EVENT_HEAD = re.compile(rb"Content-Length: ([0-9]{1,10})\nContent-Type: text/event-json\n\n")
_LENGTH = re.compile(r"[0-9]{1,10}")
_COMMAND_END = re.compile(rb"\n\r{0,60}\n")
_LINE = re.compile(rb"[^\r\n]*")


class WireError(SwitchError):
    """The bytes are no event socket's, or exceed the limits; the connection can't go on."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a peer may send before it is taken for broken, in bytes.

    The largest honest body is ``show channels as json``: about 1 KB for each of some thousand channels.
    """

    head: int = 64 * 1024
    body: int = 32 * 1024 * 1024


class Frame:
    """One frame: headers as text, body as bytes. ``type`` is the Content-Type, ``""`` when it has none."""

    __slots__ = ("_headers", "body", "type")

    def __init__(self, headers: dict[str, str] | None, body: bytes = b"", type: str = "") -> None:
        """Without ``headers`` they are those of a JSON event, made when somebody asks for them."""
        self._headers = headers
        self.body = body
        self.type = type if headers is None else headers.get("Content-Type", "")

    @property
    def headers(self) -> dict[str, str]:
        """By name; the first of each name."""
        if self._headers is None:
            self._headers = {"Content-Length": str(len(self.body)), "Content-Type": self.type}
        return self._headers

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return self.headers == other.headers and self.body == other.body

    __hash__ = None  # type: ignore[assignment]  # compared by value in tests, and never a key

    def __repr__(self) -> str:
        return f"<Frame {self.type or 'of no type'}, {len(self.headers)} headers, {len(self.body)} bytes>"


@dataclass(frozen=True, slots=True)
class Request:
    """What a server reads: the command's line, its headers (names in lower case), its body."""

    line: str
    headers: dict[str, str]
    body: bytes = b""


class _Stream:
    """Bytes held until they are enough, and the cut between head and body; see the rules above."""

    __slots__ = ("_at", "_broken", "_data", "_held", "_limits", "_need", "_pieces", "_seen")

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._data = b""
        self._at = 0  # everything before is taken
        self._pieces: list[bytes] = []  # fed, not yet joined to _data
        self._held = 0  # bytes not taken, in _data and _pieces
        self._need = 1  # bytes that must be held before looking is worth while
        self._seen = 0  # how far behind _at the end of a head was looked for in vain
        self._broken: WireError | None = None

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        if data:
            self._pieces.append(data)
            self._held += len(data)

    @property
    def held(self) -> int:
        """Bytes that were fed and are not part of a taken frame."""
        return self._held

    def eof(self) -> None:
        """Say that nothing more will come; WireError when that cuts a frame in two."""
        if self._held and self._rest().strip(b"\n"):
            raise self._break(f"the connection ended within a frame, {self._held} bytes of it had come")

    def _rest(self) -> bytes:
        return b"".join((self._data[self._at :], *self._pieces))

    def _join(self) -> None:
        left = self._data[self._at :]
        self._data = b"".join((left, *self._pieces)) if left or len(self._pieces) > 1 else self._pieces[0]
        self._pieces.clear()
        self._at = 0

    def _take(self) -> tuple[bytes, bytes, dict[str, str]] | None:
        """The next whole frame as (head, body, headers); None when more bytes are needed."""
        if self._broken is not None:
            raise self._broken
        if self._held < self._need:
            return None
        if self._pieces:
            self._join()
        data, at = self._data, self._at
        if data.startswith(b"\n", at):  # an empty line between frames means nothing
            start = at
            while data.startswith(b"\n", at):
                at += 1
            self._advance(at - start)
            if not self._held:
                return None
        end, body = self._end(data, at + max(0, self._seen - 1))
        length = (end if end >= 0 else len(data)) - at
        if length > self._limits.head:
            raise self._break(f"a head of more than {self._limits.head} bytes")
        if end < 0:
            self._seen, self._need = length, length + 1
            return None
        head = data[at:end]
        headers = self._headers(head)
        stop = body + self._length(headers)
        if stop > len(data):
            self._seen, self._need = end - at, stop - at
            return None
        self._advance(stop - at)
        return head, data[body:stop], headers

    def _end(self, data: bytes, start: int) -> tuple[int, int]:
        """Where the head ends and where the body begins; -1 when the end is not there yet."""
        end = data.find(b"\n\n", start)
        return end, end + 2

    def _advance(self, count: int) -> None:
        self._at += count
        self._held -= count
        self._need, self._seen = 1, 0

    def _headers(self, head: bytes) -> dict[str, str]:
        raise NotImplementedError

    def _length(self, headers: Mapping[str, str]) -> int:
        raise NotImplementedError

    def _checked(self, length: str) -> int:
        if not _LENGTH.fullmatch(length):
            raise self._break(f"a Content-Length of {length[:40]!r}")
        if int(length) > self._limits.body:
            raise self._break(f"a body of {length} bytes; {self._limits.body} are allowed")
        return int(length)

    def _break(self, why: str) -> WireError:
        self._broken = WireError(f"event socket: {why}")
        return self._broken


class Decoder(_Stream):
    """Takes what a switch sends apart into frames."""

    __slots__ = ()

    def next(self) -> Frame | None:
        """The next frame; None when more bytes are needed; WireError when there will never be one."""
        if self._held >= self._need and self._broken is None:
            if self._pieces:
                self._join()
            data, at = self._data, self._at
            if match := _EVENT_HEAD.match(data, at):
                start = match.end()
                length = int(match[1])
                stop = start + length
                if stop <= len(data) and length <= self._limits.body:
                    self._at = stop
                    self._held -= stop - at
                    self._need, self._seen = 1, 0
                    return Frame(None, data[start:stop], EVENT_JSON)
        taken = self._take()
        return Frame(taken[2], taken[1]) if taken else None

    def _headers(self, head: bytes) -> dict[str, str]:
        headers: dict[str, str] = {}
        last = ""
        for line in head.decode("utf-8", "replace").split("\n"):
            name, colon, value = line.partition(":")
            if colon:
                last = _CANONICAL.get(name.lower(), name)
                value = value.strip(" \t\r")
                if headers.setdefault(last, value) != value and last == "Content-Length":
                    raise self._break("two different lengths of one body")
            elif last:  # some replies run over several lines
                headers[last] += "\n" + line
            else:
                raise self._break(f"a head that begins with {line[:40]!r}")
        return headers

    def _length(self, headers: Mapping[str, str]) -> int:
        length = headers.get("Content-Length")
        return 0 if length is None else self._checked(length)


class CommandDecoder(_Stream):
    """Takes what a client sends apart into commands, as the switch does: for servers in tests and simulator."""

    __slots__ = ()

    def next(self) -> Request | None:
        """The next command; None when more bytes are needed."""
        taken = self._take()
        if taken is None:
            return None
        head, body, headers = taken
        return Request(_LINE.match(head)[0].decode("utf-8", "replace"), headers, body)  # type: ignore[index]

    def _end(self, data: bytes, start: int) -> tuple[int, int]:
        # read_packet in mod_event_socket.c: carriage returns between the two line feeds don't count.
        match = _COMMAND_END.search(data, max(self._at, start - 64))
        return (match.start(), match.end()) if match else (-1, 0)

    def _headers(self, head: bytes) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in head.decode("utf-8", "replace").split("\n")[1:]:
            name, colon, value = line.partition(":")
            if colon:
                headers.setdefault(name.lower(), value.strip(" \r"))
        return headers

    def _length(self, headers: Mapping[str, str]) -> int:
        return self._checked(headers["content-length"]) if "content-length" in headers else 0


_CANONICAL = {"content-length": "Content-Length", "content-type": "Content-Type"}


# -- what is inside an event ----------------------------------------------------------------------------------


def parse_json(body: bytes) -> dict[str, Any]:
    """The headers of a JSON event; arrays stay lists, the body of the event is ``_body``.

    Bytes that are not UTF-8 (a caller's name in an old encoding) become U+FFFD; WireError when it is no
    JSON object. That spoils this event alone: the stream is still in step.
    """
    try:
        headers = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            headers = orjson.loads(body.decode("utf-8", "replace"))
        except orjson.JSONDecodeError as error:
            raise WireError(f"event socket: an event that is no JSON ({error})") from None
    if not isinstance(headers, dict):
        raise WireError("event socket: an event that is no JSON object")
    return headers


def parse_plain(body: bytes) -> dict[str, Any]:
    """The headers of a plain event, in the shape of :func:`parse_json`: its own body as ``_body``."""
    head, _, rest = body.partition(b"\n\n")
    headers: dict[str, Any] = {}
    for line in head.decode("utf-8", "replace").split("\n"):
        name, colon, value = line.partition(":")
        if not colon:
            continue
        value = value.strip(" \r")
        if "%" in value:
            value = unquote(value, errors="replace")
        headers.setdefault(name, "" if value == "_undef_" else value)
    length = headers.get("Content-Length")
    if length is not None:
        if not _LENGTH.fullmatch(length) or int(length) > len(rest):
            raise WireError(
                f"event socket: a nested body of {length[:40]!r} bytes where {len(rest)} are left"
            )
        headers["_body"] = rest[: int(length)].decode("utf-8", "replace")
    return headers


# -- the other direction: what a switch would send -------------------------------------------------------------


def encode(headers: Iterable[tuple[str, str]], body: bytes | None = None) -> bytes:
    """A frame from its headers (raw, as the switch writes them) and body; Content-Length is added."""
    lines = [f"{name}: {value}\n" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}\n")
    return "".join((*lines, "\n")).encode("utf-8", "surrogateescape") + (body or b"")


def encode_reply(text: str, *more: tuple[str, str]) -> bytes:
    """The reply to a plain command or sendmsg."""
    return encode((("Content-Type", COMMAND_REPLY), ("Reply-Text", text), *more))


def encode_api(text: str) -> bytes:
    """The answer to an API command; an empty one is sent as the switch sends it."""
    return encode((("Content-Type", API_RESPONSE),), (text or "-ERR no reply\n").encode())


def encode_event_json(headers: Mapping[str, Any], body: str | None = None) -> bytes:
    """An event as JSON; ``body`` becomes ``_body`` with its length."""
    event = dict(headers)
    if body is not None:
        event["Content-Length"], event["_body"] = str(len(body.encode())), body
    data = orjson.dumps(event)
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(data) + data


def encode_event_plain(headers: Mapping[str, Any], body: str | None = None) -> bytes:
    """The same as a plain event: values URL-encoded, empty ones ``_undef_``, arrays as ``ARRAY::a|:b``."""
    lines = []
    for name, value in headers.items():
        text = "ARRAY::" + "|:".join(value) if isinstance(value, list) else str(value)
        lines.append(f"{name}: {quote(text, safe=_UNQUOTED) or '_undef_'}\n")
    data = "".join(lines).encode()
    if body is not None:
        data += b"Content-Length: %d\n\n" % len(body.encode()) + body.encode()
    else:
        data += b"\n"
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(data) + data


# What switch_url_encode leaves as it is: what SWITCH_URL_UNSAFE in switch_utils.h does not name.
_UNQUOTED = "!$'()*,-./_~"
