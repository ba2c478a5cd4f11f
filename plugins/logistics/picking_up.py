"""Please pick something up: what is known of the caller, which branch comes, and that it knows."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.api import CliCommand, Context, Digits, NoticeView, Record, Refused, Report, command, query

from .branches import Branches, District, Near
from .customers import Address, Customers
from .department import department, typed
from .pickups import Pickups, Wanted, notice_key


class Place(Record):
    """Where things of the caller are picked up, as far as is known."""

    addresses: list[Address]


class Placed(Record):
    """An order, and what the desk owes."""

    number: Digits
    ticket: Digits
    due: datetime


@query(department, over=Customers)
def addresses(ctx: Context, caller: str) -> Place | None:
    """``logistics.addresses``: where things of the caller are picked up; None of somebody who has no such address."""
    found = ctx.adapter(Customers).addresses(caller) if caller else []
    return Place(addresses=found) if found else None


@query(department, over=Branches)
def districts(ctx: Context, area: Digits) -> list[District] | None:
    """``logistics.districts``: the parts of a city, by its area code; None where we have no branch."""
    branches = ctx.adapter(Branches)
    found = branches.districts(area) or ([] if area.startswith("0") else branches.districts("0" + area))
    return found or None


@query(department, over=Branches)
def nearest(ctx: Context, area: str, district: str) -> Near | None:
    """``logistics.nearest``: the nearest branch that is open; while all are closed the one that opens first."""
    found = ctx.adapter(Branches).nearest(area, district, at=ctx.now, most=1)
    return found[0] if found else None


@command(department, over=Pickups)
def order_pickup(
    ctx: Context,
    caller: str,
    call: str,
    contact: str,
    phone: str,
    area: str,
    district: str,
    address: str,
    goods: str,
    weight: Decimal,
    volume: Decimal,
    branch: Near,
    quote: int = 0,
    clips: str = "",
) -> Placed:
    """``logistics.order_pickup``: the order, the desk's ticket to complete it in a quarter of an hour, the notice
    to the branch that it must acknowledge. ``clips``: the ids of what was dictated, a blank between."""
    wanted = Wanted(
        customer=caller, contact=contact, phone=phone, area=area, district=district, address=address, goods=goods,
        weight=weight, volume=volume, branch=branch.code, quote=quote,
    )  # fmt: skip
    placed = ctx.adapter(Pickups).place(wanted, now=ctx.now, key=ctx.key)
    # Over http this may be run again for the same order: what was opened and told then is not again.
    known = [
        one
        for one in ctx.tickets.search(kind="pickup", caller=caller)
        if one.data.get("order") == placed.number
    ]
    ticket = (
        known[0]
        if known
        else ctx.tickets.open(
            "pickup",
            within=timedelta(seconds=ctx.settings.complete),
            data={
                "order": placed.number,
                "branch": branch.code,
                "district": district,
                "to_write_down": bool(clips),
            },
            caller=caller,
            call=call,
            clips=[one for one in clips.split(" ") if one],
        )
    )
    ctx.notify(
        "logistics_branch",
        "logistics/pickup_notice",
        key=notice_key(placed.number),
        window=timedelta(days=1),
        number=placed.number,
        district=district,
        weight=weight,
        volume=volume,
        phone=phone,
        branch=branch.code,
        branch_phone=branch.phone,
    )
    due = ticket.due.astimezone(ctx.now.tzinfo) if ticket.due is not None else ctx.now
    return Placed(number=placed.number, ticket=ticket.number, due=due)


@command(department, over=Customers)
def won(ctx: Context, quote: int, pickup: str) -> bool:
    """``logistics.won``: an order came of a quote, so nobody has to be called about it."""
    return ctx.adapter(Customers).ordered(quote, pickup, now=ctx.now, key=ctx.key)


def unacknowledged(ctx: Context, notice: NoticeView, to: str) -> None:
    """A branch did not acknowledge a notice: that is a ticket for whoever disposes, within a quarter of an hour."""
    ctx.tickets.open(
        "unacknowledged",
        owner=to,
        data={"notice": notice.id, "text": notice.text, "branch": str(notice.values.get("branch", ""))},
    )


def complete(
    ctx: Context, ticket: Digits, contact: str = "", address: str = "", goods: str = "", by: str = ""
) -> str:
    """The desk wrote down what a caller had dictated: the order behind TICKET is complete, the ticket solved, and the
    address offered to the caller the next time."""
    found = ctx.tickets.find(ticket)
    number = str(found.data.get("order", "")) if found is not None else ""
    if found is None or not number:
        raise Refused("unknown", ticket=ticket, say=f"there is no order behind ticket {ticket}")
    pickups, customers = ctx.adapter(Pickups), ctx.adapter(Customers)
    key = typed(ctx, "complete", ticket, contact, address, goods, by)
    order = pickups.complete(number, contact, address, goods, by, now=ctx.now, key=key)
    if order.customer and order.address:
        kept = Address(
            id=0,
            contact=order.contact,
            phone=order.phone,
            area=order.area,
            district=order.district,
            line=order.address,
        )
        customers.keep_address(order.customer, kept, now=ctx.now, key=f"{key}:address")
    if found.state not in ("solved", "closed"):  # typed again, or put right
        ctx.tickets.solve(ticket, by)
    return f"pick-up {number} is complete"


def ordered(ctx: Context, days: int = 14, branch: str = "") -> list[tuple[Any, ...]]:
    """Orders to pick something up: whether the desk completed them, and whether the branch acknowledged."""
    rows = []
    for one in ctx.adapter(Pickups).of(branch, since=ctx.now - timedelta(days=days)):
        notice = ctx.notices.find(notice_key(one.number))
        took = (
            (notice.ended - notice.created).total_seconds()
            if notice and notice.ended and notice.created
            else None
        )
        rows.append(
            (
                one.number,
                one.made,
                one.district,
                one.branch,
                one.state,
                notice.state if notice is not None else "",
                notice.by if notice is not None else "",
                round(took / 60, 1) if took is not None else "",
            )
        )
    return rows


COMMANDS = [
    CliCommand(
        "complete", complete, "What a caller dictated was written down: the order of TICKET.", over="all"
    ),
]
REPORTS = [
    Report(
        "logistics.pickups",
        "Orders to pick something up, and which branch acknowledged them",
        ("number", "ordered", "district", "branch", "state", "notice", "acknowledged_by", "minutes"),
        ordered,
        over="all",
    ),
]
