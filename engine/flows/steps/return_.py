"""``return``: back to the flow that ran this one, with an outcome and values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from engine.flows.asking import valued
from engine.flows.moves import Leave
from engine.flows.step import Step, Values
from engine.schema.fields import Name

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Return(Step):
    """In a flow that nobody ran it ends the call's flow."""

    kind = "return"
    short = "outcome"
    bare = True
    needs_caller = False

    outcome: Name = "done"
    """One of the outcomes that the flow's head declares."""
    values: Values = Field(default_factory=dict)
    """What the head declares as `returns`."""

    def falls_through(self) -> bool:
        return False

    def run(self, run: Run) -> Move:
        return Leave(self.outcome, valued(run, self.values))
