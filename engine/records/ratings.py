"""Ratings: what callers answered to the questions of surveys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.store.store import Store
from engine.store.tables_clips import ratings as table
from engine.types import RatingView

LIMIT = 100
GROUPS = ("agent", "queue", "question", "department", "flow")


@dataclass(frozen=True, slots=True)
class Average:
    """The answers of one group: how many, and their mean, lowest and highest."""

    name: str
    question: str
    count: int
    mean: float
    lowest: int
    highest: int


class Ratings:
    """What was answered. Writing never waits for the database."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def add(
        self, key: str, question: str, score: int, most: int, *, party: int | None = None, **about: str
    ) -> None:
        """Keep an answer; ``about``: call, department, flow, queue, agent, language; ``party`` is who answered. The
        same ``key`` is the same answer."""
        values = {
            "at": self._clock.now(),
            "question": question,
            "score": score,
            "most": most,
            "party": party,
            **about,
        }
        self._store.save(table, key, values)


class RatingsIn:
    """The ratings as one session sees them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def search(
        self,
        *,
        call: str = "",
        agent: str = "",
        queue: str = "",
        question: str = "",
        department: str = "",
        party: int = 0,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = LIMIT,
    ) -> list[RatingView]:
        """Answers, the newest first."""
        wanted: dict[str, Any] = {
            "call": call, "agent": agent, "queue": queue, "question": question, "department": department,
            "party": party,
        }  # fmt: skip
        return listed(self._session, since=since, until=until, limit=limit, **wanted)


# -- what is read -------------------------------------------------------------------------------------


def listed(
    session: Session,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = LIMIT,
    **wanted: Any,
) -> list[RatingView]:
    """Answers, the newest first; ``wanted`` is a column with its value: agent, queue, question, department, call."""
    query = (
        _fitting(select(table), since, until, wanted).order_by(table.c.at.desc(), table.c.key).limit(limit)
    )
    return [_rating(row) for row in session.execute(query)]


def averages(
    session: Session, by: str, *, since: datetime | None = None, until: datetime | None = None, **wanted: str
) -> list[Average]:
    """The mean of each question, by one of ``GROUPS``."""
    if by not in GROUPS:
        raise ValueError(f"ratings are grouped by {', '.join(GROUPS)}")
    name = table.c[by]
    score = table.c.score
    query = select(name, table.c.question, func.count(), func.avg(score), func.min(score), func.max(score))
    query = (
        _fitting(query, since, until, wanted)
        .group_by(name, table.c.question)
        .order_by(name, table.c.question)
    )
    return [
        Average(group, question, count, round(float(mean), 2), lowest, highest)
        for group, question, count, mean, lowest, highest in session.execute(query)
    ]


def _fitting(
    query: Select[Any], since: datetime | None, until: datetime | None, wanted: dict[str, Any]
) -> Select[Any]:
    if since is not None:
        query = query.where(table.c.at >= since)
    if until is not None:
        query = query.where(table.c.at < until)
    for column, value in wanted.items():
        if value:
            query = query.where(table.c[column] == value)
    return query


def _rating(row: Row[Any]) -> RatingView:
    return RatingView(**row._mapping)
