"""Something went wrong: a complaint becomes a ticket with a clock, in the group that it is for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from engine.api import Context, Digits, Record, Report, command

from .department import Books, department
from .kinds import GROUPS, Group, Kind
from .models import Complaint, Verdict


class Complained(Record):
    """A complaint, and by when its group answers."""

    ticket: Digits
    due: datetime
    group: Group
    again: bool  # there was one about the same already


@command(department, over=Books)
def complain(
    ctx: Context, kind: Kind, caller: str, call: str, waybill: str = "", clip: str = ""
) -> Complained:
    """``logistics.complain``: a ticket with a clock for the group that sees to such complaints. Who complains again of
    the same hears the number of the first, and what was said now belongs to that one."""
    group = GROUPS[kind]
    found = _same(ctx, kind, caller, waybill)
    if found is not None:
        ticket = ctx.tickets.note(found.ticket, "complained again")
        for what, ref in (("call", call), ("clip", clip)):
            if ref:
                ctx.tickets.link(found.ticket, what, ref)
    else:
        settings = ctx.settings
        ticket = ctx.tickets.open(
            f"complaint_{kind}",
            within=timedelta(seconds=settings.exceptions if group == "exceptions" else settings.complaints),
            calendar=settings.hours,
            data={"waybill": waybill, "kind": kind},
            caller=caller,
            call=call,
            clips=[clip] if clip else [],
        )
        row = Complaint(ticket=ticket.number, kind=kind, waybill=waybill, caller=caller, opened=ctx.now)
        ctx.adapter(Books).open().add(row)
    due = ticket.due.astimezone(ctx.now.tzinfo) if ticket.due is not None else ctx.now
    return Complained(ticket=ticket.number, due=due, group=group, again=found is not None)


def _same(ctx: Context, kind: str, caller: str, waybill: str) -> Complaint | None:
    """A complaint of the same caller about the same, which is still owed."""
    if not caller:
        return None
    session = ctx.adapter(Books).open()
    rows = session.scalars(
        select(Complaint)
        .where(Complaint.kind == kind, Complaint.caller == caller, Complaint.waybill == waybill)
        .order_by(Complaint.opened.desc())
    )
    for row in rows:
        ticket = ctx.tickets.find(row.ticket)
        if ticket is not None and ticket.state not in ("solved", "closed"):
            return row
    return None


def complained(ctx: Context, days: int = 30) -> list[tuple[Any, ...]]:
    """Complaints, the newest first, with what was decided about them."""
    session = ctx.adapter(Books).open()
    rows = session.execute(
        select(Complaint, Verdict)
        .outerjoin(Verdict, Verdict.ticket == Complaint.ticket)
        .where(Complaint.opened > ctx.now - timedelta(days=days))
        .order_by(Complaint.opened.desc())
    )
    return [
        (
            one.ticket,
            one.kind,
            GROUPS[one.kind],  # type: ignore[index]
            one.waybill,
            one.caller,
            one.opened,
            verdict.liable if verdict is not None else "",
            verdict.state if verdict is not None else "",
        )
        for one, verdict in rows
    ]


REPORTS = [
    Report(
        "logistics.complaints",
        "Complaints, and what was decided about them",
        ("ticket", "kind", "group", "waybill", "caller", "opened", "liable", "verdict"),
        complained,
        over=Books,
    ),
]
