"""``play``: a prompt without values; the flow goes on when it is over."""

from __future__ import annotations

from engine.flows.step import Step
from engine.schema.fields import Flag, PromptRef


class Play(Step):
    """``interrupt``: a key ends it."""

    kind = "play"
    short = "prompt"

    prompt: PromptRef
    interrupt: Flag = True
    flush: Flag = False
