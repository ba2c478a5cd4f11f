"""The sample company's people, pay, benefits and leave: the tables of ``sample/``, in days and months around the day on
which they are put in."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

from sqlalchemy import delete
from sqlalchemy.orm import Session

from .adapters import BENEFITS, LEAVES
from .models import BenefitRow, BranchRow, LeaveRow, PersonRow, SlipLineRow
from .slips import KINDS, slip_of

_SAMPLE = Path(__file__).parent / "sample"


def fill(session: Session, today: date) -> None:
    """Put the sample into empty tables. ``today`` is day 0 of its files."""
    session.add_all(BranchRow(**row) for row in rows_of(_SAMPLE / "branches.csv"))
    session.flush()
    for row in rows_of(_SAMPLE / "people.csv"):
        since = row.pop("posted")
        session.add(PersonRow(**row, posted=today - timedelta(days=int(since)) if since else None))
    read_slips(session, _SAMPLE / "slips.csv", today)
    for row in rows_of(_SAMPLE / "benefits.csv"):
        session.add(
            BenefitRow(
                employee=row["employee"],
                kind=_one_of(row["kind"], BENEFITS),
                until=today + timedelta(days=int(row["until"])),
                granted=Decimal(row["granted"]),
                used=Decimal(row["used"]),
            )
        )
    for row in rows_of(_SAMPLE / "leave.csv"):
        session.add(
            LeaveRow(
                employee=row["employee"],
                kind=_one_of(row["kind"], LEAVES),
                until=today + timedelta(days=int(row["until"])),
                half_days=int(row["half_days"]),
                taken=int(row["taken"]),
            )
        )


def read_slips(session: Session, path: Path, today: date) -> int:
    """Put in the slips of a file, in place of those of the same employees and months; how many there were. Months are
    written ``2026-10``, or as a number of months from ``today``. ValueError, which names the line and no amount, for a
    slip whose 实发 is not what its lines make."""
    count = 0
    for number, row in enumerate(rows_of(path), 1):
        where = f"slip {number}"
        try:
            employee, month = row["employee"], _month(row["month"], today)
            amounts = [(kind, Decimal(row[kind] or "0")) for kind in KINDS]
            net = Decimal(row["net"])
        except (KeyError, InvalidOperation, ValueError) as error:
            raise ValueError(
                f"{where}: {type(error).__name__}: employee, month, {', '.join(KINDS)}, net"
            ) from None
        if not employee.isdigit() or any(amount != round(amount, 2) for _, amount in amounts):
            raise ValueError(f"{where}: an employee is digits, and an amount has two decimals at most")
        if slip_of(employee, month, amounts).net != net:
            raise ValueError(f"{where}: the net pay is not what the lines make")
        session.execute(
            delete(SlipLineRow).where(SlipLineRow.employee == employee, SlipLineRow.month == month)
        )
        session.add_all(
            SlipLineRow(employee=employee, month=month, kind=kind, amount=amount)
            for kind, amount in amounts
            if amount
        )
        count += 1
    return count


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table, without its comments."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


def _month(told: str, today: date) -> date:
    if len(told) == 7:
        return date.fromisoformat(f"{told}-01")
    months = today.year * 12 + today.month - 1 + int(told)
    return date(months // 12, months % 12 + 1, 1)


def _one_of(word: str, words: tuple[str, ...]) -> str:
    if word not in words:
        raise ValueError(f"{word!r} is none of {', '.join(words)}")
    return word
