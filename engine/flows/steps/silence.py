"""``silence``: nothing is heard for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from engine.flows.step import Step
from engine.schema.fields import Duration

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Silence(Step):
    """A moment to think, or to look something up."""

    kind = "silence"
    short = "for"

    seconds: Duration = Field(alias="for")
    """For how long."""

    def run(self, run: Run) -> Move:
        run.rest(f"silence_stream://{round(self.seconds * 1000)}", self.seconds)
        return None
