"""What the desk sees of a caller: the shipments that are on their way to where the caller is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from .adapters import Shipment, SqlWaybills
from .models import Waybill


def bound_for(session: Session, city: str, *, now: datetime, most: int = 5) -> list[Shipment]:
    """The shipments to ``city`` that are not delivered at ``now``, those that are late first."""
    waybills = SqlWaybills(session)
    numbers = session.scalars(select(Waybill.number).where(Waybill.destination == city)).all()
    found = [shipment for number in numbers if (shipment := waybills.track(number, now=now)) is not None]
    waiting = [one for one in found if one.state != "delivered"]
    return sorted(waiting, key=lambda one: (-one.late_hours, one.number))[:most]
