"""``pause_recording``: the recording is masked from here on; ``- pause_recording: off`` ends that."""

from __future__ import annotations

from engine.flows.step import Step
from engine.schema.fields import Flag


class PauseRecording(Step):
    kind = "pause_recording"
    short = "on"
    bare = True

    on: Flag = True
