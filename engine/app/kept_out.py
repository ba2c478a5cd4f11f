"""Plugins that were kept out of an engine that runs without them: who hears of it, and which numbers lead there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine.flows.away import AWAY
from engine.types import JournalEntry

if TYPE_CHECKING:
    from engine.app.app import App
    from engine.app.installation import Installation

log = structlog.get_logger(__name__)


def tell_kept_out(app: App) -> None:
    """In the log, the journal and the day's events: each plugin that this engine does without, and what it means."""
    made = app.installation
    for fault in made.host.faults:
        numbers = numbers_of(made, fault.plugin)
        log.error("plugin.kept_out", plugin=fault.plugin, why=fault.message, numbers=numbers)
        data = {"plugin": fault.plugin, "why": fault.short, "numbers": numbers}
        app.store.journal(JournalEntry(at=app.clock.now(), kind="plugin.kept_out", data=data))
        made.day.plugin_kept_out(fault.plugin, f"{fault.short}{led_away(made, fault.plugin)}")


def numbers_of(made: Installation, department: str) -> list[str]:
    """The numbers of the dialplan that lead into a department's flows."""
    if made.dialplan is None:
        return []
    found = [to for to, flow in made.dialplan.entries if flow.partition("/")[0] == department]
    return list(dict.fromkeys(found))


def led_away(made: Installation, department: str) -> str:
    """``; callers of 8001 are led to reception/department_away``, or "" when no number leads to the department."""
    numbers = numbers_of(made, department) if department in made.away else []
    if not numbers:
        return ""
    there = made.flows is not None and AWAY in made.flows
    return f"; callers of {', '.join(numbers)} are " + (
        f"led to {AWAY}" if there else "told that it can't be done"
    )
