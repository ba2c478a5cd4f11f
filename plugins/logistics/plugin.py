"""Logistics: where is my shipment."""

from __future__ import annotations

from engine.api import (
    Adapter,
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


@hookimpl
def register_department() -> Department:
    return department
