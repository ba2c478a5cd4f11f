"""``stop``: the flow ends here; a caller who is still there is hung up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.flows.moves import END
from engine.flows.step import Step

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Stop(Step):
    """It ends all flows, also those that ran this one."""

    kind = "stop"
    bare = True
    needs_caller = False

    def falls_through(self) -> bool:
        return False

    def run(self, run: Run) -> Move:
        return END
