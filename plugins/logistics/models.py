"""The logistics department's own tables: waybills and what happened to them, and what callers were told of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Numeric, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A moment, aware in the program and UTC in the table: SQLite has no time zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Amount(TypeDecorator[Decimal]):
    """Money, weights and volumes, exact: SQLite has no decimal numbers, so they are text there."""

    impl = Numeric(14, 3)
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(String(20) if dialect.name == "sqlite" else Numeric(14, 3))

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> Any:
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(str(value)).normalize() + 0


class Base(DeclarativeBase):
    pass


class Waybill(Base):
    """A shipment. Who sends and who receives it is not needed here, and not kept."""

    __tablename__ = "logistics_waybills"

    number: Mapped[str] = mapped_column(String(14), primary_key=True)
    origin: Mapped[str] = mapped_column(String(40))
    destination: Mapped[str] = mapped_column(String(40))
    due: Mapped[datetime] = mapped_column(Instant, index=True)  # promised at the door
    handed_to: Mapped[str] = mapped_column(
        String(40), default=""
    )  # the last mile's carrier, when not our own

    events: Mapped[list[Event]] = relationship(order_by="Event.at, Event.id", cascade="all, delete-orphan")
    services: Mapped[list[Service]] = relationship(order_by="Service.id", cascade="all, delete-orphan")


class Event(Base):
    """One thing that happened to a shipment: a state that it reached, or an exception."""

    __tablename__ = "logistics_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(ForeignKey("logistics_waybills.number"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    what: Mapped[str] = mapped_column(String(12))  # one of adapters.STATES or adapters.PROBLEMS
    city: Mapped[str] = mapped_column(String(40))


class Service(Base):
    """A value-added service that was ordered with a shipment, and when it was done."""

    __tablename__ = "logistics_services"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(ForeignKey("logistics_waybills.number"), index=True)
    what: Mapped[str] = mapped_column(String(12))  # one of adapters.SERVICES
    done_at: Mapped[datetime | None] = mapped_column(Instant)


class Forecast(Base):
    """An arrival window as a caller was told it, to be compared with the truth later."""

    __tablename__ = "logistics_forecasts"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(14), index=True)
    told: Mapped[datetime] = mapped_column(Instant, index=True)
    earliest: Mapped[datetime] = mapped_column(Instant)
    latest: Mapped[datetime] = mapped_column(Instant)
    basis: Mapped[str] = mapped_column(String(12))  # one of forecasts.BASES
    shipments: Mapped[int]  # of how many shipments it was made; 0 for the promised day


class Inquiry(Base):
    """A caller who is owed an answer about a shipment of which nobody here knows more (its last mile is another's)."""

    __tablename__ = "logistics_inquiries"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(14), index=True)
    caller: Mapped[str] = mapped_column(String(20))  # whom to call back
    ticket: Mapped[str] = mapped_column(String(9), unique=True)
    opened: Mapped[datetime] = mapped_column(Instant, index=True)
    asked: Mapped[int] = mapped_column(default=1)  # how often somebody called about it
    escalated: Mapped[datetime | None] = mapped_column(Instant)
    answered: Mapped[datetime | None] = mapped_column(Instant)
    answered_by: Mapped[str] = mapped_column(String(40), default="")
    answer: Mapped[str] = mapped_column(Text, default="")


# -- prices ---------------------------------------------------------------------------------------------


class City(Base):
    """A city by its area code, as callers type it."""

    __tablename__ = "logistics_cities"

    code: Mapped[str] = mapped_column(String(4), primary_key=True)  # 020
    name: Mapped[str] = mapped_column(String(40))


class TariffRow(Base):
    """What carriage between two cities costs, in one of its versions. Amounts in yuan."""

    __tablename__ = "logistics_tariffs"

    origin: Mapped[str] = mapped_column(String(40), primary_key=True)
    destination: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[date]  # the first day on which it holds; it ends where a newer version begins
    heavy: Mapped[Decimal] = mapped_column(Amount)  # per kg
    light: Mapped[Decimal] = mapped_column(Amount)  # per m3
    minimum: Mapped[Decimal] = mapped_column(Amount)  # of the freight
    pickup: Mapped[Decimal] = mapped_column(Amount)
    delivery: Mapped[Decimal] = mapped_column(Amount)
    entry: Mapped[Decimal] = mapped_column(Amount)  # into a warehouse
    crate: Mapped[Decimal] = mapped_column(Amount)  # per m3
    insurance: Mapped[Decimal] = mapped_column(Amount)  # per mille of the insured value
    cod: Mapped[Decimal] = mapped_column(Amount)  # per mille of what is collected


class QuoteRow(Base):
    """A price that was told to somebody, with the version of the tariff that it was made of."""

    __tablename__ = "logistics_quotes"

    id: Mapped[int] = mapped_column(primary_key=True)
    made: Mapped[datetime] = mapped_column(Instant, index=True)
    customer: Mapped[str] = mapped_column(String(20), index=True)  # the number that called; "" when withheld
    name: Mapped[str] = mapped_column(String(80))
    tier: Mapped[str] = mapped_column(String(10))
    origin: Mapped[str] = mapped_column(String(40))
    destination: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    weight: Mapped[Decimal] = mapped_column(Amount)
    volume: Mapped[Decimal] = mapped_column(Amount)
    lines: Mapped[str] = mapped_column(Text)  # "freight_weight 222.00;pickup 50.00"
    total: Mapped[Decimal] = mapped_column(Amount)
    pickup: Mapped[str] = mapped_column(String(12), default="")  # the order that came of it


class FollowUpRow(Base):
    """A customer who is to be called on a day: about a quote without an order, or because it is time again."""

    __tablename__ = "logistics_followups"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(String(20), index=True)
    name: Mapped[str] = mapped_column(String(80))
    tier: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(5))  # one of customers.KINDS
    quote: Mapped[int | None]
    due: Mapped[date] = mapped_column(index=True)
    done: Mapped[datetime | None] = mapped_column(Instant)
    outcome: Mapped[str] = mapped_column(String(12), default="")  # one of customers.OUTCOMES, once done
    note: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(40), default="")


# -- picking up -------------------------------------------------------------------------------------------


class DistrictRow(Base):
    """A part of a city, by a key of the phone, and where it is."""

    __tablename__ = "logistics_districts"

    area: Mapped[str] = mapped_column(String(4), primary_key=True)  # the city's area code
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    lat: Mapped[float]
    lon: Mapped[float]


class BranchRow(Base):
    """A branch: where it is, when it is open, whom a notice rings."""

    __tablename__ = "logistics_branches"

    code: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    area: Mapped[str] = mapped_column(String(4), index=True)
    district: Mapped[str] = mapped_column(String(40))
    lat: Mapped[float]
    lon: Mapped[float]
    phone: Mapped[str] = mapped_column(String(20))
    opens: Mapped[time]
    closes: Mapped[time]
    days: Mapped[str] = mapped_column(String(7))  # "1234567": Monday is 1


class AddressRow(Base):
    """An address at which something was picked up of a customer."""

    __tablename__ = "logistics_addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(String(20), index=True)
    contact: Mapped[str] = mapped_column(String(80))
    phone: Mapped[str] = mapped_column(String(20))
    area: Mapped[str] = mapped_column(String(4))
    district: Mapped[str] = mapped_column(String(40))
    line: Mapped[str] = mapped_column(String(200))
    used: Mapped[datetime] = mapped_column(Instant)


class PickupRow(Base):
    """An order to pick something up. What the caller dictated stands in the clips until the desk wrote it down."""

    __tablename__ = "logistics_pickups"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(12), unique=True)
    made: Mapped[datetime] = mapped_column(Instant, index=True)
    customer: Mapped[str] = mapped_column(String(20))
    contact: Mapped[str] = mapped_column(String(80))
    phone: Mapped[str] = mapped_column(String(20))
    area: Mapped[str] = mapped_column(String(4))
    district: Mapped[str] = mapped_column(String(40))
    address: Mapped[str] = mapped_column(String(200))
    goods: Mapped[str] = mapped_column(String(80))
    weight: Mapped[Decimal] = mapped_column(Amount)
    volume: Mapped[Decimal] = mapped_column(Amount)
    branch: Mapped[str] = mapped_column(String(8), index=True)
    quote: Mapped[int]  # 0 without one
    state: Mapped[str] = mapped_column(String(10))  # one of pickups.STATES
    completed: Mapped[datetime | None] = mapped_column(Instant)
    completed_by: Mapped[str] = mapped_column(String(40), default="")


# -- complaints ---------------------------------------------------------------------------------------------


class Complaint(Base):
    """What somebody complained of; its ticket says how it stands."""

    __tablename__ = "logistics_complaints"

    ticket: Mapped[str] = mapped_column(String(9), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))  # one of kinds.KINDS
    waybill: Mapped[str] = mapped_column(String(14), index=True)  # "" without one
    caller: Mapped[str] = mapped_column(String(20))
    opened: Mapped[datetime] = mapped_column(Instant, index=True)


class LiabilityRule(Base):
    """Who is liable for what, in one version. Its words are an item of the knowledge base by the same id, which whoever
    goes by it must have passed."""

    __tablename__ = "logistics_rules"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)  # LIAB-02
    version: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[date]
    title: Mapped[str] = mapped_column(String(80))
    title_en: Mapped[str] = mapped_column(String(80))
    points: Mapped[int]  # what it costs a branch; more than 0


class Verdict(Base):
    """Who is liable for what a complaint is about, by which version of which rule, and what became of that."""

    __tablename__ = "logistics_verdicts"

    ticket: Mapped[str] = mapped_column(String(9), primary_key=True)  # of the complaint
    rule: Mapped[str] = mapped_column(String(20))  # "" while it is not decided
    version: Mapped[int]
    liable: Mapped[str] = mapped_column(String(10), index=True)  # a branch's code, or one of verdicts.OTHERS
    points: Mapped[int]
    note: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))  # one of verdicts.STATES
    given: Mapped[datetime] = mapped_column(Instant)
    given_by: Mapped[str] = mapped_column(String(40))
    signed: Mapped[datetime | None] = mapped_column(Instant)
    signed_by: Mapped[str] = mapped_column(String(40), default="")
    appeal_until: Mapped[datetime | None] = mapped_column(Instant)
    appealed: Mapped[datetime | None] = mapped_column(Instant)
    appeal_ticket: Mapped[str] = mapped_column(String(9), default="")
    reason: Mapped[str] = mapped_column(Text, default="")  # of the appeal; a clip's id where it was dictated
    decided: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[str] = mapped_column(String(40), default="")


class Score(Base):
    """One movement of a branch's score, which begins at 100."""

    __tablename__ = "logistics_scores"

    id: Mapped[int] = mapped_column(primary_key=True)
    branch: Mapped[str] = mapped_column(String(8), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    points: Mapped[int]
    ticket: Mapped[str] = mapped_column(String(9), unique=True)  # one complaint moves it once
    why: Mapped[str] = mapped_column(String(40))  # LIAB-02 v3
