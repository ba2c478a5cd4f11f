"""``stop``: the flow ends here; a caller who is still there is hung up."""

from __future__ import annotations

from engine.flows.step import Step


class Stop(Step):
    kind = "stop"
    bare = True
    needs_caller = False

    def falls_through(self) -> bool:
        return False
