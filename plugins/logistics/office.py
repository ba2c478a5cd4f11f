"""What the office works with beside the telephone: a report, and commands."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from engine.api import CliCommand, Context, Digits, Refused, Report

from .adapters import WaybillSystem
from .seed import read_in


def late(ctx: Context, at: datetime | None = None, hours: int = 0, city: str = "") -> list[tuple[Any, ...]]:
    """What was late at a moment, the longest first."""
    found = ctx.adapter(WaybillSystem).overdue(now=at or ctx.now, hours=hours)
    return [
        (one.number, one.origin, one.destination, one.state, one.due, one.late_hours)
        for one in found
        if city in ("", one.destination)
    ]


def track(ctx: Context, number: Digits) -> list[dict[str, Any]]:
    """Where a shipment is."""
    found = ctx.adapter(WaybillSystem).track(number, now=ctx.now)
    if found is None:
        raise Refused("unknown", number=number)
    return [found.model_dump(mode="json")]


def take_in(ctx: Context, file: str) -> str:
    """Waybills out of a CSV file with the columns of sample/waybills.csv."""
    try:
        count = read_in(ctx.session, Path(file), ctx.today)
    except (OSError, KeyError, ValueError) as error:
        raise Refused("unreadable", why=str(error)) from None
    return f"{count} waybills"


REPORTS = [
    Report(
        "logistics.late",
        "Shipments past their promised time",
        ("number", "origin", "destination", "state", "due", "hours"),
        late,
    )
]
COMMANDS = [
    CliCommand("track", track, "Where a shipment is."),
    CliCommand("import", take_in, "Take in waybills from a CSV file; those that are there are replaced."),
]
