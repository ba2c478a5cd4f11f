"""``pause_recording``: the recording is masked from here on; ``- pause_recording: off`` ends that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.flows.step import Step
from engine.schema.fields import Flag

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class PauseRecording(Step):
    kind = "pause_recording"
    short = "on"
    bare = True

    on: Flag = True
    """`off` ends it."""

    def run(self, run: Run) -> Move:
        run.mask(self.on)
        return None
