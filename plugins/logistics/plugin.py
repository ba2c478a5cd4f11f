"""Logistics: where is my shipment."""

from __future__ import annotations

from engine.api import (
    Adapter,
    CallView,
    Context,
    Department,
    Digits,
    Notifier,
    hookimpl,
    query,
    schedule,
)

from .adapters import HttpWaybills, Shipment, SqlWaybills, WaybillSystem
from .models import Base
from .overdue import Overdue, overdue, task_of
from .screen import bound_for
from .seed import fill

department = Department(
    "logistics",
    title="Logistics",
    tables="logistics_",
    models=Base.metadata,
    adapters=[Adapter(WaybillSystem, sql=SqlWaybills, http=HttpWaybills)],
    sample=fill,
)


@query(department)
def track(ctx: Context, number: Digits) -> Shipment | None:
    """``logistics.track``: the shipment with this waybill number."""
    return ctx.adapter(WaybillSystem).track(number, now=ctx.now)


@schedule(department, at="08:30", calendar="office")
def tell_overdue(ctx: Context) -> None:
    """Each working morning: shipments past their promised day, told to the desk when there are any."""
    found: Overdue | None = overdue(ctx.session, now=ctx.now)
    if found is not None:
        ctx.notify(
            "logistics_desk",
            "logistics/overdue_notice",
            count=found.count,
            number=found.worst,
            hours=found.hours,
        )


@hookimpl
def register_notifiers() -> list[Notifier]:
    return [Notifier("logistics.task", task_of)]


#: What is added to a customer's place in queues.
PRIORITY = {"diamond": 30, "gold": 10}


@hookimpl
def queue_priority(call: CallView) -> int | None:
    """Diamond and gold customers go first."""
    return PRIORITY.get(call.party.tier) if call.party is not None else None


@hookimpl
def screen_pop(ctx: Context, call: CallView) -> dict[str, object] | None:
    """``shipments``: what is on its way to the caller's site, the late ones first: number, state, hours late."""
    if call.party is None or not call.party.site:
        return None
    found = bound_for(ctx.session, call.party.site, now=ctx.now)
    return {"shipments": [f"{one.number} {one.state} {one.late_hours}" for one in found]} if found else None


@hookimpl
def register_department() -> Department:
    return department
