"""``music``: music for a while; no key ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from engine.esl import commands
from engine.flows.step import Step
from engine.schema.fields import Duration, Ident

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Music(Step):
    """It lasts as long as the flow says, whatever is pressed."""

    kind = "music"

    sound: Ident = "default"
    """The music's name; `default` is always there."""
    seconds: Duration = Field(alias="for")
    """For how long."""

    def run(self, run: Run) -> Move:
        call = run.call
        run.checkpoint()
        playing = call.start("endless_playback", run.services.music_for(self.sound), lock=False)
        call.rest(self.seconds)
        call.later(commands.uuid_break(call.id, all=True))
        call.wait_done(playing, 2.0)
        return None
