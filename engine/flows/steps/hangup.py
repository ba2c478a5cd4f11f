"""``hangup``: the call is hung up."""

from __future__ import annotations

from typing import Literal

from engine.flows.step import Step

Cause = Literal["NORMAL_CLEARING", "USER_BUSY", "CALL_REJECTED", "NO_ANSWER", "NORMAL_TEMPORARY_FAILURE"]


class Hangup(Step):
    """``cause`` is the hang-up cause that the caller's side is told."""

    kind = "hangup"
    short = "cause"
    bare = True
    needs_caller = False

    cause: Cause = "NORMAL_CLEARING"

    def falls_through(self) -> bool:
        return False
