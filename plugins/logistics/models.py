"""The logistics department's own tables: waybills and what happened to them, and what callers were told of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, String, Text
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
