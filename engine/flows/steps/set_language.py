"""``set_language``: the caller is spoken to in this language from here on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.flows.step import Step
from engine.schema.fields import Language

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class SetLanguage(Step):
    kind = "set_language"
    short = "language"

    language: Language
    """A language that there are prompts in."""

    def run(self, run: Run) -> Move:
        run.set_language(self.language)
        return None
