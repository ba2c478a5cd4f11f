"""What comes back from the switch: events, replies, and the results of background jobs.

Don't keep events: the dict behind one holds every variable of its channel, 16 KiB each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.clock import Clock
from engine.errors import CommandRefused, CommandTimeout, NotConnected
from engine.esl.wire import API_RESPONSE, Frame


class Event:
    """An event of the switch: a thin view on the dict that the decoder made.

    Values are text. A header that the switch keeps as an array reads as it does in plain events,
    ``ARRAY::a|:b``. Headers that were not sent read as the default.
    """

    __slots__ = ("headers", "name")

    def __init__(self, headers: dict[str, Any]) -> None:
        self.headers = headers
        self.name: str = headers.get("Event-Name", "")

    def get(self, header: str, default: str | None = None) -> str | None:
        """A header's text."""
        value = self.headers.get(header, default)
        return value if value is None or type(value) is str else _text(value)

    def var(self, name: str, default: str | None = None) -> str | None:
        """A variable of the event's channel."""
        value = self.headers.get("variable_" + name, default)
        return value if value is None or type(value) is str else _text(value)

    @property
    def uuid(self) -> str:
        """The channel that it is about; ``""`` when it is about none."""
        return self.headers.get("Unique-ID", "")  # type: ignore[no-any-return]

    @property
    def subclass(self) -> str:
        """Of a CUSTOM event, which: ``sofia::register``, ``il::key`` …"""
        return self.headers.get("Event-Subclass", "")  # type: ignore[no-any-return]

    @property
    def body(self) -> str:
        """The event's own body (the result of a background job), ``""`` when it has none."""
        return self.headers.get("_body", "")  # type: ignore[no-any-return]

    @property
    def data(self) -> str:
        """The body, under greenswitch's name for it."""
        return self.body

    def __repr__(self) -> str:
        return f"<Event {self.subclass or self.name} {self.uuid}>"


class Reply:
    """The switch's answer to one command.

    ``text`` is the Reply-Text of a command or the whole answer of an API command without its last newline;
    ``""`` where the switch says ``-ERR no reply``, which is how it sends an empty answer. ``ok`` is False when
    it begins with ``-ERR`` or ``-USAGE``.
    """

    __slots__ = ("headers", "ok", "text")

    def __init__(self, frame: Frame) -> None:
        self.headers = frame.headers
        if frame.type == API_RESPONSE:
            self.text = frame.text.removesuffix("\n")
            if self.text == "-ERR no reply":
                self.text = ""
        else:
            self.text = frame.headers.get("Reply-Text", "")
        self.ok = not self.text.startswith(("-ERR", "-USAGE"))

    @property
    def data(self) -> str:
        """The text, under greenswitch's name for it."""
        return self.text

    def __repr__(self) -> str:
        return f"<Reply {self.text[:60]!r}>"


class Job:
    """A background job on the switch. Its ``uuid`` is known before it is sent."""

    __slots__ = ("_done", "_on_done", "lost", "name", "text", "uuid")

    def __init__(self, clock: Clock, uuid: str, name: str, on_done: Callable[[str], None] | None) -> None:
        self.uuid = uuid
        self.name = name
        self.text: str | None = None  #: the switch's answer, once it came
        self.lost = ""  #: why nobody will ever know the answer
        self._done = clock.event()
        self._on_done = on_done

    def finish(self, text: str) -> None:
        """Called by the connection, in its reader, with the switch's answer."""
        self._end(text, "")

    def lose(self, reason: str) -> None:
        """Called by the connection when the answer can't come any more."""
        self._end(None, reason)

    def _end(self, text: str | None, lost: str) -> None:
        if self._done.is_set():
            return
        self.text, self.lost = text, lost
        self._done.set()
        if self._on_done is not None:
            self._on_done(f"-ERR {lost}" if text is None else text)

    def wait(self, timeout: float | None = None) -> str:
        """The answer. :class:`CommandRefused` when it is ``-ERR …``, :class:`CommandTimeout` when it does not
        come in time, :class:`NotConnected` when the connection was lost: then the job may still run."""
        if not self._done.wait(timeout):
            raise CommandTimeout(f"{self.name}: no result within {timeout:g} s")
        if self.text is None:
            raise NotConnected(f"{self.name}: {self.lost}")
        if self.text.startswith(("-ERR", "-USAGE")):
            raise CommandRefused(self.name, self.text)
        return self.text


def _text(value: object) -> str:
    return "ARRAY::" + "|:".join(map(str, value)) if isinstance(value, list) else str(value)
