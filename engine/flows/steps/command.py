"""``command``: a department changes something, exactly once."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from engine.flows.step import Into, Step, Values
from engine.flows.values import Val
from engine.schema.fields import CommandRef, Duration, Name, Target
from engine.schema.shapes import wrong


class Command(Step):
    """Its key is call + ``id`` + visit, or ``once``, which holds across calls.

    ``refused`` has a way for each refusal that the command declares; ``pending`` is where an unknown result
    leads (``failed`` when left out), ``failed`` everything else.
    """

    kind = "command"
    needs_caller = False
    needs_id = True

    do: CommandRef
    with_: Values = Field(default={}, alias="with")
    into: Into | None = None
    within: Duration = 5.0
    once: Val | None = None
    refused: dict[Name, Target] = {}
    pending: Target | None = None
    failed: Target

    @model_validator(mode="after")
    def _has_key(self) -> Self:
        if self.id is None:
            raise wrong(
                "missing-id",
                "a command must have an `id`: what it did is kept by it",
                "add `id: name` beside it",
            )
        return self
