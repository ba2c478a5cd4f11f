"""Who is called again, and when: leads, and customers in the rhythm of their tier."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

from engine.api import CallView, CliCommand, Context, Refused, Report, schedule

from .customers import Customers, Outcome, Who
from .department import department, typed

_AT_ONCE = ("thinking", "unreachable")
"""Outcomes after which the same matter is asked about again soon, and not in the rhythm of the tier."""

AGAIN = timedelta(days=1)
"""Who does not know whether a command was done types it again within this."""


def next_time(ctx: Context, tier: str, outcome: str) -> date | None:
    """The day on which a customer is called next after an outcome; None for one who wants no calls."""
    if outcome == "stop":
        return None
    if outcome in _AT_ONCE:
        return ctx.today + timedelta(seconds=ctx.settings.lead)
    rhythm = {"diamond": ctx.settings.diamond, "gold": ctx.settings.gold}.get(tier, ctx.settings.ordinary)
    return ctx.today + timedelta(seconds=rhythm)


@schedule(department, at="08:35", calendar="office", over=Customers)
def tell_due(ctx: Context) -> None:
    """Each working morning: who is to be called today, told to the desk when there is anybody."""
    due = ctx.adapter(Customers).followups(until=ctx.today)
    if due:
        ctx.notify(
            "logistics_desk",
            "logistics/followups_notice",
            level="info",
            key=ctx.key,
            window=timedelta(days=1),
            count=len(due),
            diamond=sum(one.tier == "diamond" for one in due),
        )


def gave_up(ctx: Context, call: CallView) -> None:
    """A diamond or gold customer hung up before anybody of the desk answered: a call is owed on the same day."""
    party = call.party
    if party is None or party.tier not in ("diamond", "gold"):
        return
    number = call.number or next(iter(party.numbers), "")
    if number:
        who = Who(number=number, name=party.name, tier=party.tier)
        ctx.adapter(Customers).follow(who, "owed", ctx.today, key=f"gave up {call.id}")


def due(ctx: Context, days: int = 0) -> list[dict[str, Any]]:
    """Who is to be called today, the longest due first, diamond customers in front of gold ones."""
    order = {"diamond": 0, "gold": 1}
    found = ctx.adapter(Customers).followups(until=ctx.today + timedelta(days=days))
    rows = sorted(found, key=lambda one: (one.due, order.get(one.tier, 2), one.id))
    shown = ("id", "due", "tier", "kind", "customer", "name", "quote")
    return [{name: getattr(one, name) for name in shown} for one in rows]


def settle(
    ctx: Context, followup: int, outcome: str, note: str = "", by: str = "", again: date | None = None
) -> str:
    """A customer was called: won, thinking, lost, unreachable, satisfied, complains, stop."""
    if outcome not in get_args(Outcome):
        known = ", ".join(get_args(Outcome))
        raise Refused("outcome", one_of=known, say=f"{outcome} is no outcome: {known}")
    customers = ctx.adapter(Customers)
    known = [*customers.followups(until=date.max), *customers.done_followups(since=ctx.now - AGAIN)]
    tier = next((one.tier for one in known if one.id == followup), "")
    on = again or next_time(ctx, tier, outcome)
    key = typed(ctx, "follow-up", followup, outcome, note, by, again)
    customers.settle(followup, outcome, note, by, now=ctx.now, again=on, key=key)  # type: ignore[arg-type]
    return (
        f"{outcome}; to be called again on {on}" if on is not None else f"{outcome}; not to be called again"
    )


def outcomes(ctx: Context, days: int = 30) -> list[tuple[Any, ...]]:
    """Calls by tier and kind: how many, how many on their day, and what came of them; what is overdue counts, too."""
    customers = ctx.adapter(Customers)
    done = customers.done_followups(since=ctx.now - timedelta(days=days))
    owed = list(customers.followups(until=ctx.today - timedelta(days=1)))
    rows = []
    for tier, kind in sorted({(one.tier, one.kind) for one in [*done, *owed]}):
        mine = [one for one in done if (one.tier, one.kind) == (tier, kind)]
        in_time = sum(one.done is not None and _day(one.done, ctx.now) <= one.due for one in mine)
        told: dict[str, int] = {}
        for one in mine:
            told[one.outcome] = told.get(one.outcome, 0) + 1
        overdue = sum((one.tier, one.kind) == (tier, kind) for one in owed)
        said = " ".join(f"{name}:{count}" for name, count in sorted(told.items()))
        rows.append((tier, kind, len(mine), in_time, overdue, said))
    return rows


def _day(moment: datetime, like: datetime) -> date:
    return moment.astimezone(like.tzinfo).date()


def quoted(ctx: Context, days: int = 30) -> list[tuple[Any, ...]]:
    """Quotes by way and version of the tariff, and how many became orders."""
    found = ctx.adapter(Customers).quotes(since=ctx.now - timedelta(days=days))
    rows = []
    for origin, destination, version in sorted({(one.origin, one.destination, one.version) for one in found}):
        mine = [
            one
            for one in found
            if (one.origin, one.destination, one.version) == (origin, destination, version)
        ]
        orders = sum(bool(one.pickup) for one in mine)
        total = round(sum((one.total for one in mine), Decimal()), 2)
        rows.append(
            (origin, destination, version, len(mine), orders, f"{100 * orders / len(mine):.0f}%", total)
        )
    return rows


COMMANDS = [
    CliCommand("followups", due, "Who is to be called today (--days 7: within a week).", over=Customers),
    CliCommand("follow-up", settle, "A customer was called: FOLLOWUP OUTCOME.", over=Customers),
]
REPORTS = [
    Report(
        "logistics.followups",
        "Calls to customers by tier: on their day, and what came of them",
        ("tier", "kind", "done", "in_time", "overdue", "outcomes"),
        outcomes,
        over=Customers,
    ),
    Report(
        "logistics.quotes",
        "Quotes by way and version, and how many became orders",
        ("origin", "destination", "version", "quotes", "orders", "won", "total"),
        quoted,
        over=Customers,
    ),
]
