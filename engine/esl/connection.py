"""The engine's connection to a switch: greenswitch's InboundESL with what it needs to run for years.

greenswitch 0.0.19 stays the interface (``connect send stop register_handle unregister_handle``, ``with``);
the eight flaws of its inside are mended by replacing the inside: bytes go through :mod:`engine.esl.wire`,
a life of a socket is a :class:`~engine.esl.link.Link`, and this class keeps one alive:

    connect ─> greeting ─> auth ─> Core-UUID ─> event json … ─> on_up ─> snapshot at 0 s and at 1 s
       ^                                                            │ heartbeat after 4 s of silence
       └── back-off with jitter <── on_down <── lost, for any reason ┘

Time is the clock's throughout, so that all of it runs on a virtual one.
"""

from __future__ import annotations

import random
import socket
import uuid as uuids
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gevent
import orjson
import structlog
from gevent import monkey
from greenswitch.esl import InboundESL, NotConnectedError

from engine.clock import Clock, TimeUp
from engine.errors import CommandRefused, CommandTimeout, HungUp, NotConnected, SwitchError
from engine.esl import commands
from engine.esl.commands import Command
from engine.esl.compat import Handlers, typed_by_hand
from engine.esl.events import Event, Job, Reply
from engine.esl.link import Link, Transport, Waiting
from engine.esl.wire import (
    DISCONNECT,
    EVENT_JSON,
    EVENT_PLAIN,
    LOG_DATA,
    Frame,
    Limits,
    WireError,
    parse_json,
    parse_plain,
)

__all__ = ["EVENTS", "Backoff", "Connection", "Event", "Job", "Reply", "Transport"]

log = structlog.get_logger(__name__)

#: What the engine follows calls, phones and jobs by. Subclasses of CUSTOM stand by their own names.
EVENTS = (
    "CHANNEL_PARK",
    "CHANNEL_ANSWER",
    "CHANNEL_EXECUTE_COMPLETE",
    "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE",
    "CHANNEL_HANGUP",
    "CHANNEL_HANGUP_COMPLETE",
    "DTMF",
    "PLAYBACK_STOP",
    "RECORD_STOP",
    "BACKGROUND_JOB",
    "HEARTBEAT",
    "il::key",
    "sofia::register",
    "sofia::unregister",
    "sofia::expire",
    "sofia::gateway_state",
)

GATHER = 0.004
"""Seconds that the socket of a busy switch is left alone between two reads: it works in frames of 20 ms itself."""


class _Refused(NotConnected):
    """The switch answered, and does not want us."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the next try, in seconds: ``first``, then ``factor`` times more up to ``most``,
    each shortened by up to ``jitter`` of itself so that many engines don't come back at once."""

    first: float = 0.25
    factor: float = 2.0
    most: float = 5.0
    jitter: float = 0.5
    steady: float = 5.0  # a connection that held this long starts the row anew

    def delay(self, failures: int, dice: random.Random) -> float:
        """The wait after that many failures in a row (1 is the first)."""
        full = min(self.most, self.first * self.factor ** min(failures - 1, 32))
        return full * (1 - self.jitter * dice.random())


class Connection(InboundESL):  # type: ignore[misc]  # greenswitch has no types
    """One switch's event socket, kept alive. See ``start`` and ``wait_up``; several greenlets may send at once.

    ``up``: logged in and subscribed. ``core_uuid``: the running switch; another one means that it restarted
    and every channel is gone. ``error``: why the last try failed, ``""`` while it is up. ``malformed``: events
    that could not be read and were left out.
    """

    def __init__(
        self,
        host: str,
        port: int,
        password: str,
        timeout: float = 5.0,
        *,
        clock: Clock | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_up: Callable[[str, bool], None] | None = None,
        on_down: Callable[[str], None] | None = None,
        on_snapshot: Callable[[list[dict[str, str]], int], None] | None = None,
        connect: Callable[[], Transport] | None = None,
        events: Sequence[str] = EVENTS,
        without: Sequence[tuple[str, str]] = (),
        reply_timeout: float = 5.0,
        heartbeat: float | None = 4.0,
        backoff: Backoff | None = None,
        seed: int = 0,
        limits: Limits | None = None,
    ) -> None:
        """``timeout`` limits a connection attempt, ``reply_timeout`` the wait for a reply (seconds both);
        after ``heartbeat`` seconds of silence the switch is asked for a sign of life.

        ``on_event`` runs in the reader's greenlet, in the order of arrival, and must not block; ``on_up(core
        UUID, restarted)`` and ``on_down(reason)`` in the keeper's, and no event is delivered before ``on_up``
        returned, so it must not wait for one; ``on_snapshot(rows of show channels, pass 1 or 2)`` in its own.
        ``connect`` makes a transport; without it, a TCP socket to host and port. ``events`` are subscribed to
        as JSON, always with BACKGROUND_JOB; none at all (``()``) also means that no job is ever heard of. Of
        these, what has a (header, value) of ``without`` is kept back: the switch neither copies nor writes it.
        """
        if connect is None and not monkey.is_module_patched("socket"):
            # One blocking read would stop every call in the engine.
            raise RuntimeError("gevent has not patched socket: patch before any other import")
        super().__init__(host, port, password, timeout)
        self.up = False
        self.core_uuid = ""
        self.error = ""
        self.malformed = 0
        self.reconnects = 0
        self._clock = clock or Clock()
        self._on_event = on_event
        self._on_up = on_up
        self._on_down = on_down
        self._on_snapshot = on_snapshot
        self._make = connect or self._tcp
        self._gather = GATHER if connect is None else 0.0
        self._events = tuple(dict.fromkeys((*events, "BACKGROUND_JOB"))) if events else ()
        self._without = tuple(without)
        self._reply_timeout = reply_timeout
        self._heartbeat = heartbeat
        self._backoff = backoff or Backoff()
        self._dice = random.Random(seed)
        self._limits = limits
        self._link: Link | None = None
        self._keeper: gevent.Greenlet[..., Any] | None = None
        self._stopping = self._clock.event()
        self._went_up = self._clock.event()
        self._tried = self._clock.event()  # a try ended, well or not
        self._refused_password = False
        self._connecting = False
        self._early: list[Event] | None = None  # held back until on_up returned
        self._jobs: dict[str, Job] = {}
        self._executions: dict[str, tuple[str, Callable[[Event | None], None]]] = {}
        self._handlers = Handlers(self._clock, self.event_handlers)

    # -- life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect in the background and stay connected until :meth:`stop`. Returns at once."""
        if self._keeper is None:
            self._stopping.clear()
            self._keeper = self._clock.spawn(self._keep)

    def wait_up(self, timeout: float | None = None) -> bool:
        """Wait until it is up; False when ``timeout`` seconds passed first."""
        return self._went_up.wait(timeout)

    def stop(self) -> None:
        """Say goodbye and end; afterwards nothing is called back. May be started again."""
        self._end(goodbye=True)

    def abandon(self) -> None:
        """End without a goodbye, as the death of the process would."""
        self._end(goodbye=False)

    def _end(self, *, goodbye: bool) -> None:
        keeper, link = self._keeper, self._link
        self._stopping.set()
        if keeper is not None and self._connecting:
            keeper.kill()  # a host that does not answer would hold us up for the whole time limit
        if goodbye and link is not None and self.connected and gevent.getcurrent() is not link.reader:
            self._goodbye(link)
        if link is not None:
            link.close("stopped")
        if keeper is not None and keeper is not gevent.getcurrent():
            keeper.join()
        self._keeper = None
        self._handlers.stop()

    def _goodbye(self, link: Link) -> None:
        try:
            with self._clock.timeout(1.0) as limit:
                link.ask(commands.exit_())
        except TimeUp as up:
            if up is not limit:
                raise
            log.debug("esl.goodbye_unheard", switch=self._name)
        except SwitchError as error:
            log.debug("esl.goodbye_failed", switch=self._name, error=str(error))

    # -- sending ------------------------------------------------------------------------------------------

    def request(self, command: Command, timeout: float | None = None) -> Reply:
        """Send a command and wait for the switch's reply, whatever it says.

        :class:`NotConnected` when there is no connection or it is lost meanwhile (whether the command took
        effect is then unknown), :class:`CommandTimeout` when there is no reply within ``timeout`` seconds of
        its turn; the connection is then out of step, is closed and made anew.
        """
        return self._ready().ask(command, timeout)

    def api(self, command: Command, timeout: float | None = None) -> str:
        """The answer to an API command; :class:`CommandRefused` when it is ``-ERR …`` or ``-USAGE …``."""
        reply = self.request(command, timeout)
        if not reply.ok:
            raise CommandRefused(command.name, reply.text)
        return reply.text

    def post(self, *batch: Command, on_error: Callable[[Command, str], None] | None = None) -> None:
        """Send commands together, in order, without waiting: one write, safe from any greenlet and callback.

        ``on_error(command, text)`` is called in the reader's greenlet for each that the switch refuses, or
        that was lost with the connection; without it they are logged. :class:`NotConnected` at once.
        """

        def waiting(command: Command) -> Waiting:
            def finish(reply: Reply | None, error: SwitchError | None) -> None:
                if reply is not None and reply.ok:
                    return
                text = reply.text if reply is not None else str(error)
                if on_error is not None:
                    on_error(command, text)
                else:
                    log.warning("esl.post_refused", command=command.name, reply=text)

            return Waiting(command, finish)

        self._ready().send(*map(waiting, batch))

    def bgapi(self, command: Command, on_done: Callable[[str], None] | None = None) -> Job:
        """Run an API command as a background job; does not wait.

        ``on_done(text)`` is called in the reader's greenlet with the answer, or with ``-ERR`` and the reason
        when the connection was lost first: the job itself may then still run on the switch.
        """
        job = Job(self._clock, str(uuids.uuid4()), command.name, on_done)

        def finish(reply: Reply | None, error: SwitchError | None) -> None:
            if reply is None:
                self._jobs.pop(job.uuid, None)
                job.lose(str(error))
            elif not reply.ok:
                self._jobs.pop(job.uuid, None)
                job.finish(reply.text)

        link = self._ready()
        self._jobs[job.uuid] = job
        link.send(Waiting(command.background(job.uuid), finish))
        return job

    def execute(
        self, uuid: str, app: str, arg: str = "", *, lock: bool = True, timeout: float | None = None
    ) -> Event:
        """Run an application on a channel and wait until it is over; gives its CHANNEL_EXECUTE_COMPLETE.

        It is told from others by its Application-UUID, never by its name. :class:`HungUp` when the channel
        ends first, :class:`CommandTimeout`, :class:`NotConnected`. For scripts and tests: the engine's calls
        wait for several things at once and do their own.
        """
        box = self._clock.queue()
        execution = str(uuids.uuid4())
        self._executions[execution] = (uuid, box.put)
        try:
            reply = self.request(commands.execute(uuid, app, arg, event_uuid=execution, lock=lock))
            if not reply.ok:
                raise CommandRefused(f"execute {app}", reply.text)
            link = self._link
            with self._clock.timeout(timeout) as limit:
                try:
                    event: Event | None = box.get()
                except TimeUp as up:
                    if up is not limit:
                        raise
                    raise CommandTimeout(f"{app}: not over within {timeout:g} s") from None
            if event is None:
                raise NotConnected(f"{app}: {link.reason if link else self.error}")
            if event.name != "CHANNEL_EXECUTE_COMPLETE":
                raise HungUp(event.get("Hangup-Cause") or "NORMAL_CLEARING")
            return event
        finally:
            self._executions.pop(execution, None)

    # -- greenswitch's interface --------------------------------------------------------------------------

    def connect(self) -> None:
        """Connect and wait until it is up, as greenswitch does: NotConnectedError or ValueError when the first
        try fails (and no further is made)."""
        if self.up:
            return
        self._tried.clear()
        self.start()
        self._tried.wait()
        if not self.up:
            error, refused = self.error, self._refused_password
            self.stop()
            raise ValueError("Invalid password.") if refused else NotConnectedError(error)

    def send(self, data: str) -> Reply:
        """Send a command as text and wait for its reply. What would be a second command is refused
        (:class:`UnsafeText`); ``NotConnectedError`` while there is no connection."""
        command = typed_by_hand(data)
        try:
            return self.request(command)
        except NotConnected as error:
            raise NotConnectedError(str(error)) from None

    def start_event_handlers(self) -> None:
        """Nothing: handlers get their greenlet with the first event that one of them wants."""

    def authenticate(self) -> None:
        """Nothing: :meth:`connect` has logged in."""

    # -- the keeper ---------------------------------------------------------------------------------------

    def _keep(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = self._clock.monotonic()
            link: Link | None = None
            was_up = False
            try:
                link = self._open()
                if self._stopping.is_set():
                    raise NotConnected("stopped")
                self._greet(link)
                was_up = True
                self._tried.set()
                self._watch_over(link)
                reason = link.reason
            except (SwitchError, OSError) as error:
                # A refusal says more than the goodbye that follows it; a lost link more than what it broke.
                reason = str(error) or type(error).__name__
                if link is not None:
                    if not isinstance(error, _Refused):
                        reason = link.reason or reason
                    link.close(reason)
            except Exception as error:  # a fault of ours, or of `connect`: it must not end all trying
                log.exception("esl.keeper_failed", switch=self._name)
                reason = f"{type(error).__name__}: {error}"
                if link is not None:
                    link.close(reason)
            if was_up and self._clock.monotonic() - began >= self._backoff.steady:
                failures = 0
            failures += 1
            self._down(link, reason, first=failures == 1, was_up=was_up)
            self._tried.set()
            if self._stopping.wait(self._backoff.delay(failures, self._dice)):
                return
            self.reconnects += 1

    def _open(self) -> Link:
        self._refused_password = False
        self._connecting = True
        try:
            with self._clock.timeout(self.timeout) as limit:
                transport = self._make()
        except TimeUp as up:
            if up is not limit:
                raise
            raise NotConnected(f"no connection to {self._name} within {self.timeout:g} s") from None
        except OSError as error:
            raise NotConnected(f"no connection to {self._name}: {error.strerror or error}") from None
        finally:
            self._connecting = False
        self.sock = transport
        self._early = []
        self._link = Link(
            transport,
            self._clock,
            self._frame,
            reply_timeout=self._reply_timeout,
            limits=self._limits,
            gather=self._gather,
        )
        return self._link

    def _greet(self, link: Link) -> None:
        if not link.greeted.wait(self._reply_timeout):
            raise NotConnected(f"{self._name} accepted the connection and said nothing")
        reply = link.ask(commands.auth(self.password))
        if not reply.text.startswith("+OK"):
            self._refused_password = True
            raise _Refused(f"{self._name} refused the password")
        self.connected = True
        core = link.ask(commands.global_getvar("core_uuid")).text
        if self._events:
            for command in (*self._filters(core), commands.event_json(*self._events)):
                if not (reply := link.ask(command)).ok:
                    raise _Refused(f"{self._name} refused the subscription: {reply.text}")
        restarted = bool(self.core_uuid) and core != self.core_uuid
        self.core_uuid, self.error, self.up = core, "", True
        log.info("esl.up", switch=self._name, core_uuid=core, restarted=restarted)
        self._call(self._on_up, core, restarted)
        early, self._early = self._early or [], None
        for event in early:
            self._call(self._on_event, event)
        self._went_up.set()
        if self._on_snapshot is not None:
            self._clock.spawn(self._snapshots, link)

    def _filters(self, core: str) -> list[commands.Command]:
        """Everything of this switch, without what is kept back: what the switch looks up in every event."""
        if not self._without:
            return []
        kept_back = [commands.only(header, f"-{value}") for header, value in self._without]
        return [commands.only("Core-UUID", core), *kept_back]

    def _watch_over(self, link: Link) -> None:
        """Until the link is lost; ask for a sign of life when the switch is silent."""
        while True:
            wait = None
            if self._heartbeat is not None:
                wait = max(0.01, link.heard + self._heartbeat - self._clock.monotonic())
            if link.lost.wait(wait):
                return
            silent = self._clock.monotonic() - link.heard
            if self._heartbeat is not None and silent >= self._heartbeat - 0.001 and not link.waiting:
                link.ask(commands.global_getvar("core_uuid"))

    def _down(self, link: Link | None, reason: str, *, first: bool, was_up: bool) -> None:
        self.connected = self.up = False
        self._went_up.clear()
        self._link = None
        self._early = None
        self.error = reason
        jobs, self._jobs = self._jobs, {}
        for job in jobs.values():
            self._call(job.lose, reason)
        for _, tell in self._executions.values():
            tell(None)
        if self._stopping.is_set():
            return
        # One warning for each outage, however often it is tried.
        (log.warning if first or was_up else log.debug)("esl.down", switch=self._name, reason=reason)
        if was_up:
            self._call(self._on_down, reason)
        self._handlers.put_down(reason)

    def _snapshots(self, link: Link) -> None:
        """``show channels`` lags behind by up to 0.3 s, for new and for gone channels: twice, 1 s apart."""
        try:
            for turn, wait in ((1, 0.0), (2, 1.0)):
                if wait and link.lost.wait(wait):
                    return
                rows = orjson.loads(link.ask(commands.show_channels()).text or "{}").get("rows", [])
                self._call(self._on_snapshot, rows, turn)
        except NotConnected:
            return  # the next connection takes its own
        except (SwitchError, orjson.JSONDecodeError) as error:
            log.warning("esl.snapshot_failed", switch=self._name, error=str(error))

    # -- the reader ---------------------------------------------------------------------------------------

    def _frame(self, frame: Frame) -> None:
        if frame.type == EVENT_JSON or frame.type == EVENT_PLAIN:
            try:
                headers = parse_json(frame.body) if frame.type == EVENT_JSON else parse_plain(frame.body)
            except WireError as error:
                self.malformed += 1
                log.warning("esl.malformed_event", error=str(error))
                return
            self._event(Event(headers))
        elif frame.type == DISCONNECT:
            self._handlers.put("DISCONNECT", Event(dict(frame.headers, _body=frame.text)))
        elif frame.type == LOG_DATA:
            self._handlers.put("log", Event(dict(frame.headers, _body=frame.text)))
        else:
            log.warning("esl.unknown_frame", type=frame.type)

    def _event(self, event: Event) -> None:
        name = event.name
        if name == "BACKGROUND_JOB" and (job := self._jobs.pop(event.get("Job-UUID") or "", None)):
            self._call(job.finish, event.body.removesuffix("\n"))
        elif self._executions:
            self._tell_executions(event)
        if self._early is not None:
            self._early.append(event)
        elif self._on_event is not None:
            try:
                self._on_event(event)
            except Exception:  # the handler's fault is its own
                log.exception("esl.event_handler_failed", name=name)
        if self.event_handlers:
            self._handlers.put(event.subclass if name == "CUSTOM" else name, event)

    def _tell_executions(self, event: Event) -> None:
        if event.name == "CHANNEL_EXECUTE_COMPLETE":
            if waits := self._executions.get(event.get("Application-UUID") or ""):
                waits[1](event)
        elif event.name == "CHANNEL_HANGUP":
            for uuid, tell in self._executions.values():
                if uuid == event.uuid:
                    tell(event)

    # -- small things -------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return f"{self.host}:{self.port}"

    def _ready(self) -> Link:
        if self._link is None or not self.up:
            raise NotConnected(self.error or "not connected")
        return self._link

    def _tcp(self) -> Transport:
        sock = socket.create_connection((self.host, self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _call(self, function: Callable[..., Any] | None, *arguments: object) -> None:
        """A callback's fault is its own: it is logged, and the connection goes on."""
        if function is None:
            return
        try:
            function(*arguments)
        except Exception:
            log.exception("esl.callback_failed", callback=getattr(function, "__qualname__", str(function)))
