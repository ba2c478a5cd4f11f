"""``identity``: ``release`` gives out the number that the dialplan deferred; ``discard`` forgets it for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.flows import identity
from engine.flows.step import Step

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Identity(Step):
    """For numbers whose rule says ``identity: deferred``. After ``discard`` the number is nowhere, and nothing brings
    it back; a ``release`` after it does nothing."""

    kind = "identity"
    short = "what"
    needs_caller = False

    what: Literal["release", "discard"]
    """`release` gives out the number, `discard` forgets it for good."""

    def run(self, run: Run) -> Move:
        if self.what == "release":
            identity.release(run)
        else:
            identity.discard(run)
        if run.call.leg.gone is None:
            # At once, so that an engine after this one knows it, too.
            run.checkpoint()
            run.flush()
        return None
