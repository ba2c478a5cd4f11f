"""One life of one event socket, from the first byte to the last: reading, writing, and whose reply is whose.

Theory
------
Replies carry no name: the switch answers commands in the order in which it read them. So a command and its
place in the row of those that wait are one step, and everything goes through one writer:

    send() ─> [row of waiting commands] + [bytes to write] ─> the writer's greenlet ─> socket
    socket ─> the reader's greenlet ─> reply: the first in the row │ event: on_frame

- Nobody writes but the writer, so greenlets may send at once and from within the reader: a reader that
  waited for room in the socket, while the switch waited for us to read, would wait for ever.
- The reader never stops reading, and lets others run between two helpings.
- A command that is not answered in time leaves the row out of step with the switch. There is no cure but
  closing. One deadline stands for all: that of the first in the row (those behind it can't be answered
  before it, so theirs is never earlier), and a moment of grace for replies that came while we were away.
- However it ends, it ends once: :meth:`Link.close` gives everybody in the row an error, sets ``lost`` and
  closes the socket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import structlog

from engine.clock import Clock, Timer
from engine.errors import CommandTimeout, NotConnected, SwitchError
from engine.esl.commands import Command
from engine.esl.events import Reply
from engine.esl.wire import (
    API_RESPONSE,
    AUTH_REQUEST,
    COMMAND_REPLY,
    DISCONNECT,
    EVENT_JSON,
    REJECTION,
    Decoder,
    Frame,
    Limits,
    WireError,
)

log = structlog.get_logger(__name__)

# One helping: large enough for a dozen events, small enough (with what is left of the last one) that malloc
# does not map and fault in fresh pages for each; 256 KiB costs 2 us more for an event.
_CHUNK = 96 * 1024
_GRACE = 0.2  # seconds
_TURN = 200  # frames that the reader handles before others get a turn


class Transport(Protocol):
    """What carries the bytes: a socket, or a pipe in memory. ``recv`` gives ``b""`` at the end."""

    def sendall(self, data: bytes, /) -> None: ...
    def recv(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class Waiting:
    """A command in the row. ``finish`` is called once: with a reply, or with the error that took its place."""

    __slots__ = ("command", "deadline", "finish", "sent")

    def __init__(self, command: Command, finish: Callable[[Reply | None, SwitchError | None], None]) -> None:
        self.command = command
        self.finish = finish
        self.deadline = 0.0
        self.sent = 0.0


class Link:
    """A connected transport. ``on_frame`` gets every frame that is neither reply nor greeting, in order."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        on_frame: Callable[[Frame], None],
        *,
        reply_timeout: float,
        limits: Limits | None = None,
        gather: float = 0.0,
    ) -> None:
        """``gather`` (seconds): while much arrives, how long to let it pile up before it is read, so that one turn of
        the hub serves many events and replies. Nobody who waits for a reply waits for that."""
        self.lost = clock.event()
        self.greeted = clock.event()  #: the switch asked for the password
        self.reason = ""  #: why it is lost
        self.heard = clock.monotonic()  #: when something last arrived
        self._clock = clock
        self._transport = transport
        self._on_frame = on_frame
        self._decoder = Decoder(limits)
        self._reply_timeout = reply_timeout
        self._row: deque[Waiting] = deque()
        self._out: list[bytes] = []
        self._wake = clock.event()
        self._watch: Timer | None = None
        self._late: Waiting | None = None  # its deadline has passed, and it is in its grace
        self._notice = ""
        self._gather = gather
        self._asked = 0  # replies that somebody waits for
        self.reader = clock.spawn(self._read)
        self.writer = clock.spawn(self._write)

    @property
    def waiting(self) -> int:
        """Commands that are not answered yet."""
        return len(self._row)

    def send(self, *batch: Waiting, timeout: float | None = None) -> None:
        """Put commands into the row and their bytes on the way, as one write; nothing blocks."""
        if self.lost.is_set():
            raise NotConnected(self.reason)
        now = self._clock.monotonic()
        deadline = now + (self._reply_timeout if timeout is None else timeout)
        if self._row:
            deadline = max(deadline, self._row[-1].deadline)
        for waiting in batch:
            waiting.sent, waiting.deadline = now, deadline
            self._row.append(waiting)
            self._out.append(waiting.command.wire())
        self._wake.set()
        if self._watch is None:
            self._watch = self._clock.after(deadline - now, self._check)

    def ask(self, command: Command, timeout: float | None = None) -> Reply:
        """Send a command and wait for its reply."""
        done = self._clock.event()
        got: list[Reply] = []
        failed: list[SwitchError] = []

        def finish(reply: Reply | None, error: SwitchError | None) -> None:
            if reply is not None:
                got.append(reply)
            if error is not None:
                failed.append(error)
            done.set()

        self._asked += 1
        try:
            self.send(Waiting(command, finish), timeout=timeout)
            done.wait()
        finally:
            self._asked -= 1
        if failed:
            raise failed[0]
        return got[0]

    def close(self, reason: str) -> None:
        """End it. The first reason counts; harmless when it is over already."""
        if self.lost.is_set():
            return
        self.reason = self.reason or reason
        self._end(lambda waiting: NotConnected(f"{waiting.command.name}: {reason}"))

    def _end(self, error: Callable[[Waiting], SwitchError]) -> None:
        if self.lost.is_set():
            return
        self.lost.set()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        row, self._row = self._row, deque()
        self._out.clear()
        self._wake.set()
        self.greeted.set()
        try:
            self._transport.close()
        except OSError as trouble:
            log.debug("esl.close_failed", error=str(trouble))
        for waiting in row:
            self._finish(waiting, None, error(waiting))

    def _check(self) -> None:
        """In the hub, when the first deadline may have passed."""
        self._watch = None
        if not self._row:
            return
        now, first = self._clock.monotonic(), self._row[0]
        if now < first.deadline:
            self._watch = self._clock.after(first.deadline - now, self._check)
            return
        if self._late is not first:
            # If this process itself was held up (a plugin blocked the hub, SIGSTOP), the reply may lie in the
            # socket unread, and this timer be the first to run. Let the reader have a look.
            self._late = first
            self._watch = self._clock.after(_GRACE, self._check)
            return
        late = first.command.name
        self.reason = f"no reply to {late} within {first.deadline - first.sent:g} s"

        def error(waiting: Waiting) -> SwitchError:
            text = f"{waiting.command.name}: {self.reason}"
            return CommandTimeout(text) if waiting is first else NotConnected(text)

        # Not in the hub: what is told of the end may do anything but block there.
        self._clock.spawn(self._end, error)

    def _write(self) -> None:
        while not self.lost.is_set():
            self._wake.wait()
            self._wake.clear()
            self._clock.sleep(0)  # others that the same turn of the hub wakes may have something to say, too
            if not self._out:
                continue
            data = b"".join(self._out)
            self._out.clear()
            try:
                self._transport.sendall(data)
            except OSError as error:
                self.close(f"the connection broke while sending ({error})")

    def _read(self) -> None:
        reason = "the reader stopped"
        try:
            reason = self._read_all()
        except WireError as error:
            reason = str(error)
        except OSError as error:
            reason = f"the connection broke ({error})"
        except Exception as error:  # a fault of ours must not leave a connection that nobody reads
            log.exception("esl.reader_failed")
            reason = f"the reader failed ({type(error).__name__})"
        finally:
            self.close(reason)

    def _read_all(self) -> str:
        decoder, clock, frames = self._decoder, self._clock, 0
        while not self.lost.is_set():
            data = self._transport.recv(_CHUNK)
            if not data:
                decoder.eof()
                return self._notice or "the switch closed the connection"
            before, self.heard = self.heard, clock.monotonic()
            decoder.feed(data)
            while (frame := decoder.next()) is not None:
                if frame.type == EVENT_JSON:
                    self._on_frame(frame)
                else:
                    self._handle(frame)
                frames += 1
                if frames >= _TURN:
                    frames = 0
                    clock.sleep(0)
            if self.heard - before < 2 * self._gather and not self._asked and len(data) < _CHUNK // 4:
                clock.sleep(self._gather)  # unless so much lay there that more does
        return self.reason

    def _handle(self, frame: Frame) -> None:
        kind = frame.type
        if kind in (COMMAND_REPLY, API_RESPONSE):
            if not self._row:
                raise WireError("event socket: a reply to nothing that was asked")
            waiting = self._row.popleft()
            self._finish(waiting, Reply(frame), None)
        elif kind == AUTH_REQUEST:
            self.greeted.set()
        elif kind == REJECTION:
            self.close(f"refused by the switch's access list ({frame.text.strip()})")
        else:
            if kind == DISCONNECT:
                self._notice = "the switch said goodbye"
            self._on_frame(frame)

    def _finish(self, waiting: Waiting, reply: Reply | None, error: SwitchError | None) -> None:
        try:
            waiting.finish(reply, error)
        except Exception:  # whoever waited is at fault; the others must get their replies
            log.exception("esl.reply_handler_failed", command=waiting.command.name)
