"""Tickets on time, what surveys say, and who calls again and again."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import distinct, func, select

from engine.errors import Refused
from engine.hooks.context import Context
from engine.reports.window import clock, share, window
from engine.store.tables import cdr
from engine.store.tables_clips import ratings
from engine.store.tables_tickets import ticket_history, tickets

TICKETS: Final = (
    "month", "department", "tickets", "solved", "on time", "late", "open past due", "reopened", "returned",
    "first response", "solution",
)  # fmt: skip
SURVEYS: Final = ("group", "question", "answers", "mean", "1-2", "5", "answered")
REPEATS: Final = ("number", "calls", "days", "queues", "first", "last")
_TOUCHES: Final = ("assigned", "noted", "answered", "solved", "closed")


def tickets_on_time(
    ctx: Context, since: date | None = None, until: date | None = None, department: str = "", kind: str = ""
) -> list[tuple[Any, ...]]:
    """By month of opening and department. On time: solved before it was due, of those that had a time and were solved
    or are past it. The times are medians, of all hours and not of the calendar's."""
    span = window(ctx, since or ctx.today - timedelta(days=92), until)
    touched = (
        select(ticket_history.c.ticket, func.min(ticket_history.c.at).label("at"))
        .where(ticket_history.c.what.in_(_TOUCHES))
        .group_by(ticket_history.c.ticket)
        .subquery()
    )
    query = select(tickets, touched.c.at.label("touched")).join_from(
        tickets, touched, touched.c.ticket == tickets.c.number, isouter=True
    )
    query = query.where(span.holds(tickets.c.opened))
    for column, value in ((tickets.c.department, department), (tickets.c.kind, kind)):
        if value:
            query = query.where(column == value)
    groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in ctx.session.execute(query):
        month = row.opened.astimezone(ctx.now.tzinfo).strftime("%Y-%m")
        groups[month, row.department].append(row)
    found = []
    for (month, whose), rows in sorted(groups.items()):
        solved = [row for row in rows if row.solved is not None]
        timed = [row for row in rows if row.due is not None]
        good = [row for row in timed if row.solved is not None and row.solved <= row.due]
        late = [row for row in timed if row.solved is not None and row.solved > row.due]
        past = [row for row in timed if row.solved is None and row.due <= ctx.now]
        found.append(
            (
                month, whose, len(rows), len(solved), share(len(good), len(good) + len(late) + len(past)), len(late),
                len(past), sum(row.reopens > 0 for row in rows), sum(row.returns > 0 for row in rows),
                clock(_median([(row.touched - row.opened).total_seconds() for row in rows if row.touched])),
                clock(_median([(row.solved - row.opened).total_seconds() for row in solved])),
            )
        )  # fmt: skip
    return found


def surveys(
    ctx: Context,
    since: date | None = None,
    until: date | None = None,
    by: str = "department",
    department: str = "",
) -> list[tuple[Any, ...]]:
    """Each question by department, queue or agent: how many answered, the mean, the bad and the best marks, and the
    share of the calls with a talk that were answered."""
    if by not in ("department", "queue", "agent"):
        raise Refused("by", known="department, queue, agent")
    span = window(ctx, since, until)
    group, calls = ratings.c[by], cdr.c[by]
    query = select(group.label("group"), ratings.c.question, ratings.c.score).where(span.holds(ratings.c.at))
    talked = (
        select(calls, func.count())
        .where(span.holds(cdr.c.arrived), cdr.c.outcome == "talked")
        .group_by(calls)
    )
    if department:
        query = query.where(ratings.c.department == department)
        talked = talked.where(cdr.c.department == department)
    marks: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in ctx.session.execute(query):
        marks[row.group, row.question].append(row.score)
    talks: dict[str, int] = dict(tuple(row) for row in ctx.session.execute(talked))
    return [
        (
            name, question, len(scores), f"{sum(scores) / len(scores):.2f}", sum(one <= 2 for one in scores),
            sum(one == 5 for one in scores), share(len(scores), talks.get(name, 0)),
        )
        for (name, question), scores in sorted(marks.items())
    ]  # fmt: skip


def repeats(
    ctx: Context, since: date | None = None, until: date | None = None, least: int = 4, within: int = 3
) -> list[tuple[Any, ...]]:
    """Numbers that were talked to at least ``least`` times in any ``within`` days: what they wanted was not solved."""
    span = window(ctx, since, until)
    often = (
        select(cdr.c.number)
        .where(span.holds(cdr.c.arrived), cdr.c.number != "", cdr.c.queue != "")
        .group_by(cdr.c.number)
        .having(func.count(distinct(cdr.c.call)) >= least)
    )
    query = (
        select(cdr.c.number, cdr.c.arrived, cdr.c.queue)
        .where(span.holds(cdr.c.arrived), cdr.c.number.in_(often), cdr.c.queue != "")
        .order_by(cdr.c.number, cdr.c.arrived)
    )
    calls: dict[str, list[Any]] = defaultdict(list)
    for row in ctx.session.execute(query):
        calls[row.number].append(row)
    found = []
    for number, rows in calls.items():
        for at in range(len(rows) - least + 1):
            some = [row for row in rows[at:] if row.arrived - rows[at].arrived <= timedelta(days=within)]
            if len(some) >= least:
                days = {row.arrived.astimezone(ctx.now.tzinfo).date() for row in some}
                queues = ", ".join(sorted({row.queue for row in some}))
                found.append((number, len(some), len(days), queues, some[0].arrived, some[-1].arrived))
                break
    return sorted(found, key=lambda row: (-row[1], row[0]))


def _median(values: list[float]) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
