"""``play``: a prompt without values; the flow goes on when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.flows.step import Step
from engine.schema.fields import Flag, PromptRef

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Play(Step):
    """A key that ends it counts for the question that follows."""

    kind = "play"
    short = "prompt"

    prompt: PromptRef
    """What is said."""
    interrupt: Flag = True
    """May a key end it?"""
    flush: Flag = False
    """Drop the keys that were pressed before it."""

    def run(self, run: Run) -> Move:
        if self.flush:
            run.typed_ahead = ""
        if self.interrupt or not run.speak_ahead(self.prompt):
            run.speak(self.prompt, interrupt=self.interrupt)
        return None
