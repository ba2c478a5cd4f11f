"""Calls that we owe: who asked to be called back, and that it is done.

An owed call is a row until it is over: it survives the engine. The leader dials it when somebody in its queue is
free (or when the promised time has come and somebody is at work there at all), by the one guard for calls outside
(:mod:`engine.calls.outbound`). The caller is dialled first: on the answer the leg becomes an ordinary call, led by
its own flow, which asks for a key (a machine presses none) and puts the caller in front of the queue. What the attempt
came to says whether and when it is tried again.

One that keeps a place (:class:`Kept`) stands in its queue as if its caller waited on the line: its turn reserves an
agent, and only then it is dialled (:mod:`engine.flows.kept_places`). What the attempts come to is the same.

While it rings, the leg is marked as made for this row (``il_owner``): an engine that starts meanwhile hangs it up, and
dials again later. From the answer on it is a call, and any engine takes it up.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import uuid4

import structlog
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from engine.calls.call import Call
from engine.calls.outbound import Outbound
from engine.calls.registry import CALLBACK, NUMBER, Calls
from engine.calls.ring import AgentRing, CallFloor
from engine.clock import Clock
from engine.errors import DialRefused, NotFound, StoreError, SwitchError, WrongState
from engine.records.owed import Kept, Owed
from engine.store.columns import decode, encode
from engine.store.store import Store
from engine.store.tables_tickets import callbacks
from engine.types import JournalEntry, RingKind

log = structlog.get_logger(__name__)

STATES: Final = (
    "owed", "dialling", "talking", "done", "declined", "cancelled", "taken_over", "failed", "expired",
)  # fmt: skip
LIVE: Final = ("owed", "dialling", "talking")
DATABASE: Final = 5.0
LOOK_AGAIN: Final = 30.0
"""Seconds after which a row that waits for a free agent is looked at again, if nothing woke us before."""

RINGS_FOR: Final = 40.0
#: After an attempt that came to this: seconds until the next one.
RETRY: Final[Mapping[str, float]] = {
    "busy": 300.0,
    "no_answer": 900.0,
    "unreachable": 900.0,
    "cancelled": 60.0,
    "failed": 600.0,
    "unheard": 900.0,  # answered, and no key pressed: nobody there, or a machine
    "hung_up": 900.0,
    "nobody": 300.0,  # no agent for it
    "lost": 60.0,
    "too_many": 900.0,
    "too_often": 1800.0,
    "switch": 60.0,
}
#: What no further attempt can mend.
HOPELESS: Final = frozenset(
    {"rejected", "malformed", "unlisted", "denied", "loop", "no_trunk", "unknown_number", "no_flow"}
)
_UNKNOWN: Final = frozenset({"UNALLOCATED_NUMBER", "INVALID_NUMBER_FORMAT", "NO_ROUTE_DESTINATION"})


@dataclass(frozen=True, slots=True)
class Room:
    """How a queue stands: agents free beyond those who wait, agents at work, and whether it is open."""

    free: int
    at_work: int
    open: bool


class Queues(Protocol):
    """What is asked about queues (answered by the ACD and the calendars)."""

    def room(self, queue: str) -> Room:
        """How it stands now; :class:`NotFound` when there is no such queue any more."""

    def after(self, queue: str, moment: datetime, seconds: float) -> datetime:
        """``seconds`` of its opening hours after ``moment``."""


class Places(Protocol):
    """Who stands in a queue for those who keep a place (:mod:`engine.flows.kept_places`)."""

    def stand(self, owed: Owed) -> bool:
        """Let it stand in its queue, if it does not yet. False: it can't now (the queue is closed)."""

    def withdraw(self, id: str) -> None:
        """It is not owed any more. Harmless when it stands nowhere."""

    def standing(self) -> Collection[str]:
        """The callbacks that stand now."""

    def ended(self, call: str) -> None:
        """A call that was made for one is over."""

    def stop(self) -> None:
        """Another engine goes on from the table."""


def owe(
    session: Session,
    queues: Queues,
    *,
    queue: str,
    number: str,
    flow: str,
    now: datetime,
    since: datetime | None = None,
    within: float = 1800.0,
    window: float = 14400.0,
    tries: int = 3,
    department: str = "",
    language: str = "",
    dialled: str = "",
    call: str = "",
    data: Mapping[str, Any] | None = None,
    place: Kept | None = None,
) -> tuple[Owed, bool]:
    """Promise to call ``number``: about ``within`` seconds from now, given up after ``window`` seconds (both of the
    queue's opening hours). A number is owed one call by a queue at a time: (the row, whether it was there already).
    """
    known = session.execute(
        select(callbacks).where(
            callbacks.c.number == number,
            callbacks.c.queue == queue,
            callbacks.c.state.in_(("owed", "dialling")),
        )
    ).first()
    if known is not None:
        return owed_of(known), True
    made = secrets.token_hex(4)
    session.execute(
        insert(callbacks).values(
            id=made, queue=queue, number=number, department=department, flow=flow, language=language,
            state="owed", created=now, since=since or now, due=queues.after(queue, now, within),
            until=queues.after(queue, now, window), next=now, tries=0, most=tries, dialled=dialled, call=call,
            data=encode(dict(data)) if data else None,
            place=encode(asdict(place)) if place is not None else None,
        )
    )  # fmt: skip
    return find(session, made), False


def find(session: Session, id: str) -> Owed:
    """The row of that id, or the only one whose id begins so (four signs at least); :class:`NotFound`."""
    query = select(callbacks).where(callbacks.c.id.startswith(id, autoescape=True)).limit(2)
    near = session.execute(query).all() if len(id) >= 4 else []
    if len(near) != 1:
        raise NotFound(
            f"there is no callback {id}" if not near else f"more than one callback begins with {id}"
        )
    return owed_of(near[0])


def rows(
    session: Session, *, queue: str = "", state: str = "", live: bool = False, limit: int = 100
) -> list[Owed]:
    """Callbacks, those whose turn is next first."""
    query = select(callbacks)
    for name, value in (("queue", queue), ("state", state)):
        if value:
            query = query.where(callbacks.c[name] == value)
    if live:
        query = query.where(callbacks.c.state.in_(LIVE))
    return [owed_of(row) for row in session.execute(query.order_by(callbacks.c.since.desc()).limit(limit))][
        ::-1
    ]


def cancel(session: Session, id: str, by: str) -> Owed:
    """It is not owed any more. :class:`WrongState` when it is over, or being dialled."""
    found = find(session, id)
    done = session.execute(
        update(callbacks)
        .where(callbacks.c.id == found.id, callbacks.c.state == "owed")
        .values(state="cancelled", why=f"by {by}" if by else "")
        .returning(callbacks.c.id)
    ).first()
    if done is None:
        raise WrongState(f"callback {found.id} is {found.state}: it can't be cancelled")
    return find(session, found.id)


def at_once(session: Session, id: str, now: datetime) -> Owed:
    """Whoever keeps a place has it again now; any other is dialled as soon as somebody is at work.
    :class:`WrongState` when it is over, or being dialled."""
    found = find(session, id)
    done = session.execute(
        update(callbacks)
        .where(callbacks.c.id == found.id, callbacks.c.state == "owed")
        .values(next=now, due=min(now, found.due))
        .returning(callbacks.c.id)
    ).first()
    if done is None:
        raise WrongState(f"callback {found.id} is {found.state}: it can't be called now")
    return find(session, found.id)


class Callbacks:
    """Dials what is owed. ``work`` is a :class:`~engine.records.duty.Duty`'s."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        calls: Calls,
        outbound: Outbound,
        queues: Queues,
        *,
        cdr: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.queues = queues
        self.outbound = outbound
        self.waiting = 0  # rows that wait for a free agent: whoever frees one need wake nobody else
        self.wake: Callable[[], None] = lambda: None
        self.places: Places | None = None  # for those who keep a place; None: nobody does
        self.promised: set[tuple[str, str]] = set()  # (number, queue) of those
        self._store = store
        self._clock = clock
        self._calls = calls
        self._floor = CallFloor(calls)
        self._cdr = cdr
        self._busy: dict[str, str] = {}  # callback -> queue, while this engine dials it
        self._greenlets: set[Any] = set()
        self._led: dict[str, Owed] = {}  # call -> its row, while it is led
        self._rung: dict[str, tuple[datetime, str]] = {}  # leg -> since when it rings, over which trunk

    # -- for flows ------------------------------------------------------------------------------------

    def of(self, call: str) -> Owed | None:
        """What the call is made for; None: nothing that is known."""
        return self._led.get(call)

    def load(self, id: str) -> Owed | None:
        """The row of a call that an earlier engine made."""
        try:
            return self._store.read(lambda session: find(session, id), DATABASE)
        except NotFound:
            return None

    # -- the work -------------------------------------------------------------------------------------

    def work(self) -> float | None:
        """Dial what can be dialled now; seconds until the next that may be."""
        now = self._clock.now()
        self._give_up(now)
        due, kept, later = self._store.read(lambda session: _look(session, now), DATABASE)
        waiting = self._let_stand(kept, now)
        for owed in due:
            if owed.id in self._busy:
                continue
            if self._may(owed, now):
                self._busy[owed.id] = owed.queue
                greenlet = self._clock.spawn(self._dial, owed)
                self._greenlets.add(greenlet)
                greenlet.rawlink(self._greenlets.discard)
            else:
                waiting += 1
        self.waiting = waiting
        pauses = [(later - now).total_seconds()] if later is not None else []
        return min([*pauses, LOOK_AGAIN]) if waiting else (pauses[0] if pauses else None)

    def _let_stand(self, kept: list[Owed], now: datetime) -> int:
        """Those who keep a place stand in their queues from their next time on; how many could not."""
        places = self.places
        self.promised = {(owed.number, owed.queue) for owed in kept}
        if places is None:
            return 0
        for id in set(places.standing()) - {owed.id for owed in kept}:
            places.withdraw(id)  # cancelled, expired, or led by another engine
        return sum(not places.stand(owed) for owed in kept if owed.state == "owed" and owed.next <= now)

    def _may(self, owed: Owed, now: datetime) -> bool:
        try:
            room = self.queues.room(owed.queue)
        except NotFound:
            return True  # the attempt says so, and fails for good
        under_way = sum(1 for queue in self._busy.values() if queue == owed.queue)
        if not room.open:
            return False
        return room.free - under_way > 0 or (now >= owed.due and room.at_work > under_way)

    def _give_up(self, now: datetime) -> None:
        def expire(session: Session) -> list[Owed]:
            over = (
                update(callbacks)
                .where(callbacks.c.state == "owed", callbacks.c.until <= now)
                .values(state="expired")
                .returning(callbacks)
            )
            return [owed_of(row) for row in session.execute(over)]

        for owed in self._store.work(expire, DATABASE):
            self.note("callback.expired", owed, tries=owed.tries, why=owed.why)

    def stop(self) -> None:
        """Let go of what is being dialled: its legs are hung up, and its rows are found by the next engine."""
        for greenlet in list(self._greenlets):
            greenlet.kill(block=False)
        if self.places is not None:
            self.places.stop()

    def settle(self) -> None:
        """After a start: rows that an earlier engine was dialling, and that are no live call, are owed again."""
        live = {call.callback for call in self._calls if call.callback} | set(self._busy)

        def look(session: Session) -> list[Owed]:
            query = select(callbacks).where(callbacks.c.state.in_(("dialling", "talking")))
            return [owed_of(row) for row in session.execute(query)]

        for owed in self._store.read(look, DATABASE):
            if owed.id not in live:
                self.missed(owed, "lost")

    # -- one attempt ----------------------------------------------------------------------------------

    def _dial(self, owed: Owed) -> None:
        owner, leg_id = f"callback-{owed.id}", str(uuid4())
        try:
            claimed = self.claim(owed, leg_id)
            if claimed is not None:
                self._calls.pledged.add(owner)
                self._attempt(claimed, owner, leg_id)
        except StoreError as error:
            log.warning("callback.not_kept", callback=owed.id, error=str(error))
        except Exception:
            log.exception("callback.crashed", callback=owed.id)
        finally:
            self._calls.pledged.discard(owner)
            self._busy.pop(owed.id, None)
            self.wake()

    def claim(self, owed: Owed, leg_id: str) -> Owed | None:
        """Ours to dial over that leg, in the table: two that look at the same row don't both get it."""

        def claim(session: Session) -> Owed | None:
            row = session.execute(
                update(callbacks)
                .where(
                    callbacks.c.id == owed.id, callbacks.c.state == "owed", callbacks.c.tries == owed.tries
                )
                .values(state="dialling", tries=owed.tries + 1, last=leg_id)
                .returning(callbacks)
            ).one_or_none()
            return None if row is None else owed_of(row)

        return self._store.work(claim, DATABASE)

    def _attempt(self, owed: Owed, owner: str, leg_id: str) -> None:
        ring = self.ring(owed, owner, leg_id)
        if ring is None:
            return
        try:
            ring.wait()
        except BaseException:
            ring.drop()  # we are stopped: nobody would lead who answers now
            raise
        self.rung(owed, ring)

    def ring(self, owed: Owed, owner: str, leg_id: str, agent: str = "") -> AgentRing | None:
        """Dial a claimed row. None: it may not be dialled, or could not be, and that is written down."""
        try:
            allowed = self.outbound.dial(
                owed.number, purpose="callback", call=owed.call, dialled=owed.dialled
            )
            ring = self._floor.dial(
                owner, allowed.dial, seconds=RINGS_FOR, number=allowed.caller, leg_id=leg_id,
                variables={
                    "il_gateway": allowed.trunk, "playback_terminators": "none",
                    "digits_dialed_filter": ".+", "uuid_bridge_park_on_cancel": "true",
                    # Answered while no engine is there, it is a call all the same (engine.calls.resync).
                    CALLBACK: owed.id, NUMBER: owed.number, "il_dnis": owed.dialled,
                },
            )  # fmt: skip
        except DialRefused as refused:
            self.missed(owed, refused.why)
            return None
        except SwitchError as error:
            log.warning("callback.not_dialled", callback=owed.id, error=str(error))
            self.missed(owed, "switch")
            return None
        self._rung[ring.leg] = (self._clock.now(), allowed.trunk)
        self.note("callback.dialled", owed, call=ring.leg, agent=agent, tries=owed.tries, trunk=allowed.trunk)
        return ring

    def rung(self, owed: Owed, ring: AgentRing, agent: str = "") -> Call | None:
        """What came of the ringing, which is over. The call that is led now; None: there is none, and that is
        written down."""
        result = ring.wait()
        began, trunk = self._rung.pop(ring.leg, (self._clock.now(), ""))
        if result.kind is not RingKind.ANSWERED:
            why = "unknown_number" if result.cause in _UNKNOWN else str(result.kind)
            self._account(owed, ring.leg, began, result.cause)
            self.missed(owed, why, call=ring.leg)
            return None
        self._led[ring.leg] = owed
        self.note("callback.answered", owed, call=ring.leg, agent=agent)
        call = self._calls.take_up(
            ring.leg, number=owed.number, dialled=owed.dialled, origin=trunk, callback=owed.id
        )
        if call is None:  # hung up in the moment of the answer
            self._led.pop(ring.leg, None)
            self._account(owed, ring.leg, began, "NORMAL_CLEARING")
            self.missed(owed, "hung_up", call=ring.leg)
        else:
            self._change(owed, state="talking")  # behind it: the caller waits for no database
        return call

    def called_off(self, owed: Owed, ring: AgentRing, why: str) -> None:
        """The ringing was stopped because of the agent: it is no attempt, and the place is as it was."""
        began, _ = self._rung.pop(ring.leg, (self._clock.now(), ""))
        self._account(owed, ring.leg, began, "ORIGINATOR_CANCEL")
        self._change(owed, state="owed", tries=max(0, owed.tries - 1), why=why)
        self.note("callback.called_off", owed, call=ring.leg, why=why)

    def put_aside(self, owed: Owed, why: str, seconds: float, *, left: bool = False) -> None:
        """It can't stand in its queue now; again after so long, when the queue is open. ``left``: it stood there, and
        the place that comes has another id."""
        again = self._again(owed, seconds)
        more = (
            {"place": encode(asdict(replace(owed.place, call="")))} if left and owed.place is not None else {}
        )
        self._change(owed, next=again, why=why, **more)
        self.note("callback.put_aside", owed, why=why, again=again.isoformat())
        self.wake()

    def moved(self, owed: Owed, queue: str, place: Kept) -> Owed:
        """Its place in the queue is another one now: it stands there after a restart, too."""
        self._change(owed, queue=queue, place=encode(asdict(place)))
        self.promised = {*self.promised - {(owed.number, owed.queue)}, (owed.number, queue)}
        return replace(owed, queue=queue, place=place)

    def ended(self, call: Call) -> None:
        """A call is over: what it came to, if it was made for a row. Whoever is owed one can be dialled now."""
        if not call.callback:
            if any(number == call.number for number, _ in self.promised):
                self.wake()
            return
        owed = self._led.pop(call.id, None)
        if self.places is not None:
            self.places.ended(call.id)
        self._clock.spawn(self._close, owed, call.callback, call.id, outcome(call))

    def _close(self, owed: Owed | None, id: str, call: str, came_to: str) -> None:
        try:
            owed = owed or self.load(id)
            if owed is None:
                return
            if came_to in ("done", "declined"):
                self._change(owed, state=came_to, why="")
                self.note(f"callback.{came_to}", owed, call=call, tries=owed.tries)
            else:
                self.missed(owed, came_to, call=call)
        except StoreError as error:
            log.warning("callback.not_kept", callback=id, error=str(error))
        self.wake()

    def missed(self, owed: Owed, why: str, call: str = "") -> None:
        """An attempt came to nothing: again later, if at all. Who has taken it over meanwhile is left alone."""
        if why in HOPELESS or owed.tries >= owed.most:
            if self._change(owed, state="failed", why=why):
                self.note("callback.failed", owed, call=call, why=why, tries=owed.tries)
            return
        again = self._again(owed, RETRY.get(why, 600.0))
        if self._change(owed, state="owed", why=why, next=again):
            self.note("callback.missed", owed, call=call, why=why, tries=owed.tries, again=again.isoformat())

    def _again(self, owed: Owed, seconds: float) -> datetime:
        again = self._clock.now() + timedelta(seconds=seconds)
        try:
            return self.queues.after(owed.queue, again, 0.0)
        except NotFound:
            return again  # the queue is gone from the configuration; the next attempt may find it again

    # -- what is written ------------------------------------------------------------------------------

    def _change(self, owed: Owed, **values: Any) -> bool:
        """Of a row that is not over; False when it is."""

        def change(session: Session) -> bool:
            query = update(callbacks).where(callbacks.c.id == owed.id, callbacks.c.state.in_(LIVE))
            return session.execute(query.values(**values).returning(callbacks.c.id)).first() is not None

        return self._store.work(change, DATABASE)

    def note(self, kind: str, owed: Owed, call: str = "", agent: str = "", **data: Any) -> None:
        """One row of the journal."""
        self._store.journal(
            JournalEntry(
                at=self._clock.now(), kind=kind, call=call or owed.call, agent=agent, queue=owed.queue,
                data={"callback": owed.id, **data},
            )
        )  # fmt: skip

    def _account(self, owed: Owed, leg: str, began: datetime, cause: str) -> None:
        """The CDR of an attempt that became no call."""
        now = self._clock.now()
        self._cdr(
            {
                "call": leg, "number": owed.number, "dialled": owed.dialled, "department": owed.department,
                "flow": owed.flow, "language": owed.language, "arrived": began, "ended": now,
                "outcome": "unanswered", "cause": cause, "queue": owed.queue,
                "data": {"direction": "out", "callback": owed.id},
            }
        )  # fmt: skip


def outcome(call: Call) -> str:
    """What a call back came to: done, declined, or why it is to be tried again."""
    if call.talked > 0:
        return "done"
    if call.fault or call.handed_over:
        return "failed"
    if call.came_to == "declined":  # a key, and nobody was asked for: it is needed no more
        return "declined"
    if call.ended_by != "flow":
        return "hung_up"
    return call.came_to or "unheard"


def _look(session: Session, now: datetime) -> tuple[list[Owed], list[Owed], datetime | None]:
    """What may be dialled now, all that keep a place, and the next moment at which something changes."""
    owed, keeps = callbacks.c.state == "owed", callbacks.c.place.is_not(None)
    query = select(callbacks).where(owed, ~keeps, callbacks.c.next <= now)
    due = [owed_of(row) for row in session.execute(query.order_by(callbacks.c.since).limit(200))]
    live = select(callbacks).where(callbacks.c.state.in_(("owed", "dialling")), keeps)
    kept = [owed_of(row) for row in session.execute(live.order_by(callbacks.c.since))]
    moments = [
        session.execute(select(func.min(column)).where(owed, column > now)).scalar()
        for column in (callbacks.c.next, callbacks.c.due, callbacks.c.until)
    ]
    return due, kept, min((moment for moment in moments if moment is not None), default=None)


def owed_of(row: Any) -> Owed:
    """A row as a record."""
    values = dict(row._mapping)
    data, place = (
        decode(one) if isinstance(one, str) else one for one in (values.pop("data"), values.pop("place"))
    )
    return Owed(**values, data=data or {}, place=Kept(**place) if place is not None else None)
