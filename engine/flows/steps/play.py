"""``play``: a prompt without values; the flow goes on when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.flows.step import Step
from engine.schema.fields import Flag, PromptRef

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Play(Step):
    """``interrupt``: a key ends it."""

    kind = "play"
    short = "prompt"

    prompt: PromptRef
    interrupt: Flag = True
    flush: Flag = False

    def run(self, run: Run) -> Move:
        if self.flush:
            run.typed_ahead = ""
        if self.interrupt or not run.speak_ahead(self.prompt):
            run.speak(self.prompt, interrupt=self.interrupt)
        return None
