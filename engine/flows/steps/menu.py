"""``menu``: a prompt that offers keys, and where each leads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.flows.step import Ask, Into, Options


class Menu(Ask):
    """``options`` maps a key's character to a target; ``into`` keeps the key that was pressed."""

    kind = "menu"

    options: Annotated[Options, Field(min_length=1)]
    into: Into | None = None

    def falls_through(self) -> bool:
        return False
