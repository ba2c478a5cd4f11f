"""Shipments past their promised day: what the desk is told each working morning, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.api import Context, NoticeView

from .adapters import SqlWaybills
from .models import Waybill


@dataclass(frozen=True)
class Overdue:
    """How many there are, and the one that is overdue the longest."""

    count: int
    worst: str
    hours: int


def overdue(session: Session, *, now: datetime) -> Overdue | None:
    """What is late at ``now`` and not delivered; None when nothing is."""
    system = SqlWaybills(session)
    late = []
    for number in session.scalars(select(Waybill.number).where(Waybill.due < now).order_by(Waybill.due)):
        shipment = system.track(number, now=now)
        if shipment is not None and shipment.state != "delivered":
            late.append(shipment)
    return Overdue(len(late), late[0].number, late[0].late_hours) if late else None


def task_of(ctx: Context, notice: NoticeView, to: str) -> None:
    """A notice becomes a ticket that the desk works off within four hours; ``to`` is its owner, if it says one."""
    ctx.tickets.open(
        "notice",
        group="logistics",
        owner=to,
        within=timedelta(hours=4),
        calendar="office",
        data={"notice": notice.id, "text": notice.text, "level": notice.level},
    )
