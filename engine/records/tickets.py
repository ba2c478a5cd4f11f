"""Tickets: what a department owes somebody, until it is done.

The functions here run in a session's transaction, in a worker thread: a handler's (``ctx.tickets``), a step's
deed, a command's. So a ticket and what it belongs to become true together. Every change writes a row of its history
in the same transaction; journal and plugins are told of it afterwards, from that row (:meth:`Desk.untold`), also
when the engine died in between.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from engine.errors import NotFound, WrongState
from engine.hooks.ticket_kinds import TicketKind
from engine.records import numbering
from engine.store.columns import decode, encode
from engine.store.tables_tickets import ticket_history, ticket_links, tickets
from engine.store.upserts import insert_in
from engine.types import TicketChange, TicketView

STATES: Final = ("open", "assigned", "returned", "solved", "closed", "reopened")
OWED: Final = ("open", "assigned", "returned", "reopened")
"""The states in which somebody still has to do something."""

_STEPS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    # what -> (from which states, into which state)
    "assigned": (OWED, "assigned"),
    "returned": (("assigned",), "returned"),
    "solved": (OWED, "solved"),
    "closed": ((*OWED, "solved"), "closed"),
    "answered": ((*OWED, "solved"), "solved"),
    "reopened": (("solved", "closed"), "reopened"),
}
#: What each is called by the one who does it.
_SAID: Final = {
    "assigned": "be assigned", "returned": "be returned", "solved": "be solved", "closed": "be closed",
    "reopened": "be reopened", "answered": "be answered",
}  # fmt: skip
LINKS: Final = ("call", "recording", "clip")
LIMIT: Final = 100

#: Where somebody sits, by an agent's id, a name, or a party's code: the site ("" for one without); None for a stranger.
SiteOf = Callable[[Session, str], str | None]

#: Department -> name -> its kinds of tickets. Who declares none may open what he likes.
Kinds = Mapping[str, Mapping[str, TicketKind]]

#: (calendar, from, seconds) -> when so much of its open time has passed.
Due = Callable[[str, datetime, float], datetime]


class Desk:
    """The tickets within one session. ``by`` is who acts (a handler's name, a command's user, a call)."""

    def __init__(
        self,
        session: Session,
        *,
        now: datetime,
        due: Due,
        numbers: random.Random,
        department: str = "",
        by: str = "",
        site_of: SiteOf = lambda session, who: None,
        kinds: Kinds | None = None,
    ) -> None:
        self._site_of = site_of
        self._kinds = kinds or {}
        self._session = session
        self._now = now
        self._due = due
        self._numbers = numbers
        self._department = department
        self._by = by

    # -- opening --------------------------------------------------------------------------------------

    def open(
        self,
        kind: str,
        *,
        group: str = "",
        owner: str = "",
        within: timedelta | None = None,
        calendar: str = "",
        escalate: str = "",
        data: Mapping[str, Any] | None = None,
        caller: str = "",
        call: str = "",
        recording: str = "",
        clips: Iterable[str] = (),
        department: str = "",
        away_from: str = "",
        party: int = 0,
    ) -> TicketView:
        """A new ticket. ``within`` counts the calendar's open time ("": all time); ``escalate`` is the group of
        conf/notify.yaml that is told when it is not solved by then. With an ``owner`` it is assigned at once. Nobody of
        the site ``away_from`` may ever have it or do anything about it (:class:`WrongState`). ``party``: the id of who
        asked.

        What a declared kind says holds where nothing else is said, and ``data`` must be what it declares
        (:class:`WrongState`)."""
        if not kind:
            raise ValueError("a ticket needs a kind")
        department = department or self._department
        declared = self._kind(department, kind)
        if declared is not None:
            group, escalate = group or declared.group, escalate or declared.escalate
            calendar = calendar or declared.calendar
            within = declared.within if within is None else within
            data = declared.checked(data or {})
        if owner and away_from:
            self._may_own("", away_from, owner)
        due = None
        if within is not None:
            seconds = within.total_seconds()
            due = self._due(calendar, self._now, seconds) if calendar else self._now + within
        state = "assigned" if owner else "open"
        values = {
            "kind": kind, "department": department, "group": group, "owner": owner,
            "state": state, "opened": self._now, "changed": self._now, "due": due, "escalate": escalate,
            "caller": caller, "call": call, "away_from": away_from, "party": party or None,
            "data": encode(dict(data)) if data else None,
        }  # fmt: skip
        number = self._insert(values)
        for what, ref in (("call", call), ("recording", recording), *(("clip", clip) for clip in clips)):
            if ref:
                self.link(number, what, ref)
        self._history(number, "opened", "", state, owner or group)
        return self.get(number)

    def _kind(self, department: str, kind: str) -> TicketKind | None:
        declared = self._kinds.get(department)
        if not declared:
            return None
        if kind not in declared:
            raise WrongState(f"{department} has no tickets of the kind {kind}, only {', '.join(declared)}")
        return declared[kind]

    def _view(self, row: Any, links: Iterable[tuple[str, str]] = ()) -> TicketView:
        declared = self._kinds.get(row.department, {}).get(row.kind)
        return view(row, links, declared.title if declared is not None else {})

    def _insert(self, values: Mapping[str, Any]) -> str:
        add = insert_in(self._session)
        for _ in range(50):
            number = numbering.draw(self._numbers)
            statement = (
                add(tickets)
                .values(number=number, **values)
                .on_conflict_do_nothing()
                .returning(tickets.c.number)
            )
            if self._session.execute(statement).first() is not None:
                return number
        raise RuntimeError("no free ticket number was found in fifty draws")

    def link(self, number: str, kind: str, ref: str) -> None:
        """A call, recording or clip that belongs to the ticket."""
        if kind not in LINKS:
            raise ValueError(f"a ticket has links to {', '.join(LINKS)}, not {kind}")
        add = insert_in(self._session)
        self._session.execute(
            add(ticket_links).values(ticket=number, kind=kind, ref=ref).on_conflict_do_nothing()
        )

    # -- looking --------------------------------------------------------------------------------------

    def get(self, number: str) -> TicketView:
        """The ticket; :class:`NotFound`."""
        found = self.find(number)
        if found is None:
            raise NotFound(f"there is no ticket {number}")
        return found

    def find(self, number: str) -> TicketView | None:
        """The ticket of that number, or None."""
        row = self._session.execute(select(tickets).where(tickets.c.number == number)).one_or_none()
        if row is None:
            return None
        links = self._session.execute(select(ticket_links).where(ticket_links.c.ticket == number)).all()
        return self._view(row, [(link.kind, link.ref) for link in links])

    def search(
        self,
        *,
        department: str = "",
        kind: str = "",
        group: str = "",
        owner: str = "",
        caller: str = "",
        state: str = "",
        owed: bool = False,
        overdue: bool = False,
        party: int = 0,
        data: Mapping[str, str | int | bool] | None = None,
        limit: int = LIMIT,
    ) -> list[TicketView]:
        """Tickets, those that are due first in front. ``owed``: only where somebody has to do something; ``data``: only
        those that say this; ``party``: what this one asked for."""
        query = select(tickets)
        given = (("department", department), ("kind", kind), ("group", group), ("owner", owner))
        for name, value in (*given, ("caller", caller), ("state", state)):
            if value:
                query = query.where(tickets.c[name] == value)
        if party:
            query = query.where(tickets.c.party == party)
        for name, said in (data or {}).items():
            query = query.where(_says(name, said))
        if owed or overdue:
            query = query.where(tickets.c.state.in_(OWED))
        if overdue:
            query = query.where(tickets.c.due < self._now)
        query = query.order_by(tickets.c.due.is_(None), tickets.c.due, tickets.c.opened).limit(limit)
        return [self._view(row) for row in self._session.execute(query)]

    def of_caller(self, numbers: Sequence[str], party: int = 0, limit: int = 20) -> list[TicketView]:
        """Tickets that a party, or callers from these numbers, asked for: the newest first."""
        whose = [tickets.c.caller.in_(list(numbers)), *([tickets.c.party == party] if party else [])]
        query = select(tickets).where(or_(*whose)).order_by(tickets.c.opened.desc()).limit(limit)
        return [self._view(row) for row in self._session.execute(query)]

    def history(self, number: str) -> list[TicketChange]:
        """What happened to a ticket, the first thing first."""
        query = select(ticket_history).where(ticket_history.c.ticket == number).order_by(ticket_history.c.id)
        return [_change(row) for row in self._session.execute(query)]

    # -- changing -------------------------------------------------------------------------------------

    def assign(self, number: str, owner: str) -> TicketView:
        """It is ``owner``'s now."""
        if not owner:
            raise ValueError("say who it is assigned to")
        if away_from := self.get(number).away_from:
            self._may_own(number, away_from, owner)
        return self._step(number, "assigned", owner, owner=owner)

    def give_back(self, number: str, why: str) -> TicketView:
        """Its owner can't do it: it is the group's again."""
        return self._step(number, "returned", why, owner="", returns=tickets.c.returns + 1)

    def solve(self, number: str, note: str = "") -> TicketView:
        """It is done; the one who asked has yet to agree."""
        return self._step(number, "solved", note, solved=self._now)

    def answer(self, number: str, text: str) -> TicketView:
        """It is done, and this is what whoever asked hears when they ask how it stands. It may be answered anew as long
        as it is not closed."""
        if not text.strip():
            raise ValueError("say what the answer is")
        return self._step(number, "answered", text, answer=text, solved=self._now)

    def close(self, number: str, note: str = "") -> TicketView:
        """It is over."""
        return self._step(number, "closed", note, solved=func.coalesce(tickets.c.solved, self._now))

    def reopen(
        self, number: str, why: str, *, within: timedelta | None = None, calendar: str = ""
    ) -> TicketView:
        """It was not done after all. Its time begins anew when ``within`` is given."""
        more: dict[str, Any] = {"solved": None, "reopens": tickets.c.reopens + 1}
        if within is not None:
            more["due"] = (
                self._due(calendar, self._now, within.total_seconds()) if calendar else self._now + within
            )
            more["escalated"] = None
        return self._step(number, "reopened", why, **more)

    def note(self, number: str, text: str) -> TicketView:
        """Something to remember; the state stays."""
        found = self.get(number)
        self._may_act(found)
        self._session.execute(update(tickets).where(tickets.c.number == number).values(changed=self._now))
        self._history(number, "noted", found.state, found.state, text)
        return self.get(number)

    def _step(self, number: str, what: str, note: str, **more: Any) -> TicketView:
        found = self.get(number)
        self._may_act(found)
        before = found.state
        allowed, after = _STEPS[what]
        done = self._session.execute(
            update(tickets)
            .where(tickets.c.number == number, tickets.c.state.in_(allowed))
            .values(state=after, changed=self._now, **more)
            .returning(tickets.c.number)
        ).first()
        if done is None:
            raise WrongState(f"ticket {number} is {before}: it can't {_SAID[what]}")
        self._history(number, what, before, after, note)
        return self.get(number)

    def _may_own(self, number: str, away_from: str, owner: str) -> None:
        """:class:`WrongState` for an owner of the site that the ticket is kept away from, or of whom nobody knows."""
        site = self._site_of(self._session, owner)
        ticket = f"ticket {number}" if number else "this ticket"
        if site == away_from:
            raise WrongState(f"{ticket} is kept away from {away_from}, and {owner} is there")
        if site is None:
            raise WrongState(
                f"{ticket} is kept away from {away_from}, and nobody knows where {owner} is: "
                "give it to an agent, or to a party with a code"
            )

    def _may_act(self, ticket: TicketView) -> None:
        """:class:`WrongState` when whoever acts is of the site that the ticket is kept away from."""
        if ticket.away_from and self._by and self._site_of(self._session, self._by) == ticket.away_from:
            raise WrongState(
                f"ticket {ticket.number} is kept away from {ticket.away_from}, and {self._by} is there"
            )

    def escalate_due(self) -> list[TicketView]:
        """Mark what is overdue and was not escalated yet; those tickets."""
        due = (
            update(tickets)
            .where(tickets.c.state.in_(OWED), tickets.c.due <= self._now, tickets.c.escalated.is_(None))
            .values(escalated=self._now)
            .returning(tickets.c.number)
        )
        numbers = sorted(self._session.scalars(due))
        found = [self.get(number) for number in numbers]
        for ticket in found:
            self._history(ticket.number, "escalated", ticket.state, ticket.state, ticket.escalate)
        return found

    def next_due(self) -> datetime | None:
        """When the next ticket will have to be escalated."""
        query = select(func.min(tickets.c.due)).where(
            tickets.c.state.in_(OWED), tickets.c.escalated.is_(None)
        )
        return self._session.execute(query).scalar()

    # -- telling --------------------------------------------------------------------------------------

    def _history(self, number: str, what: str, before: str, after: str, note: str) -> None:
        self._session.execute(
            insert(ticket_history).values(
                ticket=number,
                at=self._now,
                what=what,
                by=self._by,
                before=before,
                after=after,
                note=note,
                told=False,
            )
        )

    def untold(self, limit: int = LIMIT) -> list[tuple[TicketChange, TicketView]]:
        """The changes that journal and plugins don't know of, marked as told in this transaction."""
        query = (
            select(ticket_history)
            .where(ticket_history.c.told.is_(False))
            .order_by(ticket_history.c.id)
            .limit(limit)
        )
        rows = self._session.execute(query).all()
        if rows:
            self._session.execute(
                update(ticket_history)
                .where(ticket_history.c.id.in_([row.id for row in rows]))
                .values(told=True)
            )
        return [(_change(row), self.get(row.ticket)) for row in rows]


def _says(name: str, said: str | int | bool) -> Any:
    """Whether a ticket's data says this, in the database's own terms."""
    value = tickets.c.data[name]
    if isinstance(said, bool):
        return value.as_boolean() == said
    return value.as_integer() == said if isinstance(said, int) else value.as_string() == said


def view(
    row: Any, links: Iterable[tuple[str, str]], titles: Mapping[str, str] = MappingProxyType({})
) -> TicketView:
    """A row as everybody else sees it."""
    data = row.data
    return TicketView(
        number=row.number,
        kind=row.kind,
        department=row.department,
        group=row.group,
        owner=row.owner,
        state=row.state,
        opened=row.opened,
        changed=row.changed,
        due=row.due,
        escalated=row.escalated,
        escalate=row.escalate,
        caller=row.caller,
        call=row.call,
        data=decode(data) if isinstance(data, str) else (data or {}),
        links=tuple(links),
        party=row.party or 0,
        answer=row.answer,
        solved=row.solved,
        reopens=row.reopens,
        returns=row.returns,
        titles=titles,
        away_from=row.away_from,
    )


def _change(row: Any) -> TicketChange:
    return TicketChange(
        ticket=row.ticket, at=row.at, what=row.what, by=row.by, before=row.before, after=row.after,
        note=row.note,
    )  # fmt: skip
