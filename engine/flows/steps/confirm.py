"""``confirm``: yes or no on two keys."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from engine.flows.step import Ask
from engine.schema.fields import Key, Target
from engine.schema.shapes import wrong


class Confirm(Ask):
    """``yes`` and ``no`` say where to go; one that is left out goes on with the next step."""

    kind = "confirm"

    yes: Target | None = None
    no: Target | None = None
    yes_key: Key = "1"
    no_key: Key = "2"

    def falls_through(self) -> bool:
        return self.yes is None or self.no is None

    @model_validator(mode="after")
    def _two_keys(self) -> Self:
        if self.yes_key == self.no_key:
            raise wrong("confirm", "yes and no have the same key", at="no_key")
        return self
