"""By the clock: each working morning the regions' supervisors are told of what is late."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from engine.api import Context, Refused, schedule

from .cases import Cases
from .contracts import OrderSystem, Policies, Policy, Warehouse
from .department import department
from .desk import CHINESE, Desk, submitted, view
from .models import DraftRow
from .placing import placed, reckoned
from .pricing import NOTHING

PAUSE = timedelta(seconds=20)  # from the confirmation on, for the caller's own flow to place the order
LONG = timedelta(minutes=10)  # then somebody has to look


@schedule(department, at="08:35", calendar="office", over=OrderSystem)
def tell_overdue(ctx: Context) -> None:
    """Payments past their day, to each region's group: how many dealers, how much, and who owes the most."""
    for name, region in ctx.settings.regions.items():
        late = ctx.adapter(OrderSystem).overdue(region=name, today=ctx.today)
        if late:
            ctx.notify(
                region.group,
                "orders/overdue_notice",
                key=f"{ctx.key}:{name}",
                window=timedelta(days=1),
                count=len(late),
                amount=str(sum((one.amount for one in late), NOTHING)),
                dealer=late[0].name,
                days=late[0].days,
            )


@schedule(department, at="08:40", calendar="office", over=OrderSystem)
def tell_unshipped(ctx: Context) -> None:
    """Orders past their shipping day, to each region's group: how many, and the one that is the longest."""
    for name, region in ctx.settings.regions.items():
        late = ctx.adapter(OrderSystem).unshipped(region=name, today=ctx.today)
        if late:
            ctx.notify(
                region.group,
                "orders/unshipped_notice",
                key=f"{ctx.key}:{name}",
                window=timedelta(days=1),
                count=len(late),
                number=late[0].number,
                days=late[0].days,
            )


@schedule(department, every="15s", over=Desk)
def finish(ctx: Context) -> None:
    """Whoever confirms an order and hangs up in that very moment has ordered. Over the desk's own tables it is placed
    here, with the key that the caller's flow would have used. At another company's system only the outbox may do that:
    what is not known after ten minutes is a ticket for the desk."""
    local = all(ctx.has(one) for one in (OrderSystem, Warehouse, Policies))
    for row in submitted(ctx.session, ctx.now - PAUSE):
        if local:
            _finish(ctx, row)
        elif not row.ticket and row.changed < ctx.now - LONG:
            row.ticket = ctx.tickets.open("unsettled", data={"dealer": row.dealer, "draft": row.id}).number


def _finish(ctx: Context, row: DraftRow) -> None:
    desk, sales = ctx.adapter(Desk), ctx.adapter(OrderSystem)
    draft, dealer = view(row, CHINESE), sales.dealer(row.dealer)
    policy = ctx.adapter(Policies).policy(dealer.region, today=ctx.today) if dealer is not None else None
    none = Policy(
        code="",
        version=0,
        region="",
        until=ctx.today,
        rebate_from=0,
        rebate=Decimal(0),
        truck_from=0,
        truck=Decimal(0),
    )
    order = reckoned(ctx, draft, row.dealer, policy or none, Cases(ctx).grant(draft.id))
    try:
        if order is None:
            raise Refused("changed")
        with ctx.session.begin_nested():
            number = placed(ctx, order.quote, draft.key, draft.total)
    except Refused as refused:
        ctx.log.info("a confirmed order was refused", reason=refused.reason, draft=draft.id)
        desk.reopen(draft.id, at=ctx.now)
    else:
        desk.settle(draft.id, number, at=ctx.now, told=False)
