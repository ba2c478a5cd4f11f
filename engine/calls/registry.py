"""All live calls and their legs: events in, calls led, nothing lost.

The dispatcher (:meth:`Calls.on_event`) runs in the reader of the event socket, so it never blocks: it
turns an event into a fact of a leg and a signal in its mailbox. A marked channel that parks and is not known
is a new call, and gets its greenlet. What the events did not say (a lost hang-up, calls that an earlier engine
left behind, a socket that was away) the snapshots of the switch say: see :mod:`engine.calls.resync`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import structlog

from engine.calls.call import OUTAGE_LIMIT, Abandon, Call
from engine.calls.keys import APPLICATION as KEY_APPLICATION
from engine.calls.keys import KEY_EVENT, KEY_FIELD, TARGETED, KeyPlan
from engine.calls.leg import Leg
from engine.calls.signals import Answered, Bridged, Done, Gone, Key, Parked, Unbridged
from engine.calls.supervise import Supervision
from engine.calls.talking import Desk
from engine.clock import Clock
from engine.errors import HungUp, NoSuchCall, NotConnected, SwitchError
from engine.esl import commands
from engine.esl.commands import Command
from engine.types import CallState, CallView, JournalEntry

log = structlog.get_logger(__name__)

MARK = "il_call"
OWNER = "il_owner"
AGENT = "il_agent"
CALLBACK = "il_callback"
NUMBER = "il_number"
"""On a leg that we dialled and lead as a call: what for, and whose number it is."""
TIMER = "last_sched_id"
"""The switch's safety net for a call that came in while no engine led: the timer that takes it to the fallback."""
ASKS = "il_asks"
"""On the call by which an agent hears a flow, its caller on hold: ``shop/main~<that caller's call>``."""
FALLBACK_CONTEXT = "fallback"
FELL_BACK = "il_fallback"
"""Set by the fallback: the switch took the call back, and it is the engine's no longer."""

EARLY_KEYS = 20
"""How many keys are kept of a leg whose talk is about to begin: those of a number."""

SWITCH_CAUSES = ("SYSTEM_SHUTDOWN", "LOST", "MEDIA_TIMEOUT", "RECOVERY_ON_TIMER_EXPIRE")
"""Causes for which neither the caller nor the flow ended the call."""

EVENTS = (
    "CHANNEL_PARK",
    "CHANNEL_EXECUTE_COMPLETE",
    "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE",
    "CHANNEL_HANGUP",
    "DTMF",
    "RECORD_STOP",
    "BACKGROUND_JOB",
    "HEARTBEAT",
    "CUSTOM",
    "il::key",
    "sofia::register",
    "sofia::unregister",
    "sofia::expire",
    "sofia::sip_user_state",
    "sofia::gateway_state",
    "spandsp::txfaxresult",
)
"""What the engine subscribes to, and nothing more: each event costs the switch and the engine. An answer is learnt from
the events that come anyway: a caller's from the end of an application, an agent's from its park."""

UNTOLD = (
    *(("Application", name) for name in commands.NOT_TOLD),
    ("Application-UUID", commands.UNHEARD),
)
"""Of these, what is not delivered: the ends of applications that nobody waits for, the dialplan's and the engine's own
(each carries all the variables of its channel)."""


class EventLike(Protocol):
    """The part of :class:`engine.esl.connection.Event` that the dispatcher reads."""

    @property
    def name(self) -> str: ...
    @property
    def uuid(self) -> str: ...
    def get(self, header: str, default: str | None = None) -> str | None: ...
    def var(self, name: str, default: str | None = None) -> str | None: ...


class Line(Protocol):
    """The part of :class:`engine.esl.connection.Connection` that calls are made of."""

    @property
    def up(self) -> bool: ...
    def post(self, *batch: Command, on_error: Callable[[Command, str], None] | None = None) -> None: ...
    def api(self, command: Command, timeout: float | None = None) -> str: ...
    def bgapi(self, command: Command, on_done: Callable[[str], None] | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Expected:
    """Who is to be called back under a call's id that is chosen already: what agents' phones show of it."""

    number: str
    dialled: str = ""
    name: str = ""


class Calls:
    """The registry of live calls on one switch."""

    def __init__(
        self,
        clock: Clock,
        *,
        journal: Callable[[JournalEntry], None],
        lead: Callable[[Call], None],
        ended: Callable[[Call], None],
        max_calls: int = 5000,
        generation: str = "0",
    ) -> None:
        """``lead`` runs in each call's greenlet and leads it to its end; ``ended`` is told when it is over.

        ``generation`` tells this engine's Event-UUIDs from those of engines before it.
        """
        self.clock = clock
        self.journal = journal
        self.line: Line | None = None
        self.leading = False
        self.draining = False
        self.max_calls = max_calls
        self.legs: dict[str, Leg] = {}
        self.calls: dict[str, Call] = {}
        self.expected: dict[str, Expected] = {}  # by the id that their call will have
        self.pledged: set[str] = set()  # owners of legs that are no calls: whom we ring to keep a promise
        self.lease_until = (
            math.inf
        )  # monotonic; beyond it the lease must be confirmed before anything is sent
        self.registrations: Callable[[str, bool], None] | None = None
        self.recorded: Callable[[str, str], None] | None = None  # a recording is complete: leg, file
        self.others: dict[
            str, Callable[[EventLike], None]
        ] = {}  # channels that are no calls: who is told of them
        self.desk: Desk | None = None  # whom talks ask: engine.flows.desk
        self.supervision: Any = Supervision(self)
        self.keys = KeyPlan()  # what agents press during a talk
        self.refused = 0
        self.suspected: dict[str, str] = {}  # by leg: what the last look found wrong
        self.mended = 0  # how often events had not told the truth
        self.taken = 0
        self._lead = lead
        self._ended = ended
        self._generation = generation
        self._numbers = count(1)
        self._may_send = clock.event()

    # -- what others ask ------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self.calls.values()))

    def views(self) -> list[CallView]:
        """All live calls, oldest first."""
        return [call.view() for call in self.calls.values()]

    def get(self, call_id: str) -> Call:
        """The live call ``call_id`` (or the only one whose id begins so); :class:`NoSuchCall`."""
        call = self.calls.get(call_id)
        if call is not None:
            return call
        found = [call for key, call in self.calls.items() if len(call_id) >= 4 and key.startswith(call_id)]
        if len(found) == 1:
            return found[0]
        raise NoSuchCall(f"no live call {call_id!r}")

    def hang_up(self, call_id: str, cause: str = "NORMAL_CLEARING") -> None:
        """End a call from outside of its greenlet."""
        call = self.get(call_id)
        call.ended_by = "operator"
        self.require_line().post(commands.uuid_kill(call.id, cause))

    def new_event_uuid(self) -> str:
        """A name for one execute: short, because the call's state carries it, and never used twice."""
        return f"{self._generation}-{next(self._numbers):x}"

    # -- sending --------------------------------------------------------------------------------------

    def require_line(self) -> Line:
        """The event socket; :class:`NotConnected` while there is none."""
        if self.line is None or not self.line.up:
            raise NotConnected("the event socket is down")
        if self.clock.monotonic() > self.lease_until:
            # This process was stopped, or the hub stood still: another engine may lead by now.
            self._may_send.clear()
            raise NotConnected("the lease must be confirmed first")
        return self.line

    def post(self, call: Call, batch: Sequence[Command]) -> None:
        """Send for ``call``; wait through a short outage of the event socket, then SwitchError."""
        for _ in range(3):
            if call.leg.gone is not None:
                raise HungUp(call.leg.gone)
            try:
                self.require_line().post(*batch, on_error=_refused)
                return
            except NotConnected:
                if not self._may_send.wait(OUTAGE_LIMIT):
                    break
        raise NotConnected("the event socket stayed down")

    def ask(self, command: Command, limit: float) -> str:
        """Ask the switch and wait for its answer; :class:`SwitchError` on ``-ERR`` or silence."""
        return self.require_line().api(command, limit)

    # -- the socket's life ----------------------------------------------------------------------------

    def may_send(self, lease_until: float = math.inf) -> None:
        """The event socket is up and the lease is ours until then: whoever waits may send."""
        self.lease_until = lease_until
        self._may_send.set()

    def line_down(self) -> None:
        """The event socket is gone: calls go on in the switch, and their greenlets wait."""
        self._may_send.clear()

    def switch_restarted(self) -> None:
        """Another Core-UUID: every channel that we knew is gone."""
        for leg in list(self.legs.values()):
            self._gone(leg, "SYSTEM_SHUTDOWN")

    def let_go(self, reason: str) -> None:
        """Let go of every call without touching it (the lease was lost)."""
        for call in list(self.calls.values()):
            if call.handed_over:  # and over, which its greenlet did not hear of while it waited for the lease
                self.handed_over(call, reason)
            else:
                self.release(call, reason)
        self.legs.clear()

    def abandon(self) -> None:
        """End every call's greenlet without a word to anybody, as the process's death would."""
        self.leading = False
        for call in list(self.calls.values()):
            if call.talk is not None:
                call.talk.abandon()
            if call.greenlet is not None:
                call.greenlet.kill(block=False)
        self.calls.clear()
        self.legs.clear()

    def hand_over(self, call: Call) -> None:
        """Give a call to the switch's own fallback and let go of it."""
        self.require_line().post(
            commands.uuid_transfer(call.id, FALLBACK_CONTEXT, "XML", FALLBACK_CONTEXT), on_error=_refused
        )
        self.handed_over(call, "handed over to the fallback")

    def handed_over(self, call: Call, reason: str) -> None:
        """The switch's fallback has this call now: let go of it, and account for it."""
        self.release(call, reason)
        call.handed_over = True
        call.ended_by = "switch"
        call.cause = call.leg.gone or call.cause
        self._ended(call)

    def release(self, call: Call, reason: str) -> None:
        """Let go of one call without touching it: somebody else leads it now."""
        log.warning("call.released", call=call.id, reason=reason)
        call.journal("call.released", reason=reason)
        self.calls.pop(call.id, None)
        self.legs.pop(call.id, None)
        if call.talk is not None:
            call.talk.abandon()
        if call.greenlet is not None:
            call.greenlet.kill(Abandon(reason), block=False)

    # -- events ---------------------------------------------------------------------------------------

    def on_event(self, event: EventLike) -> None:
        """Take one event of the switch. Never blocks."""
        handler = _HANDLERS.get(event.name)
        if handler is not None:
            handler(self, event)
        if self.others and (other := self.others.get(event.uuid)) is not None:
            other(event)

    def _on_execute_complete(self, event: EventLike) -> None:
        leg = self.legs.get(event.uuid)
        if leg is None:
            return
        if event.get("Application") == KEY_APPLICATION and event.get("Application-Data") in TARGETED:
            self._on_key(leg, event.get("Application-Data") or "")
        if not leg.awaited:
            return
        _learn_answer(leg, event)
        event_uuid = event.get("Application-UUID") or ""
        if event_uuid in leg.awaited:
            leg.tell(
                Done(
                    event_uuid,
                    response=event.get("Application-Response") or "",
                    digits=event.var("il_digits"),
                    terminator=event.var("read_terminator_used") or "",
                )
            )

    def _on_park(self, event: EventLike) -> None:
        leg = self.legs.get(event.uuid)
        if leg is not None:
            _learn_answer(leg, event)
            leg.tell(Parked())
        elif event.var(MARK) == "true" and self.leading and event.get("Caller-Context") != FALLBACK_CONTEXT:
            self._arrive(event)

    def _on_bridge(self, event: EventLike) -> None:
        one = event.get("Bridge-A-Unique-ID") or event.uuid
        other = event.get("Bridge-B-Unique-ID") or event.get("Other-Leg-Unique-ID") or ""
        for mine, peer in ((one, other), (other, one)):
            leg = self.legs.get(mine)
            if leg is not None:
                leg.tell(Bridged(peer))

    def _on_unbridge(self, event: EventLike) -> None:
        one = event.get("Bridge-A-Unique-ID") or event.uuid
        other = event.get("Bridge-B-Unique-ID") or event.get("Other-Leg-Unique-ID") or ""
        for mine, peer in ((one, other), (other, one)):
            leg = self.legs.get(mine)
            # A re-bridge may already have joined the leg with another: an old UNBRIDGE says nothing of that.
            if leg is not None and leg.peer == peer:
                leg.tell(Unbridged(peer))

    def _on_hangup(self, event: EventLike) -> None:
        leg = self.legs.get(event.uuid)
        if leg is None:
            return
        call = self.calls.get(event.uuid)
        if call is not None and event.var(FELL_BACK) == "true":
            # The switch took it back while this engine stood still, and its caller is gone meanwhile.
            call.handed_over = True
            call.ended_by = "switch"
        self._gone(leg, event.get("Hangup-Cause") or "NORMAL_CLEARING")

    def _on_dtmf(self, event: EventLike) -> None:
        leg = self.legs.get(event.uuid)
        if leg is not None:
            leg.tell(Key((event.get("DTMF-Digit") or "")[:1]))

    def _on_record_stop(self, event: EventLike) -> None:
        if self.recorded is not None:
            self.recorded(event.uuid, event.get("Record-File-Path") or "")

    def _on_key(self, leg: Leg, action: str, pressed: str = "") -> None:
        owner = self.calls.get(leg.owner)
        if owner is not None and (owner.talk is None or not owner.talk.key(leg, action, pressed)):
            leg.early = (*leg.early, (action, pressed))[-EARLY_KEYS:]

    def _on_custom(self, event: EventLike) -> None:
        subclass = event.get("Event-Subclass") or ""
        if subclass == KEY_EVENT:
            leg = self.legs.get(event.uuid)
            if leg is not None:
                self._on_key(leg, event.get(KEY_FIELD) or "", event.var("last_matching_digits") or "")
            return
        if self.registrations is None or not subclass.startswith("sofia::"):
            return
        phone = event.get("from-user") or event.get("username") or event.get("user") or ""
        if subclass == "sofia::register":
            self.registrations(phone, True)
        elif subclass in ("sofia::unregister", "sofia::expire"):
            self.registrations(phone, False)
        elif subclass == "sofia::sip_user_state":
            # The switch asks registered phones with OPTIONS: one that has vanished is known long before it expires.
            self.registrations(phone, event.get("Ping-Status") != "UNREACHABLE")

    def mend(self, leg: Leg, what: str) -> None:
        """What was believed of a leg was not true any more, and is now: count it and write it down."""
        self.mended += 1
        log.warning("leg.mended", leg=leg.uuid, call=leg.owner or leg.uuid, agent=leg.agent, what=what)
        self.journal(
            JournalEntry(
                at=self.clock.now(),
                kind="mended",
                call=leg.owner or leg.uuid,
                agent=leg.agent,
                data={"what": what, "leg": leg.uuid},
            )
        )

    # -- the life of a call ---------------------------------------------------------------------------

    def _arrive(self, event: EventLike) -> None:
        line = self.require_line()
        if self.draining or len(self.calls) >= self.max_calls:
            # Not silence: the switch's own fallback speaks to the caller.
            self.refused += 1
            log.warning("call.refused", call=event.uuid, draining=self.draining, live=len(self.calls))
            line.post(
                commands.sched_del(event.uuid),
                commands.uuid_transfer(event.uuid, FALLBACK_CONTEXT, "XML", FALLBACK_CONTEXT),
            )
            self.journal(
                JournalEntry(
                    at=self.clock.now(), kind="call.refused", call=event.uuid, data={"live": len(self.calls)}
                )
            )
            return
        call = self.add(event)
        call.leg.parked = True
        if event.var(TIMER):
            call.later(commands.sched_del(call.id))  # somebody has taken it
        self.taken += 1
        self.begin(call)

    def add(self, event: EventLike) -> Call:
        """Make a call of a caller's channel (new or adopted), without leading it yet."""
        uuid = event.uuid
        leg = Leg(uuid, self.clock)
        leg.answered = event.get("Answer-State") == "answered"
        call = Call(
            self,
            leg,
            number=event.var(NUMBER) or event.get("Caller-Caller-ID-Number") or "",
            dialled=event.var("il_dnis") or event.get("Caller-Destination-Number") or "",
            name=event.get("Caller-Caller-ID-Name") or "",
            origin=event.var("il_gateway") or event.var("il_origin") or "",
        )
        call.callback = event.var(CALLBACK) or ""
        call.asks = event.var(ASKS) or ""
        self.legs[uuid] = leg
        self.calls[uuid] = call
        return call

    def take_up(self, uuid: str, *, number: str, dialled: str, origin: str, callback: str) -> Call | None:
        """Lead a leg that we dialled and that was answered: from now on it is a call. None when it is gone."""
        leg = self.legs.get(uuid)
        if leg is None or leg.gone is not None:
            return None
        leg.owner = ""
        call = Call(self, leg, number=number, dialled=dialled, name="", origin=origin)
        call.callback = callback
        # The mark first: from then on another engine, or the switch's own fallback, knows what it is.
        for name, value in (
            (MARK, "true"),
            (OWNER, ""),
            (CALLBACK, callback),
            (NUMBER, number),
            ("il_dnis", dialled),
        ):
            call.later(commands.uuid_setvar(uuid, name, value))
        self.calls[uuid] = call
        self.taken += 1
        self.begin(call)
        return call

    def begin(self, call: Call) -> None:
        """Give ``call`` the greenlet that leads it."""
        call.greenlet = self.clock.spawn(self._life, call)

    def _life(self, call: Call) -> None:
        structlog.contextvars.bind_contextvars(call=call.id)
        try:
            self._lead(call)
        except HungUp as gone:
            call.cause = gone.cause
        except Abandon:
            return
        except Exception:
            # What leads a call has its own ways for faults; this is the last net, and says so.
            log.exception("call.crashed", call=call.id)
        try:
            self._end(call)
        except Exception:
            log.exception("call.end_crashed", call=call.id)

    def _end(self, call: Call) -> None:
        if call.leg.gone is None:
            try:
                call.hang_up()
                call.wait_gone()
            except (HungUp, SwitchError):
                pass  # gone already, or the switch is: the reaper looks after the channel
        call.cause = call.leg.gone or call.cause or "NORMAL_CLEARING"
        call.ended_by = call.ended_by or ("switch" if call.cause in SWITCH_CAUSES else "caller")
        self.calls.pop(call.id, None)
        self.legs.pop(call.id, None)
        if call.talk is not None:
            call.talk.close()
        if call.onward is not None and call.onward.asked is not None:
            call.onward.asked.leave(
                "caller"
            )  # it hung up before it came to the place that it was to take over
        call.become(CallState.ENDED, cause=call.cause)
        self._ended(call)

    def _gone(self, leg: Leg, cause: str) -> None:
        peer = self.legs.get(leg.peer) if leg.peer else None
        leg.tell(Gone(cause))
        if leg.uuid not in self.calls:
            self.legs.pop(leg.uuid, None)  # an agent's leg; a caller's goes when its greenlet has ended
        if peer is not None and peer.peer == leg.uuid:
            peer.tell(Unbridged(leg.uuid))


def _learn_answer(leg: Leg, event: EventLike) -> None:
    """Every event of a channel says whether it is answered."""
    if not leg.answered and event.get("Answer-State") == "answered":
        leg.tell(Answered())


def _refused(command: Command, answer: str) -> None:
    """The channel is gone, most often: its hang-up is on its way."""
    log.debug("switch.refused", command=command.name, answer=answer)


_HANDLERS: dict[str, Callable[[Calls, EventLike], None]] = {
    "CHANNEL_PARK": Calls._on_park,
    "CHANNEL_EXECUTE_COMPLETE": Calls._on_execute_complete,
    "CHANNEL_BRIDGE": Calls._on_bridge,
    "CHANNEL_UNBRIDGE": Calls._on_unbridge,
    "CHANNEL_HANGUP": Calls._on_hangup,
    "DTMF": Calls._on_dtmf,
    "RECORD_STOP": Calls._on_record_stop,
    "CUSTOM": Calls._on_custom,
}
