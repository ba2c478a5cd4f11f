"""``open_hours``: goes on while a calendar is open, else the ``closed`` way."""

from __future__ import annotations

from engine.flows.step import Step
from engine.schema.fields import CalendarRef, Flag, Target


class OpenHours(Step):
    """``announce``: play the prompt of the special day or closure, where it has one, before going."""

    kind = "open_hours"
    needs_caller = False

    calendar: CalendarRef
    closed: Target
    announce: Flag = True
