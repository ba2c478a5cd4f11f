"""Calls that we owe: who asked to be called back, and that it is done.

An owed call is a row until it is over: it survives the engine. The leader dials it when somebody in its queue is
free (or when the promised time has come and somebody is at work there at all), by the one guard for calls outside
(:mod:`engine.calls.outbound`). The caller is dialled first: on the answer the leg becomes an ordinary call, led by
its own flow, which asks for a key (a machine presses none) and puts the caller in front of the queue. What the attempt
came to says whether and when it is tried again.

While it rings, the leg is marked as made for this row (``il_owner``): an engine that starts meanwhile hangs it up, and
dials again later. From the answer on it is marked as a call, and any engine takes it up.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from engine.calls.call import Call
from engine.calls.outbound import Outbound
from engine.calls.registry import Calls
from engine.calls.ring import CallFloor
from engine.clock import Clock
from engine.errors import DialRefused, NotFound, StoreError, SwitchError, WrongState
from engine.store.columns import decode, encode
from engine.store.store import Store
from engine.store.tables_tickets import callbacks
from engine.types import JournalEntry, RingKind

log = structlog.get_logger(__name__)

STATES: Final = ("owed", "dialling", "talking", "done", "declined", "cancelled", "failed", "expired")
LIVE: Final = ("owed", "dialling", "talking")
DATABASE: Final = 5.0
LOOK_AGAIN: Final = 30.0
"""Seconds after which a row that waits for a free agent is looked at again, if nothing woke us before."""

RINGS_FOR: Final = 40.0
#: After an attempt that came to this: seconds until the next one.
RETRY: Final[Mapping[str, float]] = {
    "busy": 300.0,
    "no_answer": 900.0,
    "rejected": 1800.0,
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
    {"malformed", "unlisted", "denied", "loop", "no_trunk", "unknown_number", "no_flow"}
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


@dataclass(frozen=True, slots=True)
class Owed:
    """A row."""

    id: str
    queue: str
    number: str
    department: str
    flow: str
    language: str
    state: str
    why: str
    created: datetime
    since: datetime
    due: datetime
    until: datetime
    next: datetime
    tries: int
    most: int
    dialled: str
    call: str
    last: str
    data: Mapping[str, Any]


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
        self._store = store
        self._clock = clock
        self._calls = calls
        self._floor = CallFloor(calls)
        self._cdr = cdr
        self._busy: dict[str, str] = {}  # callback -> queue, while this engine dials it
        self._greenlets: set[Any] = set()
        self._led: dict[str, Owed] = {}  # call -> its row, while it is led

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
        due, later = self._store.read(lambda session: _look(session, now), DATABASE)
        waiting = 0
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
            self._journal("callback.expired", owed, tries=owed.tries, why=owed.why)

    def stop(self) -> None:
        """Let go of what is being dialled: its legs are hung up, and its rows are found by the next engine."""
        for greenlet in list(self._greenlets):
            greenlet.kill(block=False)

    def settle(self) -> None:
        """After a start: rows that an earlier engine was dialling, and that are no live call, are owed again."""
        live = {call.callback for call in self._calls if call.callback} | set(self._busy)

        def look(session: Session) -> list[Owed]:
            query = select(callbacks).where(callbacks.c.state.in_(("dialling", "talking")))
            return [owed_of(row) for row in session.execute(query)]

        for owed in self._store.read(look, DATABASE):
            if owed.id not in live:
                self._missed(owed, "lost")

    # -- one attempt ----------------------------------------------------------------------------------

    def _dial(self, owed: Owed) -> None:
        owner = f"callback-{owed.id}"
        try:
            claimed = self._claim(owed)
            if claimed is not None:
                self._calls.pledged.add(owner)
                self._attempt(claimed, owner)
        except StoreError as error:
            log.warning("callback.not_kept", callback=owed.id, error=str(error))
        except Exception:
            log.exception("callback.crashed", callback=owed.id)
        finally:
            self._calls.pledged.discard(owner)
            self._busy.pop(owed.id, None)
            self.wake()

    def _claim(self, owed: Owed) -> Owed | None:
        """Ours to dial, in the table: two that look at the same row don't both get it."""

        def claim(session: Session) -> Owed | None:
            row = session.execute(
                update(callbacks)
                .where(
                    callbacks.c.id == owed.id, callbacks.c.state == "owed", callbacks.c.tries == owed.tries
                )
                .values(state="dialling", tries=owed.tries + 1)
                .returning(callbacks)
            ).one_or_none()
            return None if row is None else owed_of(row)

        return self._store.work(claim, DATABASE)

    def _attempt(self, owed: Owed, owner: str) -> None:
        began = self._clock.now()
        try:
            allowed = self.outbound.dial(
                owed.number, purpose="callback", call=owed.call, dialled=owed.dialled
            )
            ring = self._floor.dial(
                owner, allowed.dial, seconds=RINGS_FOR, number=allowed.caller,
                variables={
                    "il_gateway": allowed.trunk, "playback_terminators": "none",
                    "uuid_bridge_park_on_cancel": "true",
                },
            )  # fmt: skip
        except DialRefused as refused:
            self._missed(owed, refused.why)
            return
        except SwitchError as error:
            log.warning("callback.not_dialled", callback=owed.id, error=str(error))
            self._missed(owed, "switch")
            return
        self._change(owed, last=ring.leg)
        self._journal("callback.dialled", owed, call=ring.leg, tries=owed.tries, trunk=allowed.trunk)
        try:
            result = ring.wait()
        except BaseException:
            ring.drop()  # we are stopped: nobody would lead who answers now
            raise
        if result.kind is not RingKind.ANSWERED:
            why = "unknown_number" if result.cause in _UNKNOWN else str(result.kind)
            self._account(owed, ring.leg, began, result.cause)
            self._missed(owed, why, call=ring.leg)
            return
        self._led[ring.leg] = owed
        self._change(owed, state="talking")
        self._journal("callback.answered", owed, call=ring.leg)
        call = self._calls.take_up(
            ring.leg, number=owed.number, dialled=owed.dialled, origin=allowed.trunk, callback=owed.id
        )
        if call is None:  # hung up in the moment of the answer
            self._led.pop(ring.leg, None)
            self._account(owed, ring.leg, began, "NORMAL_CLEARING")
            self._missed(owed, "hung_up", call=ring.leg)

    def ended(self, call: Call) -> None:
        """A call that was made for a row is over: what it came to."""
        owed = self._led.pop(call.id, None)
        self._clock.spawn(self._close, owed, call.callback, call.id, outcome(call))

    def _close(self, owed: Owed | None, id: str, call: str, came_to: str) -> None:
        try:
            owed = owed or self.load(id)
            if owed is None:
                return
            if came_to in ("done", "declined"):
                self._change(owed, state=came_to, why="")
                self._journal(f"callback.{came_to}", owed, call=call, tries=owed.tries)
            else:
                self._missed(owed, came_to, call=call)
        except StoreError as error:
            log.warning("callback.not_kept", callback=id, error=str(error))
        self.wake()

    def _missed(self, owed: Owed, why: str, call: str = "") -> None:
        now = self._clock.now()
        if why in HOPELESS or owed.tries >= owed.most:
            self._change(owed, state="failed", why=why)
            self._journal("callback.failed", owed, call=call, why=why, tries=owed.tries)
            return
        again = now + timedelta(seconds=RETRY.get(why, 600.0))
        try:
            again = self.queues.after(owed.queue, again, 0.0)
        except NotFound:
            pass  # the queue is gone from the configuration; the next attempt may find it again
        self._change(owed, state="owed", why=why, next=again)
        self._journal("callback.missed", owed, call=call, why=why, tries=owed.tries, again=again.isoformat())

    # -- what is written ------------------------------------------------------------------------------

    def _change(self, owed: Owed, **values: Any) -> None:
        self._store.work(
            lambda session: session.execute(
                update(callbacks).where(callbacks.c.id == owed.id).values(**values)
            ),
            DATABASE,
        )

    def _journal(self, kind: str, owed: Owed, call: str = "", **data: Any) -> None:
        self._store.journal(
            JournalEntry(
                at=self._clock.now(), kind=kind, call=call or owed.call, queue=owed.queue,
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
    if call.block == "no_more":
        return "declined"
    if call.block == "nobody":
        return "nobody"
    if call.fault or call.handed_over:
        return "failed"
    return "unheard" if call.block == "unheard" else "hung_up"


def _look(session: Session, now: datetime) -> tuple[list[Owed], datetime | None]:
    owed = callbacks.c.state == "owed"
    query = select(callbacks).where(owed, callbacks.c.next <= now).order_by(callbacks.c.since).limit(200)
    due = [owed_of(row) for row in session.execute(query)]
    moments = [
        session.execute(select(func.min(column)).where(owed, column > now)).scalar()
        for column in (callbacks.c.next, callbacks.c.due, callbacks.c.until)
    ]
    return due, min((moment for moment in moments if moment is not None), default=None)


def owed_of(row: Any) -> Owed:
    """A row as a record."""
    values = dict(row._mapping)
    data = values.pop("data")
    return Owed(**values, data=decode(data) if isinstance(data, str) else (data or {}))
