"""``play``: a prompt without values, or a clip that somebody spoke; the flow goes on when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import structlog
from pydantic import model_validator

from engine.errors import NotFound, StoreError
from engine.flows.moves import Go
from engine.flows.scope import UnknownName
from engine.flows.step import Step
from engine.flows.values import Val
from engine.schema.fields import Flag, PromptRef, Target
from engine.schema.shapes import wrong

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run

log = structlog.get_logger(__name__)


class Play(Step):
    """A key that ends it counts for the question that follows."""

    kind = "play"
    short = "prompt"

    prompt: PromptRef | None = None
    """What is said."""
    clip: Val | None = None
    """Instead of a prompt: the id of a clip that was dictated, in this call or an earlier one; or a list of them."""
    interrupt: Flag = True
    """May a key end it?"""
    flush: Flag = False
    """Drop the keys that were pressed before it."""
    gone: Target | None = None
    """Where a clip leads that is not there (any more); the next step when left out."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.prompt is None) == (self.clip is None):
            at = "clip" if self.clip is not None else ""
            raise wrong("play", "it plays a `prompt` or a `clip`", "- play: bye", at=at)
        if self.gone is not None and self.clip is None:
            raise wrong("play", "only a `clip` can be gone", at="gone")
        return self

    def how(self, way: str) -> str:
        return "the clip is gone"

    def run(self, run: Run) -> Move:
        if self.flush:
            run.typed_ahead = ""
        if self.clip is not None:
            return self._play_clip(run, self.clip)
        assert self.prompt is not None
        if self.interrupt or not run.speak_ahead(self.prompt):
            run.speak(self.prompt, interrupt=self.interrupt)
        return None

    def _play_clip(self, run: Run, clip: Val) -> Move:
        try:
            value = clip.get(run.scope)
            ids = [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value or "")]
            # All are looked up before the first is heard: who takes the call up begins with the same one.
            found = [run.services.clips.playable(id) for id in ids]
        except (NotFound, StoreError, UnknownName) as error:
            log.warning("clip.not_played", call=run.call.id, error=str(error))
            return None if self.gone is None else Go(self.gone, way="gone")
        for file, seconds in found:
            if not (self.interrupt and run.typed_ahead):
                run.sound(file, seconds, interrupt=self.interrupt)
        return None
