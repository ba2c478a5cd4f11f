"""``set_language``: the caller is spoken to in this language from here on."""

from __future__ import annotations

from engine.flows.step import Step
from engine.schema.fields import Language


class SetLanguage(Step):
    kind = "set_language"
    short = "language"

    language: Language
