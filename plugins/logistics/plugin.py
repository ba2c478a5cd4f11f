"""Logistics: where is my shipment."""

from __future__ import annotations

from collections.abc import Sequence

from engine.api import (
    AgentView,
    CallView,
    CliCommand,
    Context,
    Department,
    Format,
    Notifier,
    Report,
    hookimpl,
    schedule,
)

from . import complaints, following_up, picking_up, quoting, verdicts  # noqa: F401 - they declare queries and commands
from .adapters import SqlWaybills, WaybillSystem
from .department import department
from .models import Base
from .office import COMMANDS, REPORTS
from .overdue import task_of, tell_desk
from .picking_up import unacknowledged
from .tracking import Tracked, track
from .words import FORMATS

__all__ = ["Base", "SqlWaybills", "Tracked", "department", "track"]


@schedule(department, over=WaybillSystem, at="08:30", calendar="office")
def tell_overdue(ctx: Context) -> None:
    """Each working morning: shipments past their promised day, told to the desk when there are any."""
    tell_desk(ctx, int(ctx.settings.overdue // 3600))


QUEUE = "logistics"
#: What is added to a customer's place in queues.
PRIORITY = {"diamond": 30, "gold": 10}


@hookimpl
def queue_priority(call: CallView) -> int | None:
    """Diamond and gold customers go first."""
    return PRIORITY.get(call.party.tier) if call.party is not None else None


@hookimpl
def rank_agents(call: CallView, queue: str, agents: Sequence[AgentView]) -> list[str] | None:
    """A diamond customer gets whoever knows waybills best."""
    if queue != QUEUE or call.party is None or call.party.tier != "diamond":
        return None
    return [one.id for one in sorted(agents, key=lambda one: -one.skills.get("waybill", 0))]


@hookimpl
def screen_pop(ctx: Context, call: CallView) -> dict[str, object] | None:
    """``shipments``: what is on its way to the caller's site, the late ones first: number, state, hours late."""
    if call.party is None or not call.party.site:
        return None
    found = ctx.adapter(WaybillSystem).bound_for(call.party.site, now=ctx.now, most=5)
    return {"shipments": [f"{one.number} {one.state} {one.late_hours}" for one in found]} if found else None


@hookimpl
def call_abandoned(ctx: Context, call: CallView, queue: str) -> None:
    """A diamond or gold customer who gave up waiting is phoned on the same day."""
    if queue == QUEUE:
        following_up.gave_up(ctx, call)


@hookimpl
def register_notifiers() -> list[Notifier]:
    return [Notifier("logistics.task", task_of), Notifier("logistics.unacknowledged", unacknowledged)]


@hookimpl
def register_formats() -> list[Format]:
    return FORMATS


@hookimpl
def register_reports() -> list[Report]:
    return REPORTS


@hookimpl
def register_commands() -> list[CliCommand]:
    return COMMANDS


@hookimpl
def register_department() -> Department:
    return department
