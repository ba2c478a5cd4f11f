"""What head office and the desk work with beside the telephone: reports, and commands."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.api import CliCommand, Context, Digits, Refused, Report

from . import cases
from .adapters import Payroll
from .cases import OUTCOMES, TOPICS, Cases
from .models import FeedbackRow, RequestRow
from .seed import read_slips

# -- reports -------------------------------------------------------------------------------------------


def by_branch(ctx: Context, since: date | None = None, until: date | None = None) -> list[tuple[Any, ...]]:
    """Feedback by branch: how much, how much of it without a name, in time, late, and what came of it."""
    found: dict[tuple[str, str], list[FeedbackRow]] = defaultdict(list)
    for row in _within(ctx, since, until):
        found[row.branch, row.branch_name].append(row)
    return [
        (
            branch,
            name,
            len(rows),
            sum(not row.employee for row in rows),
            sum(row.replied is None for row in rows),
            sum(_overdue(ctx, row) for row in rows),
            sum(_in_time(row) for row in rows),
            sum(row.late for row in rows),
            *(sum(row.outcome == outcome for row in rows) for outcome in OUTCOMES),
            sum(row.settled is not None for row in rows),
            sum(row.reopened for row in rows),
            _hours([(row.replied - row.received).total_seconds() for row in rows if row.replied is not None]),
        )
        for (branch, name), rows in sorted(found.items())
    ]


def by_topic(ctx: Context, since: date | None = None, until: date | None = None) -> list[tuple[Any, ...]]:
    """What feedback is about, by branch."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in _within(ctx, since, until):
        found[row.branch_name].append(row.topic)
    return [
        (name, *(topics.count(topic) for topic in TOPICS), len(topics))
        for name, topics in sorted(found.items())
    ]


def by_request(ctx: Context, since: date | None = None, until: date | None = None) -> list[tuple[Any, ...]]:
    """Requests by kind: how many, how many are open, late, or done in time."""
    first, last = _moments(ctx, since, until)
    query = select(RequestRow).where(RequestRow.opened >= first, RequestRow.opened < last)
    found: dict[str, list[RequestRow]] = defaultdict(list)
    for row in ctx.session.scalars(query):
        found[row.kind].append(row)
    return [
        (
            kind,
            len(rows),
            sum(row.solved is None for row in rows),
            sum(row.solved is None and row.due is not None and row.due < ctx.now for row in rows),
            sum(row.solved is not None and row.due is not None and row.solved <= row.due for row in rows),
            sum(row.solved is not None and row.due is not None and row.solved > row.due for row in rows),
            _hours([(row.solved - row.opened).total_seconds() for row in rows if row.solved is not None]),
        )
        for kind, rows in sorted(found.items())
    ]


def families(ctx: Context) -> list[tuple[Any, ...]]:
    """Hardship requests that are open, by when their families are to be called."""
    query = select(RequestRow).where(RequestRow.kind == "hardship", RequestRow.solved.is_(None))
    rows = ctx.session.scalars(query.order_by(RequestRow.due)).all()
    return [
        (row.ticket, row.owner, row.opened, row.due, "late" if row.due and row.due < ctx.now else "")
        for row in rows
    ]


def _within(ctx: Context, since: date | None, until: date | None) -> list[FeedbackRow]:
    first, last = _moments(ctx, since, until)
    return [row for row in ctx.adapter(Cases).feedback(since=first) if row.received < last]


def _moments(ctx: Context, since: date | None, until: date | None) -> tuple[datetime, datetime]:
    zone = ctx.now.tzinfo
    first = datetime.combine(since or date(2000, 1, 1), time(), tzinfo=zone)
    return first, datetime.combine(until or ctx.today, time.max, tzinfo=zone)


def _overdue(ctx: Context, row: FeedbackRow) -> bool:
    return row.replied is None and row.due is not None and row.due < ctx.now


def _in_time(row: FeedbackRow) -> bool:
    return row.replied is not None and not row.late


def _hours(lengths: list[float]) -> str:
    """The mean, in hours; "" of none."""
    return f"{sum(lengths) / len(lengths) / 3600:.1f}" if lengths else ""


# -- commands ------------------------------------------------------------------------------------------


def list_feedback(ctx: Context, branch: str = "", overdue: bool = False) -> list[dict[str, Any]]:
    """Feedback, the oldest first."""
    rows = ctx.adapter(Cases).feedback(branch=branch)
    return [
        {
            "ticket": row.ticket,
            "branch": row.branch_name,
            "topic": row.topic,
            "received": row.received,
            "due": row.due,
            "answered": row.replied,
            "outcome": row.outcome,
            "by": row.employee or "nobody knows",
        }
        for row in rows
        if not overdue or _overdue(ctx, row)
    ]


def show(ctx: Context, number: Digits) -> list[dict[str, Any]]:
    """One feedback: its clips are played by `insideline hr` over the desk's line, or as files."""
    desk = ctx.adapter(Cases)
    row = desk.by_ticket(number)
    if row is None:
        raise Refused("unknown", number=number, say=f"there is no feedback {number}")
    clips = ", ".join(desk.clips(number))
    said = (
        ("branch", row.branch_name), ("topic", row.topic), ("received", row.received), ("due", row.due),
        ("by", row.employee or "nobody knows"), ("clips", clips), ("answered", row.replied),
        ("reply", row.reply or row.reply_clip), ("outcome", row.outcome), ("settled", row.settled),
    )  # fmt: skip
    return [{"what": name, "is": value} for name, value in said if value]


def answer(ctx: Context, number: Digits, agent: Digits, text: str, outcome: str = "justified") -> str:
    """Answer a feedback in words, which whoever has its code hears."""
    if not text.strip():
        raise Refused("empty", say="say the answer in words")
    row = cases.reply(ctx, number, agent, text=text.strip(), outcome=outcome)
    return f"feedback {number} on {row.branch_name} is answered: {outcome}"


def take(ctx: Context, number: Digits, agent: Digits) -> str:
    """An agent sees to a feedback."""
    cases.take(ctx, number, agent)
    return f"feedback {number} is with {agent}"


def follow_up(ctx: Context, code: Digits) -> list[dict[str, Any]]:
    """What the desk reads to a caller who tells a code."""
    row = ctx.adapter(Cases).by_code(code)
    if row is None:
        raise Refused("unknown", say="no feedback has this code")
    said = (
        ("branch", row.branch_name), ("received", row.received), ("due", row.due), ("answered", row.replied),
        ("reply", row.reply or ("spoken: by phone with the code" if row.reply_clip else "")),
    )  # fmt: skip
    return [{"what": name, "is": value} for name, value in said if value]


def take_in(ctx: Context, file: str) -> str:
    """Slips out of a CSV file with the columns of sample/slips.csv; those of the same months are replaced."""
    try:
        count = read_slips(ctx.session, Path(file), ctx.today)
    except (OSError, ValueError) as error:
        raise Refused("unreadable", say=f"{file} can't be read: {error}") from None
    return f"{count} slips"


REPORTS = [
    Report(
        "hr.feedback",
        "Feedback by branch, deadline and outcome",
        (
            "branch", "name", "received", "anonymous", "open", "overdue", "in time", "late", *OUTCOMES, "settled",
            "reopened", "hours",
        ),
        by_branch,
    ),
    Report("hr.topics", "What feedback is about, by branch", ("branch", *TOPICS, "all"), by_topic),
    Report(
        "hr.requests",
        "Requests of employees and families, by kind",
        ("kind", "received", "open", "overdue", "in time", "late", "hours"),
        by_request,
    ),
    Report("hr.families", "Hardship requests that are open", ("ticket", "owner", "opened", "due", "state"), families),
]  # fmt: skip
COMMANDS = [
    CliCommand("feedback", list_feedback, "Feedback on branches (--branch CODE, --overdue)."),
    CliCommand("show", show, "One feedback with its clips and its answer."),
    CliCommand("take", take, "Give a feedback to an agent; nobody of the branch may have it."),
    CliCommand("answer", answer, f"Answer a feedback in words; --outcome {', '.join(OUTCOMES)}."),
    CliCommand("follow-up", follow_up, "What became of a feedback, by its code."),
    CliCommand(
        "import-slips",
        take_in,
        "Take in slips from a CSV file; those of the same months are replaced.",
        over=Payroll,
    ),
]
