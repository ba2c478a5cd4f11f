"""``record``: the call is recorded by a policy from here on."""

from __future__ import annotations

from engine.flows.step import Step
from engine.schema.fields import Name, PromptRef


class Record(Step):
    """``notice`` is played before, so that the caller knows."""

    kind = "record"
    short = "policy"

    policy: Name
    notice: PromptRef | None = None
