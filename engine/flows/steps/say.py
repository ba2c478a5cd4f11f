"""``say``: a prompt with values, spoken in the caller's language.

The prompt's slots are filled from the flow's names; ``values`` gives or renames some of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.flows.asking import valued
from engine.flows.step import Step, Values
from engine.schema.fields import Duration, Flag, PromptRef, whole

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


_TIMES = whole(1, 5)


class Say(Step):
    """``repeat``: how often it is said in all, with ``pause`` between."""

    kind = "say"
    short = "prompt"

    prompt: PromptRef
    values: Values = Field(default_factory=dict)
    repeat: Annotated[int, _TIMES[0], _TIMES[1]] = 1
    pause: Duration = 0.5
    interrupt: Flag = True
    flush: Flag = False

    def run(self, run: Run) -> Move:
        if self.flush:
            run.typed_ahead = ""
        values = valued(run, self.values)
        for time in range(self.repeat):
            if run.typed_ahead:
                break  # a key ended it
            run.speak(self.prompt, values, interrupt=self.interrupt, pause=self.pause if time else 0.0)
        return None
