"""What the office works with beside the telephone: reports, and commands."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.api import CliCommand, Context, Digits, Refused, Report

from . import closing, figures
from .figures import Row
from .models import Missed, Question
from .seed import take_staff, take_topics

FIGURES = tuple(one.name for one in fields(figures.Figures))[1:]
_ROW = tuple(one.name for one in fields(Row))


def rows_of(ctx: Context, since: datetime, until: datetime) -> list[Row]:
    """The questions asked in that time, the first one first."""
    query = select(*(getattr(Question, name) for name in _ROW)).where(
        Question.asked >= since, Question.asked < until
    )
    return [Row(*row) for row in ctx.session.execute(query.order_by(Question.asked, Question.id))]


def _missed(ctx: Context, since: datetime, until: datetime) -> list[tuple[int, str]]:
    query = (
        select(Missed.question, Missed.expert)
        .join(Question, Question.id == Missed.question)
        .where(Question.asked >= since, Question.asked < until)
    )
    return [(question, expert) for question, expert in ctx.session.execute(query)]


def _times(ctx: Context, since: date | None, until: date | None, days: int = 14) -> tuple[datetime, datetime]:
    """From the beginning of ``since`` to the end of ``until``; the last ``days`` days when left out."""
    last = until or ctx.today
    first = since or last - timedelta(days=days - 1)
    if first > last:
        raise Refused("no_time", say=f"{first} is behind {last}: there is no time between the two")
    zone = ctx.now.tzinfo
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)


def _within(ctx: Context) -> timedelta:
    return timedelta(seconds=ctx.settings.again)


# -- the reports ----------------------------------------------------------------------------------------


def by_expert(
    ctx: Context, since: date | None = None, until: date | None = None, topic: str = ""
) -> list[Sequence[Any]]:
    """One row for each expert; "" are questions that no expert talked about."""
    return _figures(ctx, "expert", _times(ctx, since, until), topic=topic)


def by_topic(
    ctx: Context, since: date | None = None, until: date | None = None, expert: str = ""
) -> list[Sequence[Any]]:
    """One row for each topic; "" are questions whose caller chose none."""
    return _figures(ctx, "topic", _times(ctx, since, until), expert=expert)


def _figures(ctx: Context, by: str, times: tuple[datetime, datetime], **only: str) -> list[Sequence[Any]]:
    found = figures.figures(rows_of(ctx, *times), _missed(ctx, *times), by=by, within=_within(ctx), **only)
    return [(one.of, *(_rounded(getattr(one, name)) for name in FIGURES)) for one in found]


def _rounded(value: Any) -> Any:
    return round(value, 2) if isinstance(value, float) else value


def diverged(ctx: Context, since: date | None = None, until: date | None = None) -> list[Sequence[Any]]:
    """Answers of an expert that were not the standard: another one than the caller had found, or another version than
    the one that was published then (0: none was)."""
    return [
        (
            row.id, row.asked, row.expert, row.topic, row.heard, row.answer, row.version, row.standard_version,
            "another answer" if figures.divergent(row) else "another version",
        )
        for row in rows_of(ctx, *_times(ctx, since, until))
        if figures.divergent(row) or figures.outdated(row)
    ]  # fmt: skip


def open_questions(ctx: Context, expert: str = "", topic: str = "", days: int = 0) -> list[Sequence[Any]]:
    """What nobody has closed, the oldest first; ``days``: only what is at least so old."""
    until = ctx.now - timedelta(days=days)
    query = select(Question).where(Question.closed.is_(None), Question.asked <= until)
    if expert:
        query = query.where((Question.expert == expert) | (Question.last_expert == expert))
    if topic:
        query = query.where(Question.topic == topic)
    return [
        (
            one.id, one.asked, _age(ctx.now - one.asked), one.staff, one.name, one.branch, one.topic,
            one.last_expert, "called back" if one.called_back else "talked" if one.expert else "no expert",
        )
        for one in ctx.session.scalars(query.order_by(Question.asked, Question.id))
    ]  # fmt: skip


def _age(age: timedelta) -> str:
    """3d 4h, 4h 10m, 10m"""
    days, rest = divmod(int(age.total_seconds()), 86400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m"


def falling(
    ctx: Context, by: str = "branch", until: date | None = None, days: int = 7
) -> list[Sequence[Any]]:
    """Whose questions fall away: branches, or (``by`` staff) people. The last ``days`` against those before."""
    if by not in ("branch", "staff"):
        raise Refused("by", say=f"by {by} can't be asked; by branch, or by staff")
    begin, end = _times(ctx, None, until, days)
    span = end - begin
    rows = rows_of(ctx, begin - span, end)
    found = figures.falling(rows, by=lambda row: str(getattr(row, by)), middle=begin, span=span)
    names = {row.staff: f"{row.name}, {row.branch}" for row in rows}
    return [
        (one.who, names.get(one.who, "") if by == "staff" else "", one.before, one.now, one.expected)
        for one in found
    ]


def repeated(
    ctx: Context, since: date | None = None, until: date | None = None, times: int = 3
) -> list[Sequence[Any]]:
    """Who asked about one topic again and again: at least so many ``times``."""
    rows = rows_of(ctx, *_times(ctx, since, until))
    return [
        (one.staff, one.name, one.branch, one.topic, one.times, one.last)
        for one in figures.repeated(rows, least=times)
    ]


_OPEN = ("question", "asked", "age", "staff", "name", "branch", "topic", "expert", "how")
_DIVERGED = ("question", "asked", "expert", "topic", "found", "given", "version", "standard", "why")
_FALLING = ("who", "name", "before", "now", "expected")
_REPEATED = ("staff", "name", "branch", "topic", "times", "last")

REPORTS = [
    Report("expert.experts", "Experts: contacts, time to answer, marks", ("expert", *FIGURES), by_expert),
    Report("expert.topics", "Topics of the first line's questions", ("topic", *FIGURES), by_topic),
    Report("expert.diverged", "Answers that were not the published standard", _DIVERGED, diverged),
    Report("expert.open", "Questions that nobody has closed, and their age", _OPEN, open_questions),
    Report("expert.falling", "Branches (or staff) whose questions fall away", _FALLING, falling),
    Report("expert.repeated", "Who asks about one topic again and again", _REPEATED, repeated),
]


def report(
    ctx: Context, since: date | None = None, until: date | None = None, expert: str = "", topic: str = ""
) -> dict[str, list[dict[str, Any]]]:
    """All of it: the last 14 days, or those that are said. Falling: the second half against the first."""
    begin, end = _times(ctx, since, until)
    half = max(1, (end - begin).days // 2)
    last = (end - timedelta(days=1)).date()
    return {
        "Experts": _named(
            ("expert", *FIGURES), _figures(ctx, "expert", (begin, end), expert=expert, topic=topic)
        ),
        "Topics": _named(
            ("topic", *FIGURES), _figures(ctx, "topic", (begin, end), expert=expert, topic=topic)
        ),
        "Not the standard answer": _named(_DIVERGED, diverged(ctx, begin.date(), last)),
        "Open questions": _named(_OPEN, open_questions(ctx, expert, topic)),
        "Branches that ask less": _named(_FALLING, falling(ctx, "branch", last, half)),
        "People who ask less": _named(_FALLING, falling(ctx, "staff", last, half)),
        "Asked again and again": _named(_REPEATED, repeated(ctx, begin.date(), last)),
    }


def _named(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _taken(ctx: Context, take: Any, file: str, what: str) -> str:
    try:
        return f"{take(ctx.session, Path(file))} {what}"
    except (OSError, KeyError, ValueError, TypeError) as error:
        why = str(error)
        if isinstance(error, OSError):
            why = error.strerror or why
        elif isinstance(error, KeyError):
            why = f"there is no column {error}"
        raise Refused("unreadable", say=f"{file} can't be taken in: {why}") from None


def import_topics(ctx: Context, file: str) -> str:
    """Topics from a CSV file with the columns of sample/topics.csv."""
    return _taken(ctx, take_topics, file, "topics")


def import_staff(ctx: Context, file: str) -> str:
    """First-line staff from a CSV file with the columns of sample/staff.csv."""
    return _taken(ctx, take_staff, file, "people")


def _question(ctx: Context, id: int) -> Question:
    found = ctx.session.get(Question, id)
    if found is None:
        raise Refused("unknown", say=f"there is no question {id}")
    return found


def show(ctx: Context, question: int) -> list[dict[str, Any]]:
    """One question, as it stands."""
    found = _question(ctx, question)
    values = {one: getattr(found, one) for one in [column.key for column in Question.__mapper__.columns]}
    return [
        {"fact": name, "value": value} for name, value in values.items() if value not in ("", None, 0, False)
    ]


def close(
    ctx: Context,
    question: int,
    answer: Digits = "",
    version: int = 0,
    gap: bool = False,
    ticket: bool = False,
    by: str = "",
) -> str:
    """Close a question with a published answer, as a gap in the knowledge, or with a ticket for its owner."""
    if sum((bool(answer), gap, ticket)) != 1:
        raise Refused("how", say="say one of --answer NUMBER, --gap, --ticket")
    who = by or getpass.getuser()
    found = _question(ctx, question)
    if found.closed is not None:
        raise Refused(
            "closed", say=f"question {question} was closed by {found.closed_by} ({found.disposition})"
        )
    if answer and ctx.knowledge.latest(answer) is None:
        raise Refused("unknown_answer", say=f"there is no answer {answer}")
    if answer and version and ctx.knowledge.get(answer, version) is None:
        raise Refused("unknown_answer", say=f"there is no version {version} of answer {answer}")
    if answer:
        given = closing.answered(ctx, question, who, answer, version)
        return f"question {question} is closed with answer {answer}, version {given}"
    if gap:
        return f"question {question} is a gap; its draft is {closing.gap(ctx, question, who)}"
    return f"question {question} is ticket {closing.ticket(ctx, question, who).number}"


COMMANDS = [
    CliCommand("close", close, "Close a question: --answer NUMBER, --gap or --ticket."),
    CliCommand(
        "report", report, "Experts, topics, what diverged, what is open, who asks no more and who again."
    ),
    CliCommand("show", show, "One question."),
    CliCommand("import-topics", import_topics, "Take in topics from a CSV file."),
    CliCommand("import-staff", import_staff, "Take in first-line staff from a CSV file."),
]
