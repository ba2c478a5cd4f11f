"""What a caller typed, as what it should be: a date, an amount, a code. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.flows.asking import Given

if TYPE_CHECKING:
    from engine.flows.steps.collect import Collect


def read(step: Collect, typed: str, scope: Mapping[str, Any]) -> Given | None:
    """The value that ``typed`` is for ``step``; None when it isn't one, or not within its bounds."""
    try:
        value = _value(step, typed)
    except ValueError:
        return None
    if value is None or not _within(step, value, scope):
        return None
    return Given(value)


def _value(step: Collect, typed: str) -> Any:
    span = step.digits
    if not typed.isascii():
        return None  # other scripts have digits, too; a phone has not
    if step.as_ == "money":
        return _money(typed, span.most)
    if not typed.isdigit() or not span.least <= len(typed) <= span.most:
        return None
    match step.as_:
        case "number":
            return Decimal(typed)
        case "date":
            return date(int(typed[:4]), int(typed[4:6]), int(typed[6:8]))
        case "month":
            return date(int(typed[:4]), int(typed[4:6]), 1)
        case "time":
            return time(int(typed[:2]), int(typed[2:4]))
    return typed


def _money(typed: str, most: int) -> Decimal | None:
    """``125`` is 125, ``125*5`` is 125.50, ``125*05`` is 125.05: the star is the point."""
    whole, star, part = typed.partition("*")
    if not whole.isdigit() or len(whole) > most or (star and not (part.isdigit() and len(part) <= 2)):
        return None
    return Decimal(f"{whole}.{part.ljust(2, '0')}" if star else whole)


def _within(step: Collect, value: Any, scope: Mapping[str, Any]) -> bool:
    if step.min is not None and value < step.min:
        return False
    if step.max is not None and value > step.max:
        return False
    earliest = None if step.not_before is None else _moment(step.not_before.get(scope), value)
    latest = None if step.not_after is None else _moment(step.not_after.get(scope), value)
    if step.as_ == "month" and earliest is not None:
        earliest = earliest.replace(day=1)  # the month that a day lies in is not before that day
    return not ((earliest is not None and value < earliest) or (latest is not None and value > latest))


def _moment(bound: Any, like: date | time) -> Any:
    """A bound of a date, month or time, whether it is one already or text (``2026-12-31``, ``17:30``)."""
    if isinstance(like, time):
        if isinstance(bound, datetime):
            return bound.time()
        return bound if isinstance(bound, time) else time.fromisoformat(str(bound))
    if isinstance(bound, datetime):
        return bound.date()
    return bound if isinstance(bound, date) else date.fromisoformat(str(bound))
