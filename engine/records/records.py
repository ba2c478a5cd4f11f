"""The records that all departments share, as flows, handlers, commands and schedules reach them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy.orm import Session

from engine.calls.call import Call
from engine.clock import Clock
from engine.errors import PluginError
from engine.records import notices
from engine.records.callbacks import Callbacks
from engine.records.certification import Certifications, withheld
from engine.records.duty import Duty
from engine.records.knowledge import Library, RolesOf
from engine.records.notices import Notices
from engine.records.notify_file import NotifyFile
from engine.records.owed import Owed
from engine.records.ratings import RatingsIn
from engine.records.tickets import Desk, Due, Kinds, SiteOf
from engine.store.store import Store
from engine.types import JournalEntry, KnowledgeView, LackView, NoticeView, TicketChange, TicketView

T = TypeVar("T")
log = structlog.get_logger(__name__)

DATABASE: Final = 5.0
BATCH: Final = 100
LOOK_AGAIN: Final = 3600.0
"""Seconds after which certificates are looked at again: another day may have begun."""


def kinds_shown(kinds: Kinds) -> list[dict[str, Any]]:
    """Kinds of tickets by department, for people."""
    return [
        {
            "department": department, "kind": one.name, "titles": dict(one.title), "group": one.group,
            "within": one.within.total_seconds() if one.within is not None else None,
            "calendar": one.calendar, "escalate": one.escalate,
            "fields": list(one.fields_by_name()), "required": one.required(),
        }
        for department, declared in sorted(kinds.items())
        for one in declared.values()
    ]  # fmt: skip


class Records:
    """Made once by the composition root. From greenlets of the hub, but for what is given a session."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        due: Due,
        notify: NotifyFile,
        changed: Callable[[TicketView, TicketChange], None],
        leads: Callable[[], bool],
        pack: Callable[[Any], Any] = lambda value: value,
        numbers: random.Random | None = None,
        site_of: SiteOf = lambda session, who: None,
        kinds: Kinds | None = None,
        zone: tzinfo = UTC,
        grace: float = 0.0,
        roles_of: RolesOf = lambda who: None,
        published: Callable[[KnowledgeView, KnowledgeView | None], None] = lambda answer, before: None,
    ) -> None:
        """``due`` counts a calendar's open time; ``changed`` is told of every change of a ticket, once it is
        committed. ``pack`` makes JSON of values such that they can be spoken later. ``numbers`` draws ticket numbers
        (the system's randomness when left out), ``site_of`` knows where people sit, for tickets that are kept away
        from a site, and ``kinds`` which tickets departments declare. ``zone`` says what day it is, ``grace`` for how
        many seconds who passed an earlier version may go on with a new one; ``roles_of`` who may publish
        knowledge, and ``published`` is told of what was, with the version before it, once it is committed."""
        self._zone = zone
        self._grace = grace
        self._roles_of = roles_of
        self._published = published
        self.notify_file = notify
        self._kinds = kinds or {}
        self.callbacks: Callbacks | None = None
        self.notices: Notices | None = None
        self.duties: list[Duty] = []
        self._store = store
        self._clock = clock
        self._due = due
        self._changed = changed
        self._leads = leads
        self._pack = pack
        self._started = False
        self._site_of = site_of
        self._numbers = numbers or random.SystemRandom()
        #: Told which skills of agents don't count, and why, whenever that was looked at; gives agents' skills.
        self.skills: Callable[[], Mapping[str, Iterable[str]]] = dict
        self.certified: Callable[[Mapping[str, Mapping[str, str]]], object] = lambda withheld: None
        self._wakes: dict[str, Callable[[], None]] = {}
        self.duty("tickets", self._look_at_tickets)
        self.duty("knowledge", self._look_at_knowledge)

    # -- duties ---------------------------------------------------------------------------------------

    def duty(self, name: str, work: Callable[[], float | None]) -> Duty:
        """Work that the leader does when it is due; begins with :meth:`start`."""
        made = Duty(name, self._clock, work, leads=self._leads)
        self.duties.append(made)
        self._wakes[name] = made.wake
        return made

    def start(self) -> None:
        """Begin to look after what is due."""
        if not self._started:
            self._started = True
            for duty in self.duties:
                duty.start()

    def stop(self) -> None:
        """Let go; another engine goes on from the tables."""
        for duty in self.duties:
            duty.stop()
        for part in (self.callbacks, self.notices):
            if part is not None:
                part.stop()

    def settled(self, *names: str) -> None:
        """Something was committed: whoever looks after these (all of them when none is named) looks now."""
        for name in names or tuple(self._wakes):
            wake = self._wakes.get(name)
            if wake is not None:
                wake()

    def agent_changed(self) -> None:
        """An agent may be free for somebody who is owed a call."""
        if self.callbacks is not None and self.callbacks.waiting:
            self.callbacks.wake()

    def call_ended(self, call: Call) -> None:
        """A call is over: perhaps one that we owed."""
        if self.callbacks is not None:
            self.callbacks.ended(call)

    # -- within a session, in a worker thread -----------------------------------------------------------

    def desk(self, session: Session, *, department: str = "", by: str = "") -> Desk:
        """The tickets, in this session's transaction."""
        return Desk(
            session,
            now=self._clock.now(),
            due=self._due,
            numbers=self._numbers,
            department=department,
            by=by,
            site_of=self._site_of,
            kinds=self._kinds,
        )

    def library(self, session: Session, *, department: str = "", by: str = "") -> Library:
        """The knowledge, in this session's transaction."""
        now = self._clock.now()
        return Library(
            session, now=now, today=now.astimezone(self._zone).date(), department=department, by=by,
            numbers=self._numbers, roles_of=self._roles_of,
        )  # fmt: skip

    def add_notice(
        self, session: Session, group: str, prompt: str, values: Mapping[str, Any], **more: Any
    ) -> str:
        """A notice, in this session's transaction; its id, "" when it was told already."""
        self.known_group(group)
        return notices.add(session, group, prompt, self._pack(dict(values)), now=self._clock.now(), **more)

    def known_group(self, group: str) -> None:
        """:class:`PluginError` for a group that conf/notify.yaml does not have."""
        if group not in self.notify_file.groups:
            raise PluginError(f"there is no group {group} in conf/notify.yaml")

    # -- on the hub -------------------------------------------------------------------------------------

    def work(self, function: Callable[[Session], T], timeout: float = DATABASE) -> T:
        """``function(session)`` in a transaction of its own; what it changed is looked after at once."""
        try:
            return self._store.work(function, timeout)
        finally:
            self.settled()

    def read(self, function: Callable[[Session], T], timeout: float = DATABASE) -> T:
        """``function(session)`` without changing anything."""
        return self._store.read(function, timeout)

    def note_cancelled(self, owed: Owed, by: str) -> None:
        """For the journal: somebody cancelled a callback."""
        data = {"callback": owed.id, "by": by}
        self._note("callback.cancelled", owed.call, queue=owed.queue, data=data)

    def kinds(self) -> list[dict[str, Any]]:
        """The kinds of tickets that departments declare, for people."""
        return kinds_shown(self._kinds)

    def now(self) -> datetime:
        """The moment, by the records' clock."""
        return self._clock.now()

    def note_hurried(self, owed: Owed, by: str) -> None:
        """For the journal: somebody wanted a callback now."""
        self._note("callback.hurried", owed.call, queue=owed.queue, data={"callback": owed.id, "by": by})

    def note_acknowledged(self, notice: Mapping[str, Any], by: str) -> None:
        """For the journal: somebody acknowledged a notice."""
        data = {"notice": notice["id"], "group": notice["group"], "by": by}
        self._note("notice.acknowledged", notice["call"], data=data)

    def _note(self, kind: str, call: str, *, data: Mapping[str, Any], queue: str = "") -> None:
        self._store.journal(JournalEntry(at=self._clock.now(), kind=kind, call=call, queue=queue, data=data))

    # -- for handlers: ctx.tickets and ctx.notify ---------------------------------------------------------

    def tickets_for(self, session: Session | None, department: str, by: str) -> Any:
        """``ctx.tickets``: in the handler's own transaction, or (on the hub) each act in one of its own."""
        if session is not None:
            return self.desk(session, department=department, by=by)
        return _OneByOne(lambda session: self.desk(session, department=department, by=by), Desk, self)

    def notifier_for(self, session: Session | None, department: str) -> Callable[..., str]:
        """``ctx.notify(group, prompt, level=…, key=…, window=…, **values)``, the same way."""

        def notify(
            group: str, prompt: str, /, *, level: str = "warning", key: str = "",
            window: timedelta = timedelta(), **values: Any,
        ) -> str:  # fmt: skip
            def add(session: Session) -> str:
                return self.add_notice(
                    session, group, prompt, values, level=level, key=key,
                    window=window.total_seconds(), department=department,
                )  # fmt: skip

            return add(session) if session is not None else self.work(add)

        return notify

    def notices_for(self, session: Session | None) -> _Book:
        """``ctx.notices``, the same way."""
        return _Book(self, session)

    def library_for(self, session: Session | None, department: str, by: str) -> Any:
        """``ctx.knowledge``: in the handler's own transaction, or (on the hub) each act in one of its own."""
        if session is not None:
            return self.library(session, department=department, by=by)
        return _OneByOne(lambda session: self.library(session, department=department, by=by), Library, self)

    def certifications(self, session: Session) -> Certifications:
        """Who passed what, in this session's transaction."""
        return Certifications(session, self.library(session), now=self._clock.now(), grace=self._grace)

    def certifications_for(self, session: Session | None) -> Any:
        """``ctx.certification``, the same way."""
        if session is not None:
            return self.certifications(session)
        return _OneByOne(self.certifications, Certifications, self)

    def ratings_for(self, session: Session | None) -> Any:
        """``ctx.ratings``, the same way."""
        return RatingsIn(session) if session is not None else _OneByOne(RatingsIn, RatingsIn, self)

    # -- what was published -----------------------------------------------------------------------------

    def _look_at_knowledge(self) -> float | None:
        while True:
            told = self._store.work(lambda session: self.library(session).untold(BATCH), DATABASE)
            for answer, before in told:
                data = {
                    "id": answer.id,
                    "version": answer.version,
                    "topic": answer.topic,
                    "by": answer.published_by,
                }
                self._note("knowledge.published", answer.call, data=data)
                self._published(answer, before)
            if len(told) < BATCH:
                return self.look_at_certificates()

    def look_at_certificates(self) -> float | None:
        """Who passed what may be other now. Seconds until it has to be looked at again; None: only when something is
        published or passed."""

        def look(session: Session) -> tuple[list[LackView], bool]:
            items = self.library(session).must_be_passed()
            return self.certifications(session).all_missing(self.skills(), items), bool(items)

        lacks, any_item = self._store.read(look, DATABASE)
        self.certified(withheld(lacks))
        if not any_item:
            return None
        now = self._clock.now()
        ends = [(lack.until - now).total_seconds() for lack in lacks if lack.until is not None]
        return max(1.0, min([LOOK_AGAIN, *ends]))

    # -- tickets that are due, and those who must know ------------------------------------------------------

    def _look_at_tickets(self) -> float | None:
        next_due = self._store.work(self._escalate, DATABASE)
        while True:
            told = self._store.work(lambda session: self.desk(session).untold(BATCH), DATABASE)
            for change, ticket in told:
                self._tell(change, ticket)
            if len(told) < BATCH:
                break
        return None if next_due is None else (next_due - self._clock.now()).total_seconds()

    def _escalate(self, session: Session) -> datetime | None:
        desk = self.desk(session, by="clock")
        for ticket in desk.escalate_due():
            if ticket.escalate in self.notify_file.groups:
                values = {"number": ticket.number, "kind": ticket.kind, "owner": ticket.owner or ticket.group}
                notices.add(
                    session, ticket.escalate, "ticket_overdue", values, now=self._clock.now(),
                    department=ticket.department, call=ticket.call,
                )  # fmt: skip
        return desk.next_due()

    def _tell(self, change: TicketChange, ticket: TicketView) -> None:
        self._store.journal(
            JournalEntry(
                at=change.at, kind=f"ticket.{change.what}", call=ticket.call,
                data={
                    "ticket": ticket.number, "kind": ticket.kind, "department": ticket.department,
                    "group": ticket.group, "owner": ticket.owner, "by": change.by, "before": change.before,
                    "after": change.after,
                },
            )
        )  # fmt: skip
        if change.what == "escalated":
            self.settled("notices")
        self._changed(ticket, change)


class _Book:
    """What became of notices: within a session, or (on the hub) by a look into the database."""

    def __init__(self, records: Records, session: Session | None) -> None:
        self._records, self._session = records, session

    def find(self, key: str) -> NoticeView | None:
        """The newest notice of that key."""
        if self._session is not None:
            return notices.by_key(self._session, key)
        return self._records.read(lambda session: notices.by_key(session, key))


class _OneByOne:
    """A :class:`Desk` or :class:`Library` for the hub: each act is a transaction of its own."""

    def __init__(self, made: Callable[[Session], Any], kind: type, records: Records) -> None:
        self._made, self._kind, self._records = made, kind, records

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or not hasattr(self._kind, name):
            raise AttributeError(name)

        def act(*args: Any, **values: Any) -> Any:
            return self._records.work(lambda session: getattr(self._made(session), name)(*args, **values))

        return act
