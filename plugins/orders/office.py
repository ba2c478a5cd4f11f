"""What the office works with beside the telephone: reports, and commands."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from engine.api import CliCommand, Context, Refused, Report

from .cases import Cases
from .contracts import OrderSystem
from .models import Act, Case, Order
from .working import decided


def overdue(ctx: Context, region: str = "") -> list[dict[str, Any]]:
    """Dealers who have not paid in time."""
    found = ctx.adapter(OrderSystem).overdue(region=_known(ctx, region), today=ctx.today)
    return [one.model_dump() for one in found]


def unshipped(ctx: Context, region: str = "") -> list[dict[str, Any]]:
    """Orders past their shipping day, with cause and person."""
    found = ctx.adapter(OrderSystem).unshipped(region=_known(ctx, region), today=ctx.today)
    return [one.model_dump() for one in found]


def exceptions(ctx: Context, region: str = "") -> list[dict[str, Any]]:
    """Exceptions that wait for a supervisor."""
    found = Cases(ctx).waiting(_known(ctx, region), "exception")
    shown = ("id", "region", "dealer", "name", "reason", "amount", "ticket", "opened", "hours")
    return [{name: getattr(one, name) for name in shown} for one in found]


def cases(ctx: Context, region: str = "") -> list[dict[str, Any]]:
    """All that waits for a supervisor: exceptions, returns, reports of goods sold across regions."""
    found = Cases(ctx).waiting(_known(ctx, region), "")
    shown = ("id", "kind", "region", "dealer", "name", "reason", "about", "article", "cases", "ticket")
    return [{name: getattr(one, name) for name in (*shown, "opened", "hours")} for one in found]


def approve(ctx: Context, case: str, by: str) -> str:
    """An exception is approved."""
    return _decide(ctx, case, by, "approved")


def refuse(ctx: Context, case: str, by: str) -> str:
    """An exception is refused."""
    return _decide(ctx, case, by, "refused")


def settle(ctx: Context, case: str, by: str) -> str:
    """A return, or a report of goods sold across regions, is settled."""
    return _decide(ctx, case, by, "settled")


def _decide(ctx: Context, case: str, by: str, verdict: Any) -> str:
    """``case``: its id, or the number of its ticket, which is what the dealer heard."""
    is_id = case.isascii() and case.isdigit() and len(case) < 9
    row = ctx.session.get(Case, int(case)) if is_id else None
    row = row or ctx.session.scalar(select(Case).where(Case.ticket == case, Case.ticket != ""))
    if row is None:
        raise Refused("unknown", say=f"there is no case or ticket {case} (`insideline orders cases`)")
    if (row.kind == "exception") != (verdict in ("approved", "refused")):
        is_to = (
            "an exception, to be approved or refused"
            if row.kind == "exception"
            else f"a {row.kind}, to be settled"
        )
        raise Refused("unknown", say=f"case {row.id} is {is_to}")
    if row.state != "open":
        raise Refused("decided", say=f"case {row.id} was {row.state} by {row.by}")
    found = decided(ctx, row.id, verdict, by, "command")
    return f"case {row.id} of {found.name}: {verdict}"


def _known(ctx: Context, region: str) -> str:
    if region and region not in ctx.settings.regions:
        known = " ".join(ctx.settings.regions)
        raise Refused("unknown", say=f"there is no region {region}; there are {known}")
    return region


# -- reports ---------------------------------------------------------------------------------------------


def late_payments(ctx: Context, region: str = "") -> list[tuple[Any, ...]]:
    found = ctx.adapter(OrderSystem).overdue(region=_known(ctx, region), today=ctx.today)
    return [(one.region, one.dealer, one.name, one.amount, one.days, one.orders) for one in found]


def late_orders(ctx: Context, region: str = "") -> list[tuple[Any, ...]]:
    found = ctx.adapter(OrderSystem).unshipped(region=_known(ctx, region), today=ctx.today)
    return [
        (one.region, one.number, one.name, one.ship_by, one.days, one.total, one.cause, one.person)
        for one in found
    ]


def placed(ctx: Context, since: date | None = None) -> list[tuple[Any, ...]]:
    first = since or ctx.today - timedelta(days=30)
    rows = ctx.session.scalars(select(Order).where(Order.placed >= first).order_by(Order.id)).all()
    return [
        (
            one.number,
            one.placed,
            one.dealer,
            sum(line.cases for line in one.lines),
            one.total,
            one.discount,
            one.rebate,
            f"{one.policy} v{one.version}" if one.policy else "",
            one.approved_by,
            one.state,
        )
        for one in rows
    ]


def response(ctx: Context, since: date | None = None) -> list[tuple[Any, ...]]:
    """How long cases took to a first response, and to their end, in minutes, by region and kind."""
    first = datetime.combine(since or ctx.today - timedelta(days=30), time(), tzinfo=ctx.now.tzinfo)
    rows = ctx.session.scalars(select(Case).where(Case.opened >= first)).all()
    found = []
    for region, kind in sorted({(row.region, row.kind) for row in rows}):
        of = [row for row in rows if (row.region, row.kind) == (region, kind)]
        found.append(
            (
                region,
                kind,
                len(of),
                sum(1 for row in of if row.state == "open"),
                _middle([_minutes(row.opened, row.responded) for row in of if row.responded is not None]),
                _middle([_minutes(row.opened, row.settled) for row in of if row.settled is not None]),
                max((_minutes(row.opened, row.settled or ctx.now) for row in of), default=0),
            )
        )
    return found


def acts(ctx: Context, who: str = "", region: str = "", since: date | None = None) -> list[tuple[Any, ...]]:
    first = datetime.combine(since or ctx.today - timedelta(days=30), time(), tzinfo=ctx.now.tzinfo)
    query = select(Act).where(Act.at >= first).order_by(Act.at, Act.id)
    if who:
        query = query.where(Act.who == who)
    if region:
        query = query.where(Act.region == region)
    return [
        (one.at, one.who, one.what, one.about, one.region, one.how, one.note)
        for one in ctx.session.scalars(query)
    ]


def _minutes(begin: datetime, end: datetime | None) -> int:
    assert end is not None
    return int((end - begin).total_seconds()) // 60


def _middle(values: list[int]) -> int | None:
    """The median; None of nothing."""
    if not values:
        return None
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) // 2


REPORTS = [
    Report(
        "orders.overdue",
        "Payments past their day, by region",
        ("region", "dealer", "name", "amount", "days", "orders"),
        late_payments,
        over=OrderSystem,
    ),
    Report(
        "orders.unshipped",
        "Orders past their shipping day, with cause and person",
        ("region", "number", "dealer", "ship by", "days", "total", "cause", "person"),
        late_orders,
        over=OrderSystem,
    ),
    Report(
        "orders.placed",
        "Orders in the desk's own tables, with policy and approval",
        (
            "number",
            "placed",
            "dealer",
            "cases",
            "total",
            "discount",
            "rebate",
            "policy",
            "approved by",
            "state",
        ),
        placed,
    ),
    Report(
        "orders.response",
        "Minutes to the first response and to the end of cases, by region",
        ("region", "kind", "cases", "open", "first response", "settled", "longest"),
        response,
    ),
    Report(
        "orders.acts",
        "What was done by whom behind the desk",
        ("at", "who", "what", "about", "region", "how", "note"),
        acts,
    ),
]
COMMANDS = [
    CliCommand("overdue", overdue, "Dealers who have not paid in time.", over=OrderSystem),
    CliCommand("unshipped", unshipped, "Orders past their shipping day.", over=OrderSystem),
    CliCommand("exceptions", exceptions, "Exceptions that wait for a supervisor."),
    CliCommand("cases", cases, "All that waits: exceptions, returns, reports across regions."),
    CliCommand("approve", approve, "Approve an exception (its id or ticket), as the supervisor BY."),
    CliCommand("refuse", refuse, "Refuse an exception (its id or ticket), as the supervisor BY."),
    CliCommand(
        "settle", settle, "A return or a report across regions (its id or ticket) is settled, says BY."
    ),
]
