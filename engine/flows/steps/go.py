"""``go``: on with another block, or (with a slash) with another flow, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.flows import moves
from engine.flows.step import Step
from engine.schema.fields import Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Go(Step):
    kind = "go"
    short = "to"
    needs_caller = False

    to: Target

    def falls_through(self) -> bool:
        return False

    def how(self, way: str) -> str:
        return ""

    def run(self, run: Run) -> Move:
        return moves.Go(self.to)
