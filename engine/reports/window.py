"""What reports share: the time they look at, and moments cut into hours by the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

from engine.errors import Refused
from engine.hooks.context import Context

DAYS: Final = 14
"""How far back a report looks when nothing is said."""
BY_TIME: Final = ("day", "hour", "weekday", "month")
_WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Window:
    """From ``begin`` to before ``end``."""

    begin: datetime
    end: datetime

    def holds(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a moment of a row lies in it."""
        return (column >= self.begin) & (column < self.end)


def window(ctx: Context, since: date | None, until: date | None) -> Window:
    """The days from ``since`` to ``until``, both included: the last fortnight and today when nothing is said."""
    zone = ctx.now.tzinfo
    last = until or ctx.today
    first = since or last - timedelta(days=DAYS)
    if last < first:
        raise Refused("nothing", since=first, until=last)
    return Window(
        datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)
    )


def hour_of(session: Session, column: ColumnElement[Any]) -> ColumnElement[str]:
    """The UTC hour of a moment, as the text ``2026-11-23 01``."""
    if session.get_bind().dialect.name == "sqlite":
        return func.strftime("%Y-%m-%d %H", column)
    return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24")


def labels(ctx: Context, by: str) -> Callable[[str], str]:
    """What an hour (:func:`hour_of`) counts to: its day, its hour of the day, its weekday or month, in local time."""
    zone = ctx.now.tzinfo

    def local(hour: str) -> datetime:
        return datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC).astimezone(zone)

    forms: dict[str, Callable[[datetime], str]] = {
        "day": lambda at: f"{at:%Y-%m-%d} {_WEEK[at.weekday()]}",
        "hour": lambda at: f"{at:%H}:00",
        "weekday": lambda at: f"{at.isoweekday()} {_WEEK[at.weekday()]}",
        "month": lambda at: f"{at:%Y-%m}",
    }
    form = forms[by]
    return lambda hour: form(local(hour))


def share(part: float, whole: float) -> str:
    """A share as people read it; "" of nothing."""
    return f"{100 * part / whole:.1f}%" if whole else ""


def clock(seconds: float | None) -> str:
    """A length of time: ``1:02:05``, ``2:05``; "" when there is none."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
