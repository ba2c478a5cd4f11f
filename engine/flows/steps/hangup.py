"""``hangup``: the call is hung up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.flows.moves import END
from engine.flows.step import Step

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


Cause = Literal["NORMAL_CLEARING", "USER_BUSY", "CALL_REJECTED", "NO_ANSWER", "NORMAL_TEMPORARY_FAILURE"]


class Hangup(Step):
    """The steps of ``on_hangup`` run after it."""

    kind = "hangup"
    short = "cause"
    bare = True
    needs_caller = False

    cause: Cause = "NORMAL_CLEARING"
    """The cause that the caller's side is told."""

    def falls_through(self) -> bool:
        return False

    def run(self, run: Run) -> Move:
        if run.call.leg.gone is None:
            run.call.hang_up(self.cause)
            run.call.wait_gone()
        return END
