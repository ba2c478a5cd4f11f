"""``menu``: a prompt that offers keys, and where each leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.esl.commands import Digits
from engine.flows.asking import Given, ask
from engine.flows.moves import Go
from engine.flows.step import Ask, Into, Options, Types
from engine.flows.types import Type, choice

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Menu(Ask):
    """The words of the prompt must name the keys of the menu, and no others."""

    kind = "menu"

    options: Annotated[Options, Field(min_length=1)]
    """Each key, and where it leads."""
    into: Into | None = None
    """Gets the key that was pressed."""

    def falls_through(self) -> bool:
        return False

    def bears(self, way: str) -> bool:
        return way.startswith("options.")

    def born_type(self, name: str, types: Types) -> Type:
        return choice(*self.options)

    def how(self, way: str) -> str:
        kind, _, key = way.partition(".")
        return f"press {key}" if kind == "options" else super().how(way)

    def run(self, run: Run) -> Move:
        digits = Digits(minimum=1, maximum=1, first=self.first, terminators="")
        pressed = ask(run, self, digits, lambda key: Given(key) if key in self.options else None)
        if pressed is None:
            return Go(self.give_up, way="give_up")
        if self.into is not None:
            run.bear(self.into, pressed.value)
        run.call.journal("menu.pressed", step=self.label, key=pressed.value)
        return Go(self.options[pressed.value], way=f"options.{pressed.value}")
