"""The distributors' order desk (渠道管理): what a dealer or a supplier can know and do by phone, and how regions are
supervised."""

from __future__ import annotations

from engine.api import CliCommand, Department, Format, Report, hookimpl

from . import selling, watch, working
from .contracts import OrderSystem, Policies, SupplierSystem, Warehouse
from .department import department
from .desk import Desk
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
