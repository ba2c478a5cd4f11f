"""``return``: back to the flow that ran this one, with an outcome and values."""

from __future__ import annotations

from engine.flows.step import Step, Values
from engine.schema.fields import Name


class Return(Step):
    """``outcome`` is one of those that the flow's head declares. In a flow that nobody ran it ends the call's flow."""

    kind = "return"
    short = "outcome"
    bare = True
    needs_caller = False

    outcome: Name = "done"
    values: Values = {}

    def falls_through(self) -> bool:
        return False
