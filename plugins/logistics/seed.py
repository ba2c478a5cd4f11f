"""The sample company's shipments: ``sample/waybills.csv``, in days around the day on which they are put in."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import TypeDecorator
from sqlalchemy.orm import Session

from .models import (
    AddressRow,
    Base,
    BranchRow,
    City,
    DistrictRow,
    Event,
    LiabilityRule,
    Service,
    TariffRow,
    Waybill,
)

SAMPLE = Path(__file__).parent / "sample"
_HOME = ZoneInfo("Asia/Shanghai")


def fill(session: Session, today: date) -> None:
    """Put the sample company into empty tables. ``today`` is day 0 of the files."""
    read_in(session, SAMPLE / "waybills.csv", today)
    read_in(session, SAMPLE / "delivered.csv", today)
    for file, model in (
        ("cities", City), ("tariffs", TariffRow), ("districts", DistrictRow), ("branches", BranchRow),
        ("addresses", AddressRow), ("rules", LiabilityRule),
    ):  # fmt: skip
        session.add_all(model(**row) for row in rows_of(SAMPLE / f"{file}.csv", model, today))


def read_in(session: Session, path: Path, today: date) -> int:
    """Put in the waybills of a file, in place of those that have the same numbers; how many there were. Days are
    written ``2026-11-27``, or as a number of days from ``today``. ValueError for what is no such file."""
    count = 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            events = [_event(told, today) for told in row["events"].split(";")]
            session.merge(
                Waybill(
                    number=row["number"],
                    origin=row["origin"],
                    destination=row["destination"],
                    due=_moment(row["due"], today),
                    handed_to=row["handed_to"],
                    events=events,
                    services=[
                        _service(told, today) for told in (row.get("services") or "").split(";") if told
                    ],
                )
            )
            count += 1
    return count


def rows_of(path: Path, model: type[Base], today: date) -> Iterator[dict[str, Any]]:
    """The rows of a file whose first line names columns of ``model``, as their types. ValueError for what is none."""
    columns = model.__table__.columns
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            yield {name: _typed(_kind(columns[name].type), value, today) for name, value in row.items()}


def _kind(column: Any) -> type:
    kind: type = (column.impl_instance if isinstance(column, TypeDecorator) else column).python_type
    return kind


def _typed(kind: type, value: str, today: date) -> Any:
    if kind is datetime:
        return _moment(value, today)
    if kind is date:
        return date.fromisoformat(value) if len(value) == 10 else today + timedelta(days=int(value))
    if kind is time:
        return time.fromisoformat(value)
    return kind(value)


def _event(told: str, today: date) -> Event:
    """``-1 09:30 departed 广州``"""
    day, clock, what, city = told.split()
    return Event(at=_moment(f"{day} {clock}", today), what=what, city=city)


def _service(told: str, today: date) -> Service:
    """``crate -1 16:20``, or ``delivery`` for one that was not done yet."""
    what, _, when = told.partition(" ")
    return Service(what=what, done_at=_moment(when, today) if when else None)


def _moment(told: str, today: date) -> datetime:
    said, clock = told.split()
    day = date.fromisoformat(said) if len(said) == 10 else today + timedelta(days=int(said))
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=_HOME)
