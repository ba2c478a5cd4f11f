"""What the questions of a time say: of each expert and topic, of what diverged, who asks no more, who asks again.

Pure reckoning on rows that are read already; all shares are 0 to 1, all times seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Row:
    """A question, as far as figures need it. Times are aware."""

    id: int
    asked: datetime
    staff: str = ""
    name: str = ""
    branch: str = ""
    topic: str = ""
    heard: str = ""
    heard_version: int = 0
    queued: datetime | None = None
    answered: datetime | None = None
    expert: str = ""
    ended: datetime | None = None
    closed: datetime | None = None
    disposition: str = ""
    answer: str = ""
    version: int = 0
    standard_version: int = 0
    ticket: str = ""
    solution: int | None = None
    attitude: int | None = None
    effort: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one expert, or one topic. None: nothing to take it from."""

    of: str
    questions: int
    by_answer: int  # the standard answer that was heard solved it, without an expert
    talked: int  # an expert talked
    unanswered: int  # asked for an expert, and none ever talked
    missed: int  # rings that experts did not take
    first_contact: float | None  # the share solved, and not asked again
    to_answer: float | None  # mean seconds from asking for an expert to the talk
    longest: float | None
    divergent: int
    outdated: int
    gaps: int
    tickets: int
    open: int
    solution: float | None
    attitude: float | None
    effort: float | None
    marked: int  # questions with at least one mark


@dataclass(frozen=True, slots=True)
class Falling:
    """Somebody who asks much less than before, beyond what all others do."""

    who: str
    before: int
    now: int
    expected: float  # had it gone with everybody else


@dataclass(frozen=True, slots=True)
class Repeated:
    """Somebody who asks about one topic again and again."""

    staff: str
    name: str
    branch: str
    topic: str
    times: int
    last: datetime


def real(rows: Iterable[Row]) -> list[Row]:
    """Those that are questions: a call that ended before it said what about is none."""
    return [row for row in rows if row.disposition != "none"]


def again(rows: Sequence[Row], within: timedelta) -> set[int]:
    """The ids of questions after which the same person asked about the same topic within that time."""
    by_matter: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.staff and row.topic and row.disposition != "none":
            by_matter[row.staff, row.topic].append(row)
    found = set()
    for asked in by_matter.values():
        asked.sort(key=lambda row: (row.asked, row.id))
        for one, following in pairwise(asked):
            if following.asked - one.asked <= within:
                found.add(one.id)
    return found


def solved(row: Row, asked_again: set[int]) -> bool:
    """Solved at first contact: an answer was given, the caller did not say otherwise, and did not ask again."""
    content = row.solution is None or row.solution >= 3
    return row.disposition in ("heard", "answer") and content and row.id not in asked_again


def outdated(row: Row) -> bool:
    """An answer of another version than the one that was published then, or one that was not published at all."""
    return row.disposition == "answer" and row.version != row.standard_version


def divergent(row: Row) -> bool:
    """Another answer than the standard one that the caller had found for the question."""
    return row.disposition == "answer" and row.heard != "" and row.answer != row.heard


def figures(
    rows: Sequence[Row],
    missed: Sequence[tuple[int, str]],
    *,
    by: str,
    within: timedelta,
    expert: str = "",
    topic: str = "",
) -> list[Figures]:
    """By ``expert`` or by ``topic``, in the order of their names, of one expert or topic only when that is given.
    ``missed`` are a question's id and the expert who did not take it. Questions without an expert, or topic, stand
    under "". Whether somebody asked again is looked for among all rows."""
    repeated = again(rows, within)
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in real(rows):
        if expert in ("", row.expert) and topic in ("", row.topic):
            groups[getattr(row, by)].append(row)
    topics = {row.id: row.topic for row in rows if topic in ("", row.topic)}
    misses: dict[str, int] = defaultdict(int)
    for question, who in missed:
        if question in topics and expert in ("", who):
            misses[who if by == "expert" else topics[question]] += 1
    return [_figures(of, groups.get(of, []), misses[of], repeated) for of in sorted({*groups, *misses})]


def _figures(of: str, rows: list[Row], missed: int, repeated: set[int]) -> Figures:
    waited = [
        (row.answered - row.queued).total_seconds()
        for row in rows
        if row.answered is not None and row.queued is not None
    ]
    helped = sum(solved(row, repeated) for row in rows)
    return Figures(
        of=of,
        questions=len(rows),
        by_answer=sum(row.disposition == "heard" for row in rows),
        talked=sum(row.expert != "" for row in rows),
        unanswered=sum(row.queued is not None and row.expert == "" for row in rows),
        missed=missed,
        first_contact=helped / len(rows) if rows else None,
        to_answer=_mean(waited),
        longest=max(waited, default=None),
        divergent=sum(divergent(row) for row in rows),
        outdated=sum(outdated(row) for row in rows),
        gaps=sum(row.disposition == "gap" for row in rows),
        tickets=sum(row.disposition == "ticket" for row in rows),
        open=sum(row.closed is None for row in rows),
        solution=_mean([row.solution for row in rows if row.solution is not None]),
        attitude=_mean([row.attitude for row in rows if row.attitude is not None]),
        effort=_mean([row.effort for row in rows if row.effort is not None]),
        marked=sum(
            any(mark is not None for mark in (row.solution, row.attitude, row.effort)) for row in rows
        ),
    )


def falling(
    rows: Iterable[Row],
    *,
    by: Callable[[Row], str],
    middle: datetime,
    span: timedelta,
    least: int = 4,
    share: float = 0.5,
) -> list[Falling]:
    """Who asked at least ``least`` questions in the ``span`` before ``middle``, and in the one after it no more than
    ``share`` of what was to be expected had it gone with all the others; the steepest fall first.

    A holiday on which everybody asks less makes nobody fall.
    """
    before: dict[str, int] = defaultdict(int)
    now: dict[str, int] = defaultdict(int)
    for row in real(rows):
        who = by(row)
        if who and middle - span <= row.asked < middle:
            before[who] += 1
        elif who and middle <= row.asked < middle + span:
            now[who] += 1
    everybody_before, everybody_now = sum(before.values()), sum(now.values())
    found = []
    for who, count in before.items():
        others = everybody_before - count
        trend = (everybody_now - now[who]) / others if others else 1.0
        expected = count * min(1.0, trend)
        if count >= least and now[who] <= share * expected:
            found.append(Falling(who, count, now[who], round(expected, 1)))
    return sorted(found, key=lambda one: (one.now - one.expected, one.who))


def repeated(rows: Iterable[Row], *, least: int = 3) -> list[Repeated]:
    """Who asked about one topic at least so often, the most often first: they lack training, not an answer."""
    by_matter: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in real(rows):
        if row.staff and row.topic:
            by_matter[row.staff, row.topic].append(row)
    found = [
        Repeated(staff, last.name, last.branch, topic, len(asked), last.asked)
        for (staff, topic), asked in by_matter.items()
        if len(asked) >= least and (last := max(asked, key=lambda row: (row.asked, row.id)))
    ]
    return sorted(found, key=lambda one: (-one.times, one.staff, one.topic))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
