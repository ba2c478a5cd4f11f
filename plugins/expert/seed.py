"""The sample company's topics and first-line staff; and what tests put in."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from .models import StaffMember, Topic

_SAMPLE = Path(__file__).parent / "sample"


def fill(session: Session, today: date) -> None:
    """Put the sample into empty tables; ``today`` is for departments whose sample has days."""
    take_topics(session, _SAMPLE / "topics.csv")
    take_staff(session, _SAMPLE / "staff.csv")


def take_topics(session: Session, path: Path) -> int:
    """Put in the topics of a file, in place of those with the same codes; how many there were."""
    rows = list(_rows(path))
    for row in rows:
        session.merge(Topic(**{**row, "place": int(row["place"]), "hours": int(row["hours"])}))
    return len(rows)


def take_staff(session: Session, path: Path) -> int:
    """Put in the people of a file, in place of those with the same numbers; how many there were."""
    rows = list(_rows(path))
    for row in rows:
        session.merge(StaffMember(**{**row, "left": row.get("left", "") == "yes"}))
    return len(rows)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


#: For ``seed`` in tests.
FACTORIES: Mapping[str, Callable[..., Any]] = {}
