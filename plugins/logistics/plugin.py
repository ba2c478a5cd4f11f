"""Logistics: where is my shipment."""

from __future__ import annotations

from engine.api import Adapter, Context, Department, Digits, hookimpl, query

from .adapters import Shipment, SqlWaybills, WaybillSystem
from .models import Base
from .seed import fill

department = Department(
    "logistics",
    title="Logistics",
    tables="logistics_",
    models=Base.metadata,
    adapters=[Adapter(WaybillSystem, sql=SqlWaybills)],
    sample=fill,
)


@query(department)
def track(ctx: Context, number: Digits) -> Shipment | None:
    """``logistics.track``: the shipment with this waybill number."""
    return ctx.adapter(WaybillSystem).track(number, now=ctx.now)


@hookimpl
def register_department() -> Department:
    return department
