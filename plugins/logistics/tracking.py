"""Where is my shipment: what a caller hears, what is promised when nobody knows, and what becomes of the promise."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select

from engine.api import Context, Digits, Record, Refused, command, query

from .adapters import ServiceDone, Shipment, WaybillSystem
from .department import Books, department
from .forecasts import Window, window
from .models import Forecast, Inquiry

REMEMBERED = timedelta(days=14)
"""A caller who asks again within this hears of the first answer that was owed."""


class Tracked(Shipment):
    """A shipment, whether we have to apologise for it, and which of its services are done."""

    apologise: bool
    done: list[ServiceDone]
    undone: list[ServiceDone]


@query(department, over=WaybillSystem)
def track(ctx: Context, number: Digits) -> Tracked | None:
    """``logistics.track``: the shipment with this waybill number."""
    found = ctx.adapter(WaybillSystem).track(number, now=ctx.now)
    if found is None:
        return None
    return Tracked(
        **found.model_dump(),
        apologise=found.late_hours * 3600 > ctx.settings.apology,
        done=[one for one in found.services if one.done],
        undone=[one for one in found.services if not one.done],
    )


@query(department, over=WaybillSystem)
def arrival(ctx: Context, number: Digits) -> Window | None:
    """``logistics.arrival``: when it will come, and what that is made of; None when nobody can tell."""
    waybills = ctx.adapter(WaybillSystem)
    found = waybills.track(number, now=ctx.now)
    if found is None:
        return None
    days = int(ctx.settings.lane_days // 86400)
    return window(found, waybills.took(found.origin, found.destination, now=ctx.now, days=days), ctx.now)


@command(department, over=Books)
def tell_window(ctx: Context, arrival: Window) -> bool:
    """``logistics.tell_window``: a window is told to a caller, so it will be compared with the truth."""
    ctx.adapter(Books).open().add(Forecast(told=ctx.now, **arrival.model_dump()))
    return True


class Promised(Record):
    """An answer that a caller is owed."""

    id: int
    ticket: Digits
    due: datetime
    state: Literal["open", "overdue", "answered"]
    asked: int  # how often somebody called about it
    answer: str  # what was found out, as operations wrote it


class Owed(Record):
    """That somebody was promised an answer about a waybill."""

    id: int
    ticket: Digits


@query(department, over=Books)
def promised(ctx: Context, number: Digits) -> Owed | None:
    """``logistics.promised``: an answer that was promised about this waybill not long ago."""
    found = (
        ctx.adapter(Books)
        .open()
        .scalars(
            select(Inquiry)
            .where(Inquiry.number == number, Inquiry.opened > ctx.now - REMEMBERED)
            .order_by(Inquiry.id.desc())
            .limit(1)
        )
        .one_or_none()
    )
    return None if found is None else Owed(id=found.id, ticket=found.ticket)


@command(department, over=Books)
def promise(ctx: Context, number: Digits, caller: str, call: str = "") -> Promised:
    """``logistics.promise``: operations owe the caller an answer about a shipment by a time. A waybill about which one
    is owed already is not owed two."""
    owed = (
        ctx.adapter(Books)
        .open()
        .scalars(
            select(Inquiry)
            .where(Inquiry.number == number, Inquiry.answered.is_(None))
            .order_by(Inquiry.id.desc())
        )
        .first()
    )
    if owed is not None:
        found = _stands(ctx, owed)
        if found.state != "answered":
            return found
    ticket = ctx.tickets.open(
        "last_mile",
        within=timedelta(seconds=ctx.settings.answer),
        calendar=ctx.settings.hours,
        data={"waybill": number, "callback": caller},
        caller=caller,
        call=call,
    )
    owed = Inquiry(number=number, caller=caller, ticket=ticket.number, opened=ctx.now, asked=1)
    ctx.adapter(Books).open().add(owed)
    ctx.adapter(Books).open().flush()
    return _stands(ctx, owed)


@command(department, over=Books, refusals=("gone",))
def ask_again(ctx: Context, inquiry: int, caller: str, call: str = "") -> Promised:
    """``logistics.ask_again``: somebody calls again about a waybill of which an answer is owed. How that stands; while
    it is owed, operations and the desk are told that somebody waits."""
    owed = ctx.adapter(Books).open().get(Inquiry, inquiry)
    if owed is None or ctx.tickets.find(owed.ticket) is None:
        raise Refused("gone")
    found = _stands(ctx, owed)
    if found.state == "answered":
        return found
    owed.asked += 1
    owed.escalated = owed.escalated or ctx.now
    ctx.tickets.note(owed.ticket, f"called again by {caller or 'a withheld number'}, the {owed.asked}. time")
    if call:
        ctx.tickets.link(owed.ticket, "call", call)
    ctx.notify(
        "logistics_desk",
        "logistics/asked_again_notice",
        level="critical" if found.state == "overdue" else "warning",
        key=f"logistics.asked_again:{owed.id}:{owed.asked}",
        window=timedelta(days=1),
        number=owed.number,
        ticket=owed.ticket,
        asked=owed.asked,
    )
    return _stands(ctx, owed)


def _stands(ctx: Context, owed: Inquiry) -> Promised:
    ticket = ctx.tickets.find(owed.ticket)
    over = ticket is None or ticket.state in ("solved", "closed")
    due = ticket.due if ticket is not None and ticket.due is not None else owed.opened
    state = "answered" if over or owed.answered is not None else "overdue" if due < ctx.now else "open"
    return Promised(
        id=owed.id,
        ticket=owed.ticket,
        due=due.astimezone(ctx.now.tzinfo),
        state=state,
        asked=owed.asked,
        answer=owed.answer,
    )
