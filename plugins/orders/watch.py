"""By the clock: each working morning the regions' supervisors are told of what is late."""

from __future__ import annotations

from datetime import timedelta

from engine.api import Context, schedule

from .contracts import OrderSystem
from .department import department
from .pricing import NOTHING


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
