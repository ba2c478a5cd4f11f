"""Calls by time, queue, department or agent: service level, abandonment, handling time, occupancy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import case, func, literal, select

from engine.errors import Refused
from engine.hooks.context import Context
from engine.reports.window import BY_TIME, Window, clock, hour_of, labels, share, window
from engine.store.tables import cdr, journal

COLUMNS: Final = (
    "calls", "talked", "served", "abandoned", "abandonment", "in time", "wait", "longest", "aht", "occupancy",
)  # fmt: skip
BY: Final = (*BY_TIME, "queue", "department", "agent")
IN_TIME: Final = 20.0
"""Seconds in which a call is answered in time, where its queue promises nothing else."""


@dataclass(slots=True)
class Sum:
    """The figures of one group."""

    calls: int = 0
    talked: int = 0
    served: int = 0
    abandoned: int = 0
    in_time: int = 0
    queued: int = 0
    waited: float = 0.0
    longest: float = 0.0
    talk: float = 0.0
    wrap: float = 0.0
    busy: float = 0.0
    ready: float = 0.0

    def row(self) -> tuple[Any, ...]:
        """As ``COLUMNS`` say. The service level is answered in time of all who were answered or gave up."""
        handled = (self.talk + self.wrap) / self.talked if self.talked else None
        return (
            self.calls, self.talked, self.served, self.abandoned,
            share(self.abandoned, self.talked + self.abandoned), share(self.in_time, self.talked + self.abandoned),
            clock(self.waited / self.queued if self.queued else None), clock(self.longest), clock(handled),
            share(self.busy, self.busy + self.ready),
        )  # fmt: skip


def calls(
    ctx: Context,
    promises: Mapping[str, float],
    since: date | None = None,
    until: date | None = None,
    by: str = "day",
    queue: str = "",
    department: str = "",
) -> list[tuple[Any, ...]]:
    """Rows of a label and ``COLUMNS``. ``promises``: queue -> seconds in which it promises to answer. Calls that we
    made ourselves are left out, and those by which an agent heard a flow. :class:`Refused` for an unknown ``by``."""
    if by not in BY:
        raise Refused("by", known=", ".join(BY))
    span = window(ctx, since, until)
    session = ctx.session
    hour, c = hour_of(session, cdr.c.arrived), cdr.c
    limits = [(c.queue == name, literal(seconds)) for name, seconds in promises.items()]
    limit = case(*limits, else_=literal(IN_TIME)) if limits else literal(IN_TIME)
    talked, abandoned = c.outcome == "talked", c.outcome == "abandoned"
    query = (
        select(
            hour.label("hour"), c.queue, c.department, c.agent, func.count().label("calls"),
            _count(talked).label("talked"), _count(c.outcome == "served").label("served"),
            _count(abandoned).label("abandoned"), _count(talked & (c.waited <= limit)).label("in_time"),
            _count(c.queue != "").label("queued"), func.sum(c.waited).label("waited"),
            func.max(c.waited).label("longest"), func.sum(c.talked).label("talk"),
        )
        .where(span.holds(c.arrived), func.coalesce(c.data["direction"].as_string(), "in") == "in")
        .group_by("hour", c.queue, c.department, c.agent)
    )  # fmt: skip
    if queue:
        query = query.where(c.queue == queue)
    if department:
        query = query.where(c.department == department)
    states = _states(ctx, span)
    wraps = _mean_wraps(states)
    name = labels(ctx, by) if by in BY_TIME else None
    groups: dict[str, Sum] = defaultdict(Sum)
    serving: dict[str, set[str]] = defaultdict(set)
    for row in session.execute(query):
        label = name(row.hour) if name is not None else getattr(row, by)
        if label == "" and by in ("queue", "agent"):
            continue
        found = groups[label]
        for field in ("calls", "talked", "served", "abandoned", "in_time", "queued", "waited", "talk"):
            setattr(found, field, getattr(found, field) + (getattr(row, field) or 0))
        found.longest = max(found.longest, row.longest or 0.0)
        found.wrap += row.talked * wraps.get(row.agent, 0.0)
        if row.agent:
            serving[label].add(row.agent)
    whole = not queue and not department
    for (at, agent), spent in states.items():
        for label in (
            [name(at)] if name is not None and whole else _labels_of(agent, by, serving, name is None)
        ):
            if label in groups:
                groups[label].busy += spent["busy"]
                groups[label].ready += spent["ready"]
    return [(label, *groups[label].row()) for label in sorted(groups)]


def _labels_of(agent: str, by: str, serving: Mapping[str, set[str]], told: bool) -> list[str]:
    """The groups that an agent's time counts to, where they are not cut by time: all that it served."""
    return [label for label, agents in serving.items() if agent in agents] if told else []


def _states(ctx: Context, span: Window) -> dict[tuple[str, str], dict[str, float]]:
    """Hour and agent -> seconds busy (talking, on hold, after work) and ready, by the journal."""
    hour = hour_of(ctx.session, journal.c.at)
    before = journal.c.data["before"].as_string()
    query = (
        select(
            hour.label("hour"), journal.c.agent, before.label("before"),
            func.sum(journal.c.data["seconds"].as_float()).label("spent"), func.count().label("times"),
        )
        .where(span.holds(journal.c.at), journal.c.kind == "agent.state")
        .group_by("hour", journal.c.agent, "before")
    )  # fmt: skip
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in ctx.session.execute(query):
        spent = found[row.hour, row.agent]
        if row.before in ("talking", "hold", "wrap_up"):
            spent["busy"] += row.spent or 0.0
        elif row.before in ("ready", "offered"):
            spent["ready"] += row.spent or 0.0
        if row.before == "wrap_up":
            spent["wrap"] += row.spent or 0.0
            spent["wraps"] += row.times
    return found


def _mean_wraps(states: Mapping[tuple[str, str], Mapping[str, float]]) -> dict[str, float]:
    """Agent -> mean seconds of the work after a call."""
    spent: dict[str, float] = defaultdict(float)
    times: dict[str, float] = defaultdict(float)
    for (_, agent), one in states.items():
        spent[agent] += one.get("wrap", 0.0)
        times[agent] += one.get("wraps", 0.0)
    return {agent: spent[agent] / times[agent] for agent in spent if times[agent]}


def _count(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))
