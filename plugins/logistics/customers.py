"""Who has asked for a price, who is to be called again, where things are picked up: the contract of the company's
customer system, the department's own tables, and a company's system over http."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, Protocol, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.api import HttpClient, Record, Refused

from .models import AddressRow, FollowUpRow, QuoteRow
from .prices import Quote

#: lead: a quote that no order came of; care: it is time to ask how things are; owed: gave up waiting for the desk.
Kind = Literal["lead", "care", "owed"]
#: won: an order came of it; thinking: asks for time; lost; unreachable; satisfied; complains; stop: wants no calls.
Outcome = Literal["won", "thinking", "lost", "unreachable", "satisfied", "complains", "stop"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
OUTCOMES: Final[tuple[str, ...]] = get_args(Outcome)


class Who(Record):
    """A customer, as far as the centre knows."""

    number: str  # E.164; "" when it was withheld
    name: str
    tier: str  # diamond, gold, ordinary


class Address(Record):
    """Where things of a customer are picked up."""

    id: int
    contact: str
    phone: str
    area: str
    district: str
    line: str


class FollowUp(Record):
    """A customer who is to be called on a day, or was."""

    id: int
    customer: str
    name: str
    tier: str
    kind: Kind
    quote: int | None
    due: date
    done: datetime | None
    outcome: str
    note: str
    by: str


class Quoted(Record):
    """A quote that was told to somebody."""

    id: int
    made: datetime
    customer: str
    name: str
    tier: str
    origin: str
    destination: str
    version: int
    weight: Decimal
    volume: Decimal
    total: Decimal
    pickup: str


class Customers(Protocol):
    """The company's customers, as sales keeps them."""

    def addresses(self, customer: str) -> list[Address]:
        """Where things of this customer (by number) are picked up, the one used last first; nine at most."""

    def keep_address(self, customer: str, address: Address, *, now: datetime, key: str) -> int:
        """An address is used now; its id. The same line in the same district is one address."""

    def keep_quote(self, quote: Quote, who: Who, *, now: datetime, call_on: date, key: str) -> int:
        """A quote was told; its id. Somebody with a number becomes a lead who is to be called on ``call_on``; of a
        customer with an open lead already, that one is about the newer quote now."""

    def ordered(self, quote: int, pickup: str, *, now: datetime, key: str) -> bool:
        """An order came of a quote: its lead is won. False for a quote that there is not."""

    def quotes(self, *, since: datetime) -> list[Quoted]:
        """What was quoted, the newest first."""

    def followups(self, *, until: date) -> list[FollowUp]:
        """Who is to be called up to a day, the longest due first."""

    def done_followups(self, *, since: datetime) -> list[FollowUp]:
        """Who was called, the last first."""

    def follow(self, who: Who, kind: Kind, due: date, *, key: str) -> int:
        """A customer is to be called on a day; the id. One with an open follow-up of the kind already is so then."""

    def settle(
        self, followup: int, outcome: Outcome, note: str, by: str, *, now: datetime, again: date | None, key: str
    ) -> FollowUp:  # fmt: skip
        """A customer was called; ``again`` is when the next time will be. Refused: unknown, done."""


class SqlCustomers:
    """Customers in the department's own tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def addresses(self, customer: str) -> list[Address]:
        rows = self._session.scalars(
            select(AddressRow)
            .where(AddressRow.customer == customer)
            .order_by(AddressRow.used.desc(), AddressRow.id.desc())
            .limit(9)
        )
        return [Address.model_validate(row) for row in rows]

    def keep_address(self, customer: str, address: Address, *, now: datetime, key: str) -> int:
        row = self._session.scalars(
            select(AddressRow).where(
                AddressRow.customer == customer,
                AddressRow.area == address.area,
                AddressRow.district == address.district,
                AddressRow.line == address.line,
            )
        ).first()
        if row is None:
            row = AddressRow(
                customer=customer, area=address.area, district=address.district, line=address.line
            )
            self._session.add(row)
        row.contact, row.phone, row.used = address.contact, address.phone, now
        self._session.flush()
        return row.id

    def keep_quote(self, quote: Quote, who: Who, *, now: datetime, call_on: date, key: str) -> int:
        row = QuoteRow(
            made=now,
            customer=who.number,
            name=who.name,
            tier=who.tier,
            lines=";".join(f"{line.kind} {line.amount}" for line in quote.lines),
            pickup="",
            **quote.model_dump(exclude={"lines"}),
        )
        self._session.add(row)
        self._session.flush()
        if who.number:
            lead = self._open(who.number, "lead")
            if lead is None:
                lead = self._new(who, "lead", call_on)
            lead.quote, lead.due = row.id, call_on
        return row.id

    def ordered(self, quote: int, pickup: str, *, now: datetime, key: str) -> bool:
        row = self._session.get(QuoteRow, quote)
        if row is None:
            return False
        row.pickup = pickup
        lead = self._open(row.customer, "lead") if row.customer else None
        if lead is not None:
            lead.done, lead.outcome, lead.note = now, "won", f"pick-up {pickup}"
        return True

    def quotes(self, *, since: datetime) -> list[Quoted]:
        rows = self._session.scalars(
            select(QuoteRow).where(QuoteRow.made >= since).order_by(QuoteRow.id.desc())
        )
        return [Quoted.model_validate(row) for row in rows]

    def followups(self, *, until: date) -> list[FollowUp]:
        rows = self._session.scalars(
            select(FollowUpRow)
            .where(FollowUpRow.done.is_(None), FollowUpRow.due <= until)
            .order_by(FollowUpRow.due, FollowUpRow.id)
        )
        return [FollowUp.model_validate(row) for row in rows]

    def done_followups(self, *, since: datetime) -> list[FollowUp]:
        rows = self._session.scalars(
            select(FollowUpRow)
            .where(FollowUpRow.done >= since)
            .order_by(FollowUpRow.done.desc(), FollowUpRow.id)
        )
        return [FollowUp.model_validate(row) for row in rows]

    def follow(self, who: Who, kind: Kind, due: date, *, key: str) -> int:
        row = self._open(who.number, kind) or self._new(who, kind, due)
        row.due = due
        self._session.flush()
        return row.id

    def settle(
        self, followup: int, outcome: Outcome, note: str, by: str, *, now: datetime, again: date | None, key: str
    ) -> FollowUp:  # fmt: skip
        row = self._session.get(FollowUpRow, followup)
        if row is None:
            raise Refused("unknown", followup=followup, say=f"there is no follow-up {followup}")
        if row.done is not None:
            raise Refused(
                "done", by=row.by, at=row.done, say=f"follow-up {followup} was done by {row.by or 'somebody'}"
            )
        row.done, row.outcome, row.note, row.by = now, outcome, note, by
        if again is not None:
            kind: Kind = "care"
            if outcome in ("thinking", "unreachable"):
                kind = "owed" if row.kind == "owed" else "lead"
            if row.kind != "owed" or self._open(row.customer, kind) is None:
                who = Who(number=row.customer, name=row.name, tier=row.tier)
                self._new(who, kind, again).quote = row.quote
        self._session.flush()
        return FollowUp.model_validate(row)

    def _open(self, customer: str, kind: str) -> FollowUpRow | None:
        return self._session.scalars(
            select(FollowUpRow).where(
                FollowUpRow.customer == customer, FollowUpRow.kind == kind, FollowUpRow.done.is_(None)
            )
        ).first()

    def _new(self, who: Who, kind: str, due: date) -> FollowUpRow:
        row = FollowUpRow(
            customer=who.number, name=who.name, tier=who.tier, kind=kind, due=due, outcome="", note="", by=""
        )
        self._session.add(row)
        return row


class HttpCustomers:
    """Customers in the company's own system: ``POST <method>`` with the method's arguments by name."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def addresses(self, customer: str) -> list[Address]:
        found: list[Address] = self._client.ask("addresses", {"customer": customer}, list[Address])
        return found

    def keep_address(self, customer: str, address: Address, *, now: datetime, key: str) -> int:
        asked = {"customer": customer, "address": address, "now": now}
        return int(self._client.do("keep_address", asked, int, key=key))

    def keep_quote(self, quote: Quote, who: Who, *, now: datetime, call_on: date, key: str) -> int:
        asked = {"quote": quote, "who": who, "now": now, "call_on": call_on}
        return int(self._client.do("keep_quote", asked, int, key=key))

    def ordered(self, quote: int, pickup: str, *, now: datetime, key: str) -> bool:
        asked = {"quote": quote, "pickup": pickup, "now": now}
        return bool(self._client.do("ordered", asked, bool, key=key))

    def quotes(self, *, since: datetime) -> list[Quoted]:
        found: list[Quoted] = self._client.ask("quotes", {"since": since}, list[Quoted])
        return found

    def followups(self, *, until: date) -> list[FollowUp]:
        found: list[FollowUp] = self._client.ask("followups", {"until": until}, list[FollowUp])
        return found

    def done_followups(self, *, since: datetime) -> list[FollowUp]:
        found: list[FollowUp] = self._client.ask("done_followups", {"since": since}, list[FollowUp])
        return found

    def follow(self, who: Who, kind: Kind, due: date, *, key: str) -> int:
        return int(self._client.do("follow", {"who": who, "kind": kind, "due": due}, int, key=key))

    def settle(
        self, followup: int, outcome: Outcome, note: str, by: str, *, now: datetime, again: date | None, key: str
    ) -> FollowUp:  # fmt: skip
        asked = {"followup": followup, "outcome": outcome, "note": note, "by": by, "now": now, "again": again}
        found: FollowUp = self._client.do("settle", asked, FollowUp, key=key)
        return found
