"""``say``: a prompt with values, spoken in the caller's language.

The prompt's slots are filled from the flow's names; ``values`` gives or renames some of them.
"""

from __future__ import annotations

from typing import Annotated

from engine.flows.step import Step, Values
from engine.schema.fields import Duration, Flag, PromptRef, whole

_TIMES = whole(1, 5)


class Say(Step):
    """``repeat``: how often it is said in all, with ``pause`` between."""

    kind = "say"
    short = "prompt"

    prompt: PromptRef
    values: Values = {}
    repeat: Annotated[int, _TIMES[0], _TIMES[1]] = 1
    pause: Duration = 0.5
    interrupt: Flag = True
    flush: Flag = False
