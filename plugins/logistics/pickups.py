"""Orders to pick something up: the contract, the department's own tables, a company's system over http."""

from __future__ import annotations

import secrets
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, Protocol, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.api import Digits, HttpClient, Record, Refused

from .models import PickupRow

#: placed: the caller ordered it; complete: the desk wrote down what was dictated; cancelled.
State = Literal["placed", "complete", "cancelled"]
STATES: Final[tuple[str, ...]] = get_args(State)


class Wanted(Record):
    """The five facts (who, phone, address, goods, weight and volume), and which branch is to come. What is still a clip
    that somebody has to write down is ""."""

    customer: str  # the number that called
    contact: str
    phone: str
    area: str
    district: str
    address: str
    goods: str
    weight: Decimal  # kg
    volume: Decimal  # m3
    branch: str
    quote: int  # 0 without one


class Ordered(Record):
    """An order to pick something up."""

    number: Digits
    made: datetime
    customer: str
    contact: str
    phone: str
    area: str
    district: str
    address: str
    goods: str
    weight: Decimal
    volume: Decimal
    branch: str
    quote: int
    state: State
    completed: datetime | None
    completed_by: str


def notice_key(number: str) -> str:
    """By which the notice of an order is found again."""
    return f"logistics.pickup:{number}"


class Pickups(Protocol):
    """The company's orders to pick something up."""

    def place(self, wanted: Wanted, *, now: datetime, key: str) -> Ordered:
        """A new order."""

    def find(self, number: str) -> Ordered | None:
        """The order of that number, or None."""

    def complete(
        self, number: str, contact: str, address: str, goods: str, by: str, *, now: datetime, key: str
    ) -> Ordered:
        """The desk wrote down what was dictated ("": nothing new). Refused: unknown, cancelled."""

    def of(self, branch: str, *, since: datetime) -> list[Ordered]:
        """What a branch ("": any) is to pick up that was ordered since, the newest first."""


class SqlPickups:
    """Orders in the department's own tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def place(self, wanted: Wanted, *, now: datetime, key: str) -> Ordered:
        row = PickupRow(
            made=now, state="placed", number=secrets.token_hex(6), completed_by="", **wanted.model_dump()
        )
        self._session.add(row)
        self._session.flush()
        row.number = f"{FIRST + row.id}"
        self._session.flush()
        return Ordered.model_validate(row)

    def find(self, number: str) -> Ordered | None:
        row = self._row(number)
        return None if row is None else Ordered.model_validate(row)

    def complete(
        self, number: str, contact: str, address: str, goods: str, by: str, *, now: datetime, key: str
    ) -> Ordered:
        row = self._row(number)
        if row is None:
            raise Refused("unknown", number=number, say=f"there is no pick-up {number}")
        if row.state == "cancelled":
            raise Refused("cancelled", number=number, say=f"pick-up {number} was cancelled")
        row.contact, row.address, row.goods = (
            contact or row.contact,
            address or row.address,
            goods or row.goods,
        )
        row.state, row.completed, row.completed_by = "complete", now, by
        self._session.flush()
        return Ordered.model_validate(row)

    def of(self, branch: str, *, since: datetime) -> list[Ordered]:
        rows = select(PickupRow).where(PickupRow.made >= since).order_by(PickupRow.id.desc())
        if branch:
            rows = rows.where(PickupRow.branch == branch)
        return [Ordered.model_validate(row) for row in self._session.scalars(rows)]

    def _row(self, number: str) -> PickupRow | None:
        return self._session.scalars(select(PickupRow).where(PickupRow.number == number)).one_or_none()


FIRST: Final = 70_000_000
"""Numbers of orders begin behind this: eight digits, as callers type them."""


class HttpPickups:
    """Orders in the company's own system: ``POST <method>`` with the method's arguments by name."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def place(self, wanted: Wanted, *, now: datetime, key: str) -> Ordered:
        placed: Ordered = self._client.do("place", {"wanted": wanted, "now": now}, Ordered, key=key)
        return placed

    def find(self, number: str) -> Ordered | None:
        found: Ordered | None = self._client.ask("find", {"number": number}, Ordered | None)
        return found

    def complete(
        self, number: str, contact: str, address: str, goods: str, by: str, *, now: datetime, key: str
    ) -> Ordered:
        asked = {
            "number": number,
            "contact": contact,
            "address": address,
            "goods": goods,
            "by": by,
            "now": now,
        }
        done: Ordered = self._client.do("complete", asked, Ordered, key=key)
        return done

    def of(self, branch: str, *, since: datetime) -> list[Ordered]:
        found: list[Ordered] = self._client.ask("of", {"branch": branch, "since": since}, list[Ordered])
        return found
