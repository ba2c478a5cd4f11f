"""``record``: the call is recorded by a policy from here on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.flows.step import Step
from engine.schema.fields import Name, PromptRef

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Record(Step):
    """A rule of the dialplan that says ``record: never`` outranks it."""

    kind = "record"
    short = "policy"

    policy: Annotated[Name, Field(json_schema_extra={"x-ref": "policy"})]
    """A policy of conf/engine.yaml."""
    notice: PromptRef | None = None
    """Said before, so that the caller knows."""

    def run(self, run: Run) -> Move:
        run.record(self.policy, self.notice)
        return None
