"""What the office works with beside the telephone: a report, and commands."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.api import CliCommand, Context, Digits, Refused, Report

from . import complaints, following_up, picking_up, verdicts
from .adapters import WaybillSystem
from .department import Books
from .forecasts import verdict
from .models import Forecast, Inquiry
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
        raise Refused("unknown", number=number, say=f"there is no waybill {number}")
    services = ", ".join(f"{one.what} {'done' if one.done else 'open'}" for one in found.services)
    return [{**found.model_dump(), "services": services}]


def take_in(ctx: Context, file: str) -> str:
    """Waybills out of a CSV file with the columns of sample/waybills.csv."""
    try:
        count = read_in(ctx.session, Path(file), ctx.today)
    except (OSError, KeyError, ValueError) as error:
        raise Refused("unreadable", say=f"{file} can't be read: {error}") from None
    return f"{count} waybills"


def called(ctx: Context, ticket: Digits, said: str, by: str = "") -> str:
    """The caller who was owed an answer was called back, and told what ``said`` says."""
    owed = ctx.adapter(Books).open().scalars(select(Inquiry).where(Inquiry.ticket == ticket)).one_or_none()
    if owed is None:
        raise Refused("unknown", ticket=ticket, say=f"nobody is owed an answer by ticket {ticket}")
    if owed.answered is not None:
        raise Refused("answered", say=f"ticket {ticket} was answered by {owed.answered_by or 'somebody'}")
    owed.answered, owed.answered_by, owed.answer = ctx.now, by, said
    ctx.tickets.solve(ticket, f"{by}: {said}" if by else said)
    return f"ticket {ticket} is solved"


def inquiries(ctx: Context, days: int = 14) -> list[tuple[Any, ...]]:
    """Answers that were owed about last miles; who called again stands in front."""
    rows = (
        ctx.adapter(Books)
        .open()
        .scalars(
            select(Inquiry)
            .where(Inquiry.opened > ctx.now - timedelta(days=days))
            .order_by(Inquiry.asked.desc(), Inquiry.opened)
        )
    )
    return [
        (
            one.number,
            one.ticket,
            one.caller,
            one.opened,
            one.asked,
            one.escalated,
            one.answered,
            one.answered_by,
        )
        for one in rows
    ]


def accuracy(ctx: Context, days: int = 30) -> list[tuple[Any, ...]]:
    """Arrival windows that were told, against the truth: by what they were made of."""
    waybills = ctx.adapter(WaybillSystem)
    found: dict[str, list[tuple[str, int]]] = {}
    since = ctx.now - timedelta(days=days)
    for one in (
        ctx.adapter(Books).open().scalars(select(Forecast).where(Forecast.told > since).order_by(Forecast.id))
    ):
        shipment = waybills.track(one.number, now=ctx.now)
        came = shipment.at if shipment is not None and shipment.state == "delivered" else None
        found.setdefault(one.basis, []).append(verdict(one.earliest, one.latest, came, ctx.now))
    rows = []
    for basis, told in sorted(found.items()):
        counted = {
            word: [hours for what, hours in told if what == word]
            for word in ("in_time", "early", "late", "open")
        }
        over = len(told) - len(counted["open"])
        missed = counted["early"] + counted["late"]
        rows.append(
            (
                basis,
                len(told),
                len(counted["in_time"]),
                len(counted["early"]),
                len(counted["late"]),
                len(counted["open"]),
                f"{100 * len(counted['in_time']) / over:.0f}%" if over else "",
                round(sum(missed) / len(missed), 1) if missed else 0,
            )
        )
    return rows


REPORTS = [
    *following_up.REPORTS,
    *picking_up.REPORTS,
    *complaints.REPORTS,
    *verdicts.REPORTS,
    Report(
        "logistics.late",
        "Shipments past their promised time",
        ("number", "origin", "destination", "state", "due", "hours"),
        late,
        over=WaybillSystem,
    ),
    Report(
        "logistics.arrivals",
        "Arrival windows that were told, against the truth",
        ("basis", "told", "in_time", "early", "late", "open", "right", "hours_off"),
        accuracy,
        over="all",
    ),
    Report(
        "logistics.inquiries",
        "Answers owed about last miles, and who called again",
        ("waybill", "ticket", "caller", "since", "asked", "escalated", "answered", "by"),
        inquiries,
        over=Books,
    ),
]
COMMANDS = [
    *following_up.COMMANDS,
    *picking_up.COMMANDS,
    *verdicts.COMMANDS,
    CliCommand("track", track, "Where a shipment is.", over=WaybillSystem),
    CliCommand("import", take_in, "Take in waybills from a CSV file; those that are there are replaced."),
    CliCommand(
        "called",
        called,
        "A caller who was owed an answer was called back: TICKET and what was said.",
        over=Books,
    ),
]
