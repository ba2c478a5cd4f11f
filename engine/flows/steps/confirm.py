"""``confirm``: yes or no on two keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from engine.esl.commands import Digits
from engine.flows.asking import Given, ask
from engine.flows.moves import Go
from engine.flows.step import Ask
from engine.schema.fields import Key, Target
from engine.schema.shapes import wrong

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Confirm(Ask):
    """Of ``yes`` and ``no`` one may be left out: it goes on with the next step."""

    kind = "confirm"

    yes: Target | None = None
    """Where yes leads."""
    no: Target | None = None
    """Where no leads."""
    yes_key: Key = "1"
    """The key for yes."""
    no_key: Key = "2"
    """The key for no."""

    def falls_through(self) -> bool:
        return self.yes is None or self.no is None

    @model_validator(mode="after")
    def _two_keys(self) -> Self:
        if self.yes_key == self.no_key:
            raise wrong("confirm", "yes and no have the same key", at="no_key")
        return self

    def how(self, way: str) -> str:
        keys = {"yes": self.yes_key, "no": self.no_key}
        return f"press {keys[way]}" if way in keys else super().how(way)

    def through(self) -> str:
        return f"press {self.yes_key if self.yes is None else self.no_key}"

    def run(self, run: Run) -> Move:
        digits = Digits(minimum=1, maximum=1, first=self.first, terminators="")
        keys = (self.yes_key, self.no_key)
        pressed = ask(run, self, digits, lambda key: Given(key) if key in keys else None)
        if pressed is None:
            return Go(self.give_up, way="give_up")
        name, way = ("yes", self.yes) if pressed.value == self.yes_key else ("no", self.no)
        return None if way is None else Go(way, way=name)
