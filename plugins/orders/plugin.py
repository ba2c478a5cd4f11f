"""The distributors' order desk (渠道管理): what a dealer or a supplier can know and do by phone, and how regions are
supervised."""

from __future__ import annotations

from engine.api import (
    AgentView,
    CliCommand,
    Context,
    Department,
    Format,
    Report,
    SettledView,
    TicketChange,
    TicketView,
    hookimpl,
)

from . import selling, watch, working
from .cases import Cases
from .contracts import OrderSystem, Policies, SupplierSystem, Warehouse
from .department import department
from .desk import Desk, draft_of
from .models import Base
from .office import COMMANDS, REPORTS
from .words import FORMATS

__all__ = [
    "Base",
    "Desk",
    "OrderSystem",
    "Policies",
    "SupplierSystem",
    "Warehouse",
    "department",
    "selling",
    "watch",
    "working",
]


@hookimpl
def wrapup_finished(ctx: Context, agent: AgentView, call: str, disposition: str) -> None:
    """A talk of somebody of the desk is an act of his."""
    if "orders" in agent.queues:
        ctx.adapter(Desk).act(agent.id, "talked", at=ctx.now, how="talk", about=call, note=disposition)


@hookimpl
def ticket_changed(ctx: Context, ticket: TicketView, change: TicketChange) -> None:
    """Who works on a case by its ticket has responded to it, or settled it."""
    if ticket.department == "orders" and change.what not in ("opened", "escalated"):
        Cases(ctx).follow(ticket, change)


@hookimpl
def command_settled(ctx: Context, settled: SettledView) -> None:
    """What came of an order whose dealer was told that it is not known yet: the draft is over, or may be changed."""
    draft = draft_of(settled.key)
    if settled.command != "orders.place" or not draft:
        return
    desk = ctx.adapter(Desk)
    if settled.outcome == "done":
        desk.settle(draft, str(settled.result), at=ctx.now, told=False)
    elif settled.outcome == "refused":
        desk.reopen(draft, at=ctx.now)


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
