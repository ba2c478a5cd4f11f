"""Time that counts only while a calendar is open: when a promise falls due."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.flows.calendars import Calendars

MOST_CHANGES: int = 4000
"""Openings and closings that are walked through: far more than the years of any promise have."""


def working_after(calendars: Calendars, name: str, start: datetime, seconds: float) -> datetime:
    """The moment at which ``seconds`` of the calendar's open time have passed since ``start`` (both aware).

    Closed days, holidays, nights and closures don't count. No seconds at all: ``start`` itself while it is open,
    else the next opening. A calendar that does not open within a month counts all time from there on, so that a
    promise always falls due. :class:`~engine.errors.NotFound` for an unknown calendar.
    """
    here, left = start, timedelta(seconds=max(0.0, seconds))
    for _ in range(MOST_CHANGES):
        opening = calendars.at(name, here)
        if opening.open:
            if opening.until is None or here + left < opening.until or not left:
                return here + left
            left -= opening.until - here
            if not left:
                return opening.until
            here = opening.until
        elif opening.until is None:
            return here + left
        else:
            here = opening.until
    return here + left


def next_open(calendars: Calendars, name: str, moment: datetime) -> datetime:
    """``moment`` itself while the calendar is open, else its next opening."""
    return working_after(calendars, name, moment, 0.0)
