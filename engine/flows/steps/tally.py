"""``tally``: counts what callers report, by area in a stretch of time, each meter once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from engine.errors import Pending, StoreError
from engine.flows.asking import valued
from engine.flows.expressions import ExpressionError
from engine.flows.scope import UnknownName
from engine.flows.step import Into, Step, Types, Values
from engine.flows.types import FLAG, WHOLE, Type, record
from engine.flows.values import Val
from engine.records import tallies
from engine.schema.fields import Duration, Name, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run

_NOTHING = {"count": 0, "first": False, "again": False}


class Tally(Step):
    """Where it could not be counted and ``failed`` is left out, the call goes on with a count of 0."""

    kind = "tally"
    needs_caller = False

    name: Name
    """The tally's name, of this department."""
    by: Annotated[Values, Field(default_factory=dict)]
    """The area: what is counted apart."""
    once: Val | None = None
    """What is counted once in an area within `window`; the call when left out."""
    window: Duration = 7200.0
    """The stretch of time that is counted over."""
    into: Into | None = None
    """Gets a record: `count` (how many there are now), `first` (this is the first) and `again` (it was counted
    already)."""
    within: Duration = 3.0
    """How long counting may take."""
    failed: Target | None = None
    """Where it leads when it could not be counted."""

    def born_type(self, name: str, types: Types) -> Type:
        return record("tally", count=WHOLE, first=FLAG, again=FLAG)

    def run(self, run: Run) -> Move:
        run.checkpoint()
        run.flush()
        services, call = run.services, run.call
        name = f"{run.department}.{self.name}"
        try:
            area = tallies.area_of(valued(run, self.by))
            key = str(self.once.get(run.scope)) if self.once is not None else call.id

            def mark(session: Any) -> dict[str, Any]:
                now = services.clock.now()
                return tallies.count(session, name, area, key, now=now, window=self.window).plain()

            # A deed, so that a call that is taken up in this step is told the same, and not that it was counted.
            counted = services.store.deed(run.step_key, run.department, mark, self.within)
        except (StoreError, Pending, UnknownName, ExpressionError) as error:
            if self.failed is not None:
                return run.fail(self, str(error), self.failed)
            call.journal("step.failed", step=call.step, failure=str(error))
            counted = _NOTHING
        call.journal("flow.tally", tally=name, area=area if counted is not _NOTHING else "", **counted)
        if self.into is not None:
            run.bear(self.into, dict(counted))
        return None
