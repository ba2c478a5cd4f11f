"""Counting what callers report: by area, in a stretch of time, each meter (door, waybill …) once.

A mark stands until its time is over. Whoever reports the same key again meanwhile is not counted again, and the
mark stays as it was: a fault that is reported for hours is one fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from engine.store.tables_tickets import tally_marks
from engine.store.upserts import insert_in


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are now in the area, this one with them."""

    count: int
    first: bool  # this is the first in the area
    again: bool  # this key was counted already

    def plain(self) -> dict[str, Any]:
        return {"count": self.count, "first": self.first, "again": self.again}


def area_of(by: Mapping[str, Any]) -> str:
    """The area as it is kept: ``{"area": "0201", "kind": "dark"}`` -> ``area=0201 kind=dark``."""
    return " ".join(f"{name}={by[name]}" for name in sorted(by))


def count(session: Session, name: str, area: str, key: str, *, now: datetime, window: float) -> Counted:
    """Count ``key`` in ``area`` for ``window`` seconds, unless it stands there already."""
    add = insert_in(session)
    until = now + timedelta(seconds=window)
    statement = add(tally_marks).values(name=name, area=area, key=key, at=now, until=until)
    fresh = session.execute(
        statement.on_conflict_do_update(
            index_elements=["name", "area", "key"],
            set_={"at": now, "until": until},
            where=tally_marks.c.until <= now,
        ).returning(tally_marks.c.key)
    ).first()
    total = session.execute(
        select(func.count()).where(
            tally_marks.c.name == name, tally_marks.c.area == area, tally_marks.c.until > now
        )
    ).scalar_one()
    return Counted(total, fresh is not None and total == 1, fresh is None)


def rows(session: Session, now: datetime, name: str = "", limit: int = 1000) -> list[dict[str, Any]]:
    """What stands now: a row for each tally and area, the most first."""
    number = func.count().label("count")
    query = select(
        tally_marks.c.name,
        tally_marks.c.area,
        number,
        func.min(tally_marks.c.at).label("first"),
        func.max(tally_marks.c.at).label("last"),
    ).where(tally_marks.c.until > now)
    if name:
        query = query.where(tally_marks.c.name == name)
    query = query.group_by(tally_marks.c.name, tally_marks.c.area).order_by(number.desc(), tally_marks.c.area)
    return [dict(row._mapping) for row in session.execute(query.limit(limit))]


def forget(session: Session, before: datetime) -> None:
    """Delete the marks whose time was over before then."""
    session.execute(delete(tally_marks).where(tally_marks.c.until < before))
