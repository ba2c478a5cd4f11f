"""``journal``: an event of the flow's own in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from engine.flows import packing
from engine.flows.asking import told
from engine.flows.step import Step, Values
from engine.schema.fields import Ident

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Journal(Step):
    """Reports count and show such events."""

    kind = "journal"
    lenient = frozenset({"data"})
    short = "event"
    needs_caller = False

    event: Ident
    """What happened."""
    data: Values = Field(default_factory=dict)
    """What it is about. A value that is not known is left out."""

    def run(self, run: Run) -> Move:
        run.call.journal(f"flow.{self.event}", **packing.plain(told(run, self.data)))
        return None
