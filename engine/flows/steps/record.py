"""``record``: the call is recorded by a policy from here on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.flows.step import Step
from engine.schema.fields import Name, PromptRef

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Record(Step):
    """``notice`` is played before, so that the caller knows."""

    kind = "record"
    short = "policy"

    policy: Name
    notice: PromptRef | None = None

    def run(self, run: Run) -> Move:
        run.record(self.policy, self.notice)
        return None
