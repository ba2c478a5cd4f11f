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
    """Another flow begins at its start, and does not come back."""

    kind = "go"
    short = "to"
    needs_caller = False

    to: Target
    """A block of this flow, or another flow (with a slash)."""

    def falls_through(self) -> bool:
        return False

    def how(self, way: str) -> str:
        return ""

    def run(self, run: Run) -> Move:
        return moves.Go(self.to)
