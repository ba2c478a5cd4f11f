"""The sample company's shipments: ``sample/waybills.csv``, in days around the day on which they are put in."""

from __future__ import annotations

import csv
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from .models import Event, Waybill

_HOME = ZoneInfo("Asia/Shanghai")


def fill(session: Session, today: date) -> None:
    """Put the sample waybills into empty tables. ``today`` is day 0 of the file."""
    with (Path(__file__).parent / "sample" / "waybills.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            events = [_event(told, today) for told in row["events"].split(";")]
            session.add(
                Waybill(
                    number=row["number"],
                    origin=row["origin"],
                    destination=row["destination"],
                    due=_moment(row["due"], today),
                    handed_to=row["handed_to"],
                    events=events,
                )
            )


def _event(told: str, today: date) -> Event:
    """``-1 09:30 departed 广州``"""
    day, clock, what, city = told.split()
    return Event(at=_moment(f"{day} {clock}", today), what=what, city=city)


def _moment(told: str, today: date) -> datetime:
    day, clock = told.split()
    return datetime.combine(today + timedelta(days=int(day)), time.fromisoformat(clock), tzinfo=_HOME)
