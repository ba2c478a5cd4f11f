"""How the department asks for shipments: the contract, its own tables as the built-in answer, and a company's system
over http."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol, get_args

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from engine.api import Digits, HttpClient, Record

from .models import Event, Service, Waybill

#: 已受理 已接货 已开单 已出发 到达中转 到达网点 派送中 已签收, in the order in which a shipment goes through them.
State = Literal[
    "accepted", "collected", "billed", "departed", "transit", "arrived", "delivering", "delivered"
]
#: 破损 少货 滞留 拒收 改址
Problem = Literal["none", "damaged", "short", "held", "refused", "readdressed"]

#: 接货 送货 进仓 木架 保价 代收货款 签收回单
ServiceKind = Literal["pickup", "delivery", "entry", "crate", "insurance", "cod", "receipt"]

STATES: tuple[str, ...] = get_args(State)
SERVICES: tuple[str, ...] = get_args(ServiceKind)
PROBLEMS: tuple[str, ...] = get_args(Problem)[1:]


class ServiceDone(Record):
    """A value-added service of a shipment."""

    what: ServiceKind
    done: bool
    at: datetime | None  # when it was done


class Shipment(Record):
    """A shipment as a caller may know it."""

    number: Digits
    state: State
    problem: Problem  # what stands in its way now; "none" once it moved on
    origin: str
    destination: str
    city: str  # where it was last seen
    at: datetime  # when that was
    due: datetime  # when it was promised
    late_hours: int  # whole hours past `due`; 0 while it is in time and once it is delivered
    handed_to: str  # who carries the last mile; "" for our own people
    collected: datetime | None  # when it came into our hands
    services: list[ServiceDone]


class WaybillSystem(Protocol):
    """The company's waybills."""

    def track(self, number: str, *, now: datetime) -> Shipment | None:
        """The shipment as it stands at ``now`` (aware), or None for an unknown number. A waybill to which
        nothing has happened yet is accepted."""

    def bound_for(self, city: str, *, now: datetime, most: int) -> list[Shipment]:
        """The shipments to ``city`` that are not delivered at ``now``, those that are late first; ``most`` at most."""

    def overdue(self, *, now: datetime, hours: int) -> list[Shipment]:
        """What is not delivered at ``now`` and at least ``hours`` past its promised time, the longest first."""

    def took(self, origin: str, destination: str, *, now: datetime, days: int) -> list[int]:
        """In how many whole hours from their collection the shipments between two cities came to the door that were
        delivered in the last ``days`` days, the fastest first."""


class SqlWaybills:
    """Waybills from the department's own tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def track(self, number: str, *, now: datetime) -> Shipment | None:
        waybill = self._session.get(Waybill, number)
        if waybill is None:
            return None
        happened = [event for event in waybill.events if event.at <= now]
        last = happened[-1] if happened else None
        reached = next((event.what for event in reversed(happened) if event.what in STATES), "accepted")
        late = timedelta() if reached == "delivered" else max(timedelta(), now - waybill.due)
        return Shipment.model_validate(
            {
                "number": waybill.number,
                "state": reached,
                "problem": last.what if last is not None and last.what in PROBLEMS else "none",
                "origin": waybill.origin,
                "destination": waybill.destination,
                "city": last.city if last is not None else waybill.origin,
                "at": last.at if last is not None else now,
                "due": waybill.due,
                "late_hours": int(late.total_seconds()) // 3600,
                "handed_to": waybill.handed_to,
                "collected": next((event.at for event in happened if event.what == "collected"), None),
                "services": [_service(one, now) for one in waybill.services],
            }
        )

    def bound_for(self, city: str, *, now: datetime, most: int) -> list[Shipment]:
        found = self._open(Waybill.destination == city, now)
        return sorted(found, key=lambda one: (-one.late_hours, one.number))[:most]

    def overdue(self, *, now: datetime, hours: int) -> list[Shipment]:
        return self._open(Waybill.due <= now - timedelta(hours=hours), now)

    def took(self, origin: str, destination: str, *, now: datetime, days: int) -> list[int]:
        ends = aliased(Event)
        rows = self._session.execute(
            select(func.min(Event.at), func.min(ends.at))
            .select_from(Waybill)
            .join(Event, Event.number == Waybill.number)
            .join(ends, ends.number == Waybill.number)
            .where(Waybill.origin == origin, Waybill.destination == destination)
            .where(Event.what == "collected", ends.what == "delivered")
            .group_by(Waybill.number)
        ).all()
        since = now - timedelta(days=days)
        return sorted(
            int((_aware(end) - _aware(begin)).total_seconds()) // 3600
            for begin, end in rows
            if since <= _aware(end) <= now
        )

    def _open(self, which: ColumnElement[bool], now: datetime) -> list[Shipment]:
        """Those that are on their way, what was promised first in front."""
        numbers = self._session.scalars(select(Waybill.number).where(which).order_by(Waybill.due)).all()
        found = [shipment for number in numbers if (shipment := self.track(number, now=now)) is not None]
        return [one for one in found if one.state != "delivered"]


def _service(service: Service, now: datetime) -> dict[str, Any]:
    done = service.done_at is not None and service.done_at <= now
    return {"what": service.what, "done": done, "at": service.done_at if done else None}


def _aware(moment: datetime) -> datetime:
    """What an aggregate gives has lost its column's type on some databases."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


class HttpWaybills:
    """Waybills from the company's own system: ``POST track`` with ``{"number", "now"}``, null for an unknown one;
    ``bound_for`` with ``{"city", "now", "most"}``, ``overdue`` with ``{"now", "hours"}``, ``took`` with ``{"origin",
    "destination", "now", "days"}``."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def track(self, number: str, *, now: datetime) -> Shipment | None:
        found: Shipment | None = self._client.ask("track", {"number": number, "now": now}, Shipment | None)
        return found

    def bound_for(self, city: str, *, now: datetime, most: int) -> list[Shipment]:
        found: list[Shipment] = self._client.ask(
            "bound_for", {"city": city, "now": now, "most": most}, list[Shipment]
        )
        return found

    def overdue(self, *, now: datetime, hours: int) -> list[Shipment]:
        found: list[Shipment] = self._client.ask("overdue", {"now": now, "hours": hours}, list[Shipment])
        return found

    def took(self, origin: str, destination: str, *, now: datetime, days: int) -> list[int]:
        asked = {"origin": origin, "destination": destination, "now": now, "days": days}
        found: list[int] = self._client.ask("took", asked, list[int])
        return found
