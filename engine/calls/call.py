"""A live call: one caller's leg, the greenlet that leads it, and what can be done to it.

Everything a flow does to the switch goes through the verbs here. They run in the call's own greenlet, which
waits on one mailbox: the caller's leg's. A verb that waits for one thing keeps what else arrives (keys,
news of the queue) for whoever asks next, and raises :class:`~engine.errors.HungUp` as soon as the caller is gone.

Commands whose results nobody waits for are gathered and sent together with the next one that somebody
waits for: a step that awaits the switch costs it a frame of 20 ms, a step that doesn't costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from engine.calls import state as place
from engine.calls.leg import Leg
from engine.calls.signals import Answered, Done, Gone, Key, Signal
from engine.clock import Empty
from engine.errors import CommandTimeout, HungUp, NotConnected, SwitchError
from engine.esl import commands
from engine.esl.commands import Command
from engine.types import CallState, CallView, JournalEntry, PartyView

if TYPE_CHECKING:
    from engine.calls.registry import Calls

log = structlog.get_logger(__name__)

KEYS = 64
"""Keys pressed ahead that are kept; who presses more has lost the way."""

OUTAGE_LIMIT = 60.0
"""Seconds that a call waits for a lost event socket before its flow goes the way of a failed step."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a caller keyed. ``digits`` is None when nothing (or too little) came in time."""

    digits: str | None
    terminator: str = ""


class Abandon(BaseException):
    """This engine must let go of the call without touching it: another engine leads, or the switch took it back.

    No ``Exception``, so that a plugin's ``except Exception`` can't hold on to a call that isn't ours.
    """


class Call:
    """A caller's call. Made by the registry, led by one greenlet, gone when the caller's leg is."""

    __slots__ = (
        "_ahead",
        "_batch",
        "_calls",
        "_keys",
        "abandoned",
        "adopted",
        "agent",
        "agent_leg",
        "agents",
        "answered",
        "arrived",
        "asked",
        "asks",
        "away",
        "block",
        "callback",
        "came_to",
        "cause",
        "dialled",
        "ended_by",
        "fault",
        "first_flow",
        "flow",
        "flow_hash",
        "greenlet",
        "handed_over",
        "hidden",
        "language",
        "leg",
        "moves",
        "name",
        "number",
        "onward",
        "origin",
        "party",
        "popped",
        "promise",
        "queue",
        "recording",
        "resumed",
        "revision",
        "state",
        "step",
        "talk",
        "talked",
        "talker",
        "told",
        "transferred",
        "waited",
        "withheld",
    )

    def __init__(self, calls: Calls, leg: Leg, *, number: str, dialled: str, name: str, origin: str) -> None:
        self._calls = calls
        self._ahead = 0.0  # seconds of sound that was sent and that nobody waits for
        self._batch: list[Command] = []
        self._keys = ""  # the last KEYS that were pressed, while they are listened for
        self.leg = leg
        self.number = number
        self.dialled = dialled
        self.name = name
        self.origin = origin  # "internal" for a company's own phone, else the trunk's name
        self.arrived: datetime = calls.clock.now()
        self.answered: datetime | None = None
        self.state = CallState.RINGING
        self.flow = ""
        self.flow_hash = ""
        self.revision = 0
        self.block = ""
        self.step = ""
        self.language = ""
        self.queue = ""
        self.agent = ""
        self.agent_leg = ""
        self.recording = ""
        self.promise: Mapping[str, Any] = {}  # of a callback that kept a place: what its CDR says of it
        self.callback = ""  # the callback that this call keeps: we dialled it
        self.came_to = (
            ""  # of such a call without a talk: a key was pressed ("declined"), nobody was free ("nobody")
        )
        self.asks = ""  # the flow that an agent hears by this call, and whose caller it has on hold
        self.transferred = ""  # whom the flow last connected it with: a number, an extension
        self.cause = ""
        self.told: Mapping[str, Any] = {}  # for the agent's desk
        self.popped: Mapping[str, Any] = {}  # what plugins add to that
        self.party: PartyView | None = None  # who calls, once that is known
        self.hidden = False  # nobody is to be shown who calls
        self.withheld: tuple[str, str] | None = (
            None  # number and name, in this memory only: see flows/identity
        )
        self.waited = 0.0  # seconds in queues
        self.talked = 0.0  # seconds with agents
        self.agents: dict[str, float] = {}  # with each of them: agent (or extension, number) -> seconds
        self.talker = ""  # the agent among them who was the last
        self.moves: list[dict[str, str]] = []  # transfers and conferences, in order: how, from whom, to whom
        self.asked: list[
            dict[str, Any]
        ] = []  # who was asked about it: by whom, who, from which queue, seconds
        self.away: tuple[str, ...] = ()  # sites whose agents must not have it
        self.talk: Any = None  # the talk that goes on, or was last: engine.calls.talk.Talk
        self.onward: Any = None  # where the call is to go when that talk is over: engine.calls.talk.Target
        self.resumed: Resumption | None = None
        self.greenlet: Any = None
        self.first_flow = ""
        self.fault = ""  # why the flow could not go on
        self.ended_by = ""  # caller, flow (or an operator), switch
        self.abandoned = False  # hung up while waiting in a queue
        self.handed_over = False  # the switch's fallback took it
        self.adopted = 0  # how many engines took this call over

    # -- facts --------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The UUID of the caller's channel."""
        return self.leg.uuid

    def view(self) -> CallView:
        """A snapshot for the board, the commands and the hooks."""
        return CallView(
            id=self.id,
            number=self.number,
            dialled=self.dialled,
            state=self.state,
            flow=self.flow,
            block=self.block,
            step=self.step,
            language=self.language,
            queue=self.queue,
            agent=self.agent,
            began=self.arrived,
            answered=self.answered,
            revision=self.revision,
            flow_hash=self.flow_hash,
            recording=self.recording,
            name=self.name,
            told=self.told,
            party=self.party,
            popped=self.popped,
            asked_by=self.talk.asked_by if self.talk is not None else "",
        )

    def journal(self, kind: str, **data: Any) -> None:
        """Write one row of what happened to this call."""
        self._calls.journal(
            JournalEntry(
                at=self._calls.clock.now(),
                kind=kind,
                call=self.id,
                agent=self.agent,
                queue=self.queue,
                data=data,
            )
        )

    def become(self, state: CallState, **data: Any) -> None:
        """Enter ``state`` (journalled when it is another than the present one)."""
        if state is not self.state:
            self.state = state
            self.journal(f"call.{state}", **data)

    # -- sending ------------------------------------------------------------------------------------

    def later(self, *batch: Command) -> None:
        """Send with the next thing that is sent: nobody waits for these."""
        self._batch.extend(batch)

    def flush(self) -> None:
        """Send what was gathered. Waits while the event socket is down; HungUp when the caller is gone."""
        if self.leg.gone is not None:
            self._batch.clear()
            raise HungUp(self.leg.gone)
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        self._calls.post(self, batch)

    def ask(self, command: Command, limit: float = 5.0) -> str:
        """Send ``command`` and wait for the switch's answer; :class:`SwitchError` when it refuses."""
        self.flush()
        return self._calls.ask(command, limit)

    # -- waiting ------------------------------------------------------------------------------------

    def next_signal(self, limit: float | None = None) -> Signal | object | None:
        """The next thing that happened to the caller's leg or to its place in a queue; None after ``limit`` s.

        News of a place comes through the same mailbox (see the queue step). Raises HungUp when it is the
        end. Keys are kept for :meth:`take_keys` as well.
        """
        self.flush()
        try:
            signal: Signal | object = self.leg.inbox.get(limit)
        except Empty:
            return None
        if isinstance(signal, Gone):
            raise HungUp(signal.cause)
        if isinstance(signal, Key):
            self._keys = (self._keys + signal.digit)[-KEYS:]
        elif isinstance(signal, Answered) and self.answered is None:
            self.note_answered()
        return signal

    def rest(self, seconds: float) -> None:
        """Let ``seconds`` pass, as long as the caller is there."""
        clock = self._calls.clock
        end = clock.monotonic() + seconds
        while (left := end - clock.monotonic()) > 0:
            self.next_signal(left)

    def wait_done(self, event_uuid: str, limit: float) -> Done:
        """Wait until the application sent with ``event_uuid`` has ended.

        A result that was lost with the connection comes back as ``Done(lost=True)``; so does one that is not
        there after ``limit`` seconds (a lost event), after which nothing more is expected of it.
        """
        clock = self._calls.clock
        end = clock.monotonic() + limit
        while True:
            signal = self.next_signal(end - clock.monotonic())
            if signal is None:
                self.leg.awaited.discard(event_uuid)
                log.warning("switch.result_lost", call=self.id, event_uuid=event_uuid, limit=limit)
                return Done(event_uuid, lost=True)
            if isinstance(signal, Done) and signal.event_uuid == event_uuid:
                return signal

    def take_keys(self) -> str:
        """The keys pressed since the last time, oldest first (only while :meth:`listen_for_keys` is on)."""
        keys, self._keys = self._keys, ""
        return keys

    def keys_meanwhile(self) -> str:
        """The keys that came while something else than a signal was waited for (a prompt that was rendered)."""
        while len(self.leg.inbox):
            self.next_signal(0.0)
        return self.take_keys()

    def listen_for_keys(self, on: bool) -> None:
        """Whether key presses outside a digit collection are kept."""
        self.leg.wants_keys = on
        if not on:
            self._keys = ""

    # -- verbs --------------------------------------------------------------------------------------

    def answer(self) -> None:
        """Answer the call; nothing waits for it."""
        if not (self.leg.answered or self.leg.answering):
            self.later(commands.answer(self.id))
            self.note_answered()
            self.leg.answering = True

    def note_answered(self) -> None:
        """Remember the moment of the answer."""
        if self.answered is None:
            self.answered = self._calls.clock.now()
            self.become(CallState.FLOW)

    def save(self, state: Mapping[str, Any]) -> None:
        """Put the call's place in its flow on its channel (see ``engine.calls.state``)."""
        self.later(commands.uuid_setvar(self.id, place.VARIABLE, place.encode(state)))

    def new_event_uuid(self) -> str:
        """A name for an execute that will be awaited."""
        return self._calls.new_event_uuid()

    def start(self, application: str, argument: str = "", *, lock: bool = True, event_uuid: str = "") -> str:
        """Start an application whose end will be awaited; answers its Event-UUID."""
        if application in commands.NOT_TOLD:
            raise ValueError(f"the end of {application} is not delivered: see commands.NOT_TOLD")
        event_uuid = event_uuid or self._calls.new_event_uuid()
        self.leg.awaited.add(event_uuid)
        if not lock:
            self.leg.music = event_uuid
        self.later(commands.execute(self.id, application, argument, event_uuid=event_uuid, lock=lock))
        return event_uuid

    def run(self, application: str, argument: str = "") -> None:
        """Run an application that takes no time (set, record_session …) without waiting for it."""
        self.later(commands.execute(self.id, application, argument))

    def play(self, playback: str, seconds: float, *, event_uuid: str = "") -> None:
        """Play ``playback`` to its end. ``seconds`` is how long it is, from which the limit follows."""
        event_uuid = self.start("playback", playback, event_uuid=event_uuid)
        if self.wait_done(event_uuid, seconds + 15.0).lost:
            # The connection was away meanwhile; nobody knows what the caller heard: once more.
            self.stop_sound()
            self.wait_done(self.start("playback", playback), seconds + 15.0)

    def play_ahead(self, playback: str, seconds: float) -> None:
        """Send ``playback`` and go on: nobody waits for its end: a collection (:meth:`collect`) comes at once and is
        held behind it by the switch's lock. That spares the switch an answer and the caller a frame of silence."""
        self.later(commands.execute(self.id, "playback", playback, event_uuid=commands.UNHEARD, lock=True))
        self._ahead += seconds

    def play_until_key(
        self, playback: str, seconds: float, *, event_uuid: str = "", ignore: str = "", settle: float = 0.0
    ) -> str:
        """Play ``playback`` until its end or a key; answers the keys pressed meanwhile. The first key does not
        count when it is ``ignore``. With ``settle`` no key counts that comes within so many seconds of the one before
        it (the first: of the beginning), and it is not over until so long none has come."""
        self.listen_for_keys(True)
        event_uuid = self.start("playback", playback, event_uuid=event_uuid)
        clock = self._calls.clock
        end = clock.monotonic() + seconds + 15.0
        stopped = over = False
        quiet = clock.monotonic() + settle  # from then on a key counts
        while not (over and (stopped or clock.monotonic() >= quiet)):
            signal = self.next_signal((min(quiet, end) if over else end) - clock.monotonic())
            if isinstance(signal, Key) and (
                signal.digit == ignore or (clock.monotonic() < quiet and not stopped)
            ):
                self._keys = self._keys[:-1]
                quiet = clock.monotonic() + settle
            elif isinstance(signal, Key) and not stopped:
                stopped = True
                self.later(commands.uuid_break(self.id))
            elif signal is None:
                break
            elif isinstance(signal, Done) and signal.event_uuid == event_uuid:
                over = True
            ignore = "" if isinstance(signal, Key) else ignore
        self.leg.awaited.discard(event_uuid)
        keys = self.take_keys()
        self.listen_for_keys(False)
        return keys

    def wait_behind(self, limit: float) -> None:
        """Wait until whatever runs under the lock (a prompt that an earlier engine started) is over."""
        self.wait_done(self.start(*commands.PROBE), limit)

    def collect(self, request: commands.Digits, *, event_uuid: str, limit: float) -> Collected | None:
        """Play a prompt and collect digits. None: the result was lost and the step should ask again."""
        limit, self._ahead = limit + self._ahead, 0.0
        self.start("play_and_get_digits", request.argument(), event_uuid=event_uuid)
        return self._collected(event_uuid, limit)

    def collected(self, event_uuid: str, limit: float) -> Collected | None:
        """The result of a collection that an earlier engine began, whether it is under way or over.

        Behind it goes a probe under the same Event-UUID, which the lock holds back until the collection is over:
        whichever of the two ends is heard first carries the digits, for the switch clears their variable when a
        collection begins, and it began in the same write as the state that names it.
        """
        self.start(*commands.PROBE, event_uuid=event_uuid)
        return self._collected(event_uuid, limit)

    def _collected(self, event_uuid: str, limit: float) -> Collected | None:
        done = self.wait_done(event_uuid, limit)
        return None if done.lost else Collected(done.digits, done.terminator)

    def wait_parked(self, limit: float) -> None:
        """Wait until the switch has parked the caller's leg, or until ``limit`` seconds are up."""
        clock = self._calls.clock
        end = clock.monotonic() + limit
        self.flush()
        while not self.leg.parked and (left := end - clock.monotonic()) > 0:
            self.next_signal(left)

    def stop_sound(self) -> None:
        """End whatever is playing, and everything nested in it."""
        self.later(commands.uuid_break(self.id, all=True))

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        """End the call. The end itself arrives as HungUp."""
        self.ended_by = self.ended_by or "flow"
        self.later(commands.uuid_kill(self.id, cause))
        self.flush()

    def wait_gone(self, limit: float = 5.0) -> None:
        """Wait for the caller's leg to end; returns, rather than raises, when it has (or when ``limit`` is up)."""
        clock = self._calls.clock
        end = clock.monotonic() + limit
        try:
            while self.next_signal(end - clock.monotonic()) is not None:
                pass
        except HungUp as gone:
            self.cause = gone.cause


@dataclass(frozen=True, slots=True)
class Resumption:
    """What an adopted call was found in: the decoded state and the facts of the channel at that moment."""

    state: Mapping[str, Any] | None  # None: there was none, or it could not be read
    bridged_to: str  # the agent's leg that it talks to, ""
    agent_legs: tuple[tuple[str, str], ...]  # legs that were made for this call, with their agents
    parked: bool
    variables: Mapping[str, str]


__all__ = [
    "Abandon",
    "Call",
    "Collected",
    "CommandTimeout",
    "NotConnected",
    "Resumption",
    "SwitchError",
]
