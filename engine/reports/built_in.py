"""The list of the engine's own reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from engine.hooks.brought import Report
from engine.hooks.context import Context
from engine.reports import calls, others


def built_in(promises: Mapping[str, float]) -> dict[str, Report]:
    """By name. ``promises``: queue -> seconds in which it promises to answer."""

    def by_calls(
        ctx: Context,
        since: date | None = None,
        until: date | None = None,
        by: str = "day",
        queue: str = "",
        department: str = "",
    ) -> Iterable[tuple[Any, ...]]:
        return calls.calls(ctx, promises, since, until, by, queue, department)

    def by_agents(
        ctx: Context, since: date | None = None, until: date | None = None, queue: str = ""
    ) -> Iterable[tuple[Any, ...]]:
        return calls.calls(ctx, promises, since, until, "agent", queue)

    made = [
        Report("calls", f"Calls by {', '.join(calls.BY)} (--by)", ("by", *calls.COLUMNS), by_calls),
        Report("agents", "Agents: calls, handling time, occupancy", ("agent", *calls.COLUMNS), by_agents),
        Report("tickets", "Tickets on time, by month and department", others.TICKETS, others.tickets_on_time),
        Report(
            "surveys", "What callers answered, by department, queue or agent", others.SURVEYS, others.surveys
        ),
        Report("repeats", "Who called again and again", others.REPEATS, others.repeats),
    ]
    return {one.name: one for one in made}
