"""One event-socket connection, from the switch's side: bytes in, bytes out, no socket.

Commands are taken in order and one at a time: an ``api`` that takes long (originate, msleep) blocks the
connection, its commands and its events, as it blocks the real one. Events that a command causes come
after its reply.

Source: mod_event_socket.c (read_packet, parse_command); replies compared with FreeSWITCH 1.11.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.switch.simulator import api
from engine.switch.simulator.causes import cause_named
from engine.switch.simulator.commands import Command
from engine.switch.simulator.events import EVENT_NAMES, Event
from engine.switch.simulator.later import Later
from engine.switch.simulator.media import integer

if TYPE_CHECKING:
    from engine.switch.simulator.switch import Switch

GOODBYE = b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
NOTICE = b"Content-Type: text/disconnect-notice\nContent-Length: %d\n\n%s" % (len(GOODBYE), GOODBYE)
MAX_HEADERS = 10 * 1024 * 1024
QUEUE = 100_000  # events that wait for a client that does not read
MAX_LOST = 500  # events lost after which it is dropped

_END = re.compile(rb"\r?\n\r?\n")


class Session:
    """The protocol of one connection. ``write(bytes)`` sends, ``close()`` ends; neither may block."""

    def __init__(
        self, switch: Switch, password: str, write: Callable[[bytes], None], close: Callable[[], None]
    ):
        self._switch = switch
        self._password = password
        self._write = write
        self._close = close
        self._inbox = bytearray()
        self._frames: deque[tuple[str, dict[str, str], str]] = deque()
        self._body_of: tuple[str, dict[str, str]] | None = None
        self._missing = 0
        self._busy = False
        self._backlog: list[bytes] = []
        self._format = "plain"
        self._names: set[str] = set()
        self._subclasses: set[str] = set()
        self._filters: list[tuple[str, str]] = []
        self.authorised = False
        self.closed = False
        self.lost = 0
        self.waiting: Callable[[], int] | None = None  # bytes that the client has not taken yet
        switch.bus.add(self)
        self._write(b"Content-Type: auth/request\n\n")

    # -- bytes in ---------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Bytes came from the client; b"" says that it closed."""
        if self.closed:
            return
        if not data:
            self.end()
            return
        self._inbox += data
        while self._frame():
            pass
        self._work()

    def _frame(self) -> bool:
        if self._body_of is not None:
            if len(self._inbox) < self._missing:
                return False
            command, known = self._body_of
            body = bytes(self._inbox[: self._missing]).decode("utf-8", "surrogateescape")
            del self._inbox[: self._missing]
            self._body_of = None
            self._frames.append((command, known, body))
            return True
        while self._inbox[:1] == b"\r" or self._inbox[:1] == b"\n":
            del self._inbox[:1]
        found = _END.search(self._inbox)
        if found is None:
            if len(self._inbox) > MAX_HEADERS:
                self.end()
            return False
        text = bytes(self._inbox[: found.start()]).decode("utf-8", "surrogateescape")
        del self._inbox[: found.end()]
        lines = [line for line in re.split(r"[\r\n]+", text) if line]
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, has_value, value = line.partition(":")
            if has_value:
                headers.setdefault(name.lower(), value.lstrip(" "))
        length = integer(headers.get("content-length", "0"))
        if length > 0:
            self._body_of, self._missing = (lines[0], headers), length
        else:
            self._frames.append((lines[0], headers, ""))
        return True

    # -- bytes out --------------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        if not self.closed:
            self._write(data)

    def _reply(self, text: str, more: str = "") -> None:
        self._send(
            f"Content-Type: command/reply\nReply-Text: {text}\n{more}\n".encode("utf-8", "surrogateescape")
        )

    def _answer(self, text: str) -> None:
        body = text.encode("utf-8", "surrogateescape")
        self._send(b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(body), body))

    def wants(self, name: str, subclass: str) -> bool:
        """Whether this client asked for such events."""
        if name == "CUSTOM":
            return "ALL" in self._names or subclass in self._subclasses
        return name in self._names or "ALL" in self._names

    def deliver(self, event: Event) -> None:
        """An event was fired."""
        if self.closed or not self._passes(event):
            return
        frame = event.json_frame() if self._format == "json" else event.plain_frame()
        if self._busy:
            self._backlog.append(frame)
        elif self.waiting is not None and self.waiting() > QUEUE:
            self.lost += 1
            if self.lost > MAX_LOST:
                self.end()
        else:
            self._send(frame)

    def _passes(self, event: Event) -> bool:
        if not self._filters:
            return True
        passes = False
        for name, value in self._filters:
            if (found := event.get(name)) is None:
                continue
            signs = value[: len(value) - len(value.lstrip("+- "))]
            keeps_out = signs.rstrip(" ").endswith("-")
            if found.lower() == value[len(signs) :].lower():
                if keeps_out:
                    return False
                passes = True
        return passes

    def end(self, farewell: bytes = b"") -> None:
        """The connection is over."""
        if self.closed:
            return
        if farewell:
            self._send(farewell)
        self.closed = True
        self._switch.bus.remove(self)
        self._close()

    # -- commands ---------------------------------------------------------------------------------

    def _work(self) -> None:
        while self._frames and not self._busy and not self.closed:
            command, headers, body = self._frames.popleft()
            self._busy = True
            if self._obey(command, headers, body):
                self._settled()

    def _settled(self) -> None:
        """The command is answered: what it caused may go out."""
        self._busy = False
        backlog, self._backlog = self._backlog, []
        for frame in backlog:
            self._send(frame)

    def _obey(self, command: str, headers: dict[str, str], body: str) -> bool:
        """Do one command; False when its answer comes later."""
        low = command.lower()
        if low.startswith(("exit", "...")):
            self._reply("+OK bye")
            self.end(NOTICE)
        elif not self.authorised:
            self._auth(command)
        elif low.startswith("api "):
            return self._api(command[4:])
        elif low.startswith("bgapi "):
            self._bgapi(command[6:], headers)
        elif low.startswith("sendmsg"):
            self._sendmsg(command[7:].strip(" "), headers, body)
        elif low.startswith("event"):
            self._event(command)
        elif low.startswith("nixevent"):
            self._nixevent(command)
        elif low.startswith("noevents"):
            known = bool(self._names or self._subclasses)
            self._names.clear()
            self._subclasses.clear()
            self._reply("+OK no longer listening for events" if known else "-ERR not listening for events")
        elif low.startswith("filter "):
            self._filter(command[7:].strip())
        elif low.startswith("sendevent"):
            self._sendevent(command, headers, body)
        elif low.startswith(("linger", "nolinger", "divert_events")):
            self._reply("-ERR not controlling a session")
        elif low.startswith("log"):
            level = command[3:].strip() or "7"
            self._reply(f"+OK log level {level} [{level}]")
        elif low.startswith("nolog"):
            self._reply("+OK no longer logging")
        else:
            self._reply("-ERR command not found")
        return True

    def _auth(self, command: str) -> None:
        if not command.lower().startswith("auth "):
            self._reply("-ERR command not found")
        elif command[5:] == self._password:
            self.authorised = True
            self._reply("+OK accepted")
        else:
            self._reply("-ERR invalid")
            self.end(NOTICE)

    def _api(self, text: str) -> bool:
        answer = api.run(self._switch, text)
        if isinstance(answer, str):
            self._answer(answer)
            return True
        pending = [True]

        def came(text: str) -> None:
            self._answer(text)
            if not pending[0]:
                self._settled()
                self._work()

        waiting = _Waiting(came)
        answer.then(waiting)
        pending[0] = False
        return waiting.came

    def _bgapi(self, text: str, headers: dict[str, str]) -> None:
        switch = self._switch
        job = headers.get("job-uuid") or switch.new_uuid()
        self._reply(f"+OK Job-UUID: {job}", f"Job-UUID: {job}\n")
        name, _, argument = text.partition(" ")

        def done(answer: str) -> None:
            extra = {"Job-UUID": job, "Job-Command": name}
            if argument:
                extra["Job-Command-Arg"] = argument
            switch.bus.fire("BACKGROUND_JOB", extra=extra, body=answer)

        def start() -> None:
            answer = api.run(switch, text)
            if isinstance(answer, Later):
                answer.then(done)
            else:
                done(answer)

        switch.clock.after(0.0, start)  # a thread of its own

    def _sendmsg(self, uuid: str, headers: dict[str, str], body: str) -> None:
        uuid = uuid or headers.get("session-id", "")
        channel = self._switch.channels.get(uuid)
        if channel is None or channel.hangup_cause:
            self._reply(f"-ERR invalid session id [{uuid}]")
            return
        kind = headers.get("call-command", "").lower()
        if kind in ("unicast", "xferext", "nomedia"):
            self._reply("-ERR not simulated")
            return
        if kind == "hangup":
            channel.command(Command("hangup", arg=cause_named(headers.get("hangup-cause", ""))))
        else:
            argument = headers.get("execute-app-arg", "")
            if not argument and headers.get("content-type", "").lower() == "text/plain":
                argument = body
            channel.command(
                Command(
                    kind,
                    headers.get("execute-app-name", ""),
                    argument,
                    headers.get("event-uuid", ""),
                    headers.get("event-uuid-name", ""),
                    lock=_true(headers.get("event-lock", "")),
                    loops=integer(headers["loops"]) if "loops" in headers else 1,
                )
            )
        self._reply("+OK")

    def _event(self, command: str) -> None:
        words = command[5:].split()
        form = words[0].lower() if words else ""
        if form in ("plain", "json", "xml"):
            words = words[1:]
        else:
            form = "plain"
        if form == "xml":
            self._reply("-ERR xml events are not simulated")
            return
        names, subclasses = _named(words)
        if not names and not subclasses:
            self._reply("-ERR no keywords supplied")
            return
        self._format = form
        self._names |= names
        self._subclasses |= subclasses
        self._reply(f"+OK event listener enabled {form}")

    def _nixevent(self, command: str) -> None:
        names, subclasses = _named(command[8:].split())
        if not names and not subclasses:
            self._reply("-ERR no keywords supplied")
            return
        if "ALL" in names:
            self._names.clear()
            self._subclasses.clear()
        elif "ALL" in self._names:
            self._names = set(EVENT_NAMES) - names
        self._names -= names
        self._subclasses -= subclasses
        self._reply("+OK events nixed")

    def _filter(self, text: str) -> None:
        words = text.split(" ", 1)
        if words[0] == "delete" and len(words) > 1:
            name, _, value = words[1].partition(" ")
            if name == "all":
                self._filters.clear()
            self._filters = [one for one in self._filters if one[0] != name or (value and one[1] != value)]
            self._reply(f"+OK filter deleted. [{name}][{value}]")
            return
        if words[0] == "add" and len(words) > 1:
            words = words[1].split(" ", 1)
        if len(words) < 2:
            self._reply("-ERR invalid syntax")
            return
        self._filters.append((words[0], words[1]))
        self._reply(f"+OK filter added. [{words[0]}]=[{words[1]}]")

    def _sendevent(self, command: str, headers: dict[str, str], body: str) -> None:
        words = command.split()
        name = words[1] if len(words) > 1 else "CUSTOM"
        if name not in EVENT_NAMES:
            self._reply("-ERR invalid event")
            return
        subclass = headers.get("event-subclass", "")
        extra = {key: value for key, value in headers.items() if key != "event-subclass"}
        self._switch.bus.fire(name, extra=extra, body=body or None, subclass=subclass)
        self._reply(f"+OK {self._switch.new_uuid()}")


class _Waiting:
    """Remembers whether the answer came at once."""

    def __init__(self, function: Callable[[str], None]) -> None:
        self._function = function
        self.came = False

    def __call__(self, text: str) -> None:
        self.came = True
        self._function(text)


def _named(words: list[str]) -> tuple[set[str], set[str]]:
    """Event names, and what follows CUSTOM: subclasses. Unknown names are passed over."""
    names: set[str] = set()
    subclasses: set[str] = set()
    custom = False
    for word in words:
        if custom:
            subclasses.add(word)
        elif word.upper() == "CUSTOM":
            custom = True
        elif word.upper() == "ALL" or word.upper() in EVENT_NAMES:
            names.add(word.upper())
    if custom and not subclasses:
        names.add("CUSTOM")
    return names, subclasses


def _true(text: str) -> bool:
    return text.lower() in ("yes", "on", "true", "t", "enabled", "active", "allow", "1")
