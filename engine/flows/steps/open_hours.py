"""``open_hours``: goes on while a calendar is open, else the ``closed`` way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.flows.moves import Go
from engine.flows.step import Step
from engine.schema.fields import CalendarRef, Flag, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class OpenHours(Step):
    """Put it before people, not before self-service."""

    kind = "open_hours"
    needs_caller = False

    calendar: CalendarRef
    """A calendar of conf/calendars.yaml."""
    closed: Target
    """Where it leads when the calendar is closed."""
    announce: Flag = True
    """Say the prompt of the calendar (of its special day, of the closure) before that."""

    def how(self, way: str) -> str:
        return f"{self.calendar} is closed"

    def through(self) -> str:
        return f"{self.calendar} is open"

    def run(self, run: Run) -> Move:
        opening = run.services.calendars.at(self.calendar, run.local_now())
        if opening.open:
            return None
        run.call.journal("hours.closed", calendar=self.calendar, why=opening.why)
        if self.announce and opening.prompt and run.call.leg.gone is None:
            run.speak(opening.prompt)
        return Go(self.closed, way="closed")
