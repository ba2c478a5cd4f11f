"""What keeps greenswitch's interface alive on top of ours: its named handlers, and commands typed as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import structlog

from engine.clock import Clock
from engine.errors import UnsafeText
from engine.esl.commands import Command
from engine.esl.events import Event

log = structlog.get_logger(__name__)

Handler = Callable[[Event], object]

# Headers that a command typed as text may carry below its first line, by the kind of command.
_HEADERS = {
    "sendmsg": (
        "call-command",
        "execute-app-name",
        "execute-app-arg",
        "event-uuid",
        "event-lock",
        "event-lock-pri",
        "hangup-cause",
        "hold-bleg",
        "lead-frames",
        "loops",
        "async",
    ),
    "bgapi": ("job-uuid",),
}


class Handlers:
    """Calls the handlers registered by name, one event after the other, in a greenlet of their own, so that a
    handler may block as it may in greenswitch. ``*`` gets every event, beside those that are named."""

    def __init__(self, clock: Clock, registered: dict[str, list[Handler]]) -> None:
        self._clock = clock
        self._registered = registered
        self._box = clock.queue()
        self._greenlet: gevent.Greenlet[..., Any] | None = None

    def put(self, name: str, event: Event) -> None:
        """Hand an event over; returns at once."""
        if name not in self._registered and "*" not in self._registered:
            return
        if self._greenlet is None:
            self._greenlet = self._clock.spawn(self._run)
        self._box.put((name, event))

    def put_down(self, reason: str) -> None:
        """Tell the DISCONNECT handlers of an end that the switch did not announce."""
        headers = {"Content-Type": "text/disconnect-notice", "Content-Disposition": "lost", "_body": reason}
        self.put("DISCONNECT", Event(headers))

    def stop(self) -> None:
        """Let the events that wait be handled, then end."""
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is not None:
            self._box.put(None)
            if greenlet is not gevent.getcurrent():
                greenlet.join()

    def _run(self) -> None:
        while (item := self._box.get()) is not None:
            name, event = item
            for handler in (*self._registered.get(name, ()), *self._registered.get("*", ())):
                try:
                    handler(event)
                except Exception:  # one handler's fault is not the others'
                    log.exception("esl.handler_failed", handled=name)


def typed_by_hand(data: str) -> Command:
    """A command from text, as ``greenswitch.send`` takes it: one line, and below a ``sendmsg`` or ``bgapi`` its
    headers, each of a known name and once. Anything more is refused: it would be a second command."""
    line, *rest = data.rstrip("\n").split("\n")
    verb = line.split(" ", 1)[0].lower()
    headers: dict[str, str] = {}
    for row in rest:
        name, colon, value = row.partition(":")
        name = name.strip().lower()
        if not colon or name not in _HEADERS.get(verb, ()) or name in headers:
            raise UnsafeText(f"{verb}: more than one command, or a header that has no place here")
        headers[name] = value.strip(" ")
    return Command("raw", line, tuple(headers.items()), secret=verb in ("auth", "userauth"))
