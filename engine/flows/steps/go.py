"""``go``: on with another block, or (with a slash) with another flow, for good."""

from __future__ import annotations

from engine.flows.step import Step
from engine.schema.fields import Target


class Go(Step):
    kind = "go"
    short = "to"
    needs_caller = False

    to: Target

    def falls_through(self) -> bool:
        return False
