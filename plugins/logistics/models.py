"""The logistics department's own tables: waybills and what happened to them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, String
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


class Event(Base):
    """One thing that happened to a shipment: a state that it reached, or an exception."""

    __tablename__ = "logistics_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(ForeignKey("logistics_waybills.number"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    what: Mapped[str] = mapped_column(String(12))  # one of adapters.STATES or adapters.PROBLEMS
    city: Mapped[str] = mapped_column(String(40))
