"""``transfer``: connects the caller with a number, an extension or an agent; the flow goes on after the talk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from engine.flows.step import Into, Step, Types, Values
from engine.flows.transferring import transfer
from engine.flows.types import REAL, TEXT, Type, choice, record
from engine.flows.values import Val
from engine.schema.fields import Duration, Ident, Target
from engine.schema.shapes import wrong
from engine.types import TalkEnd

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run

_TALK = record("talk", to=TEXT, seconds=REAL, by=choice(*(str(end) for end in TalkEnd)))
_TARGETS = ("to", "agent", "extension")


class Transfer(Step):
    """One of ``to``, ``extension`` and ``agent``. A number of our own dialplan leads to its flow or phone at once;
    any other goes out through a trunk, as far as ``outbound:`` of conf/trunks.yaml allows. For a queue write a
    ``queue`` step."""

    kind = "transfer"
    lenient = frozenset({"tell"})

    to: Val | None = None
    """A number."""
    agent: Val | None = None
    """An agent's id: the phone that he or she sits at."""
    extension: Val | None = None
    """A phone of the house."""
    trunk: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,30}$")] | None = None
    """The trunk that `to` goes out through."""
    ring: Annotated[Duration, Field(ge=3, le=180)] = 30.0
    """How long it rings at most."""
    music: Ident | None = None
    """The music in place of the ringing tone."""
    tell: Values = Field(default_factory=dict)
    """What an agent's desk shows. A value that is not known is left out."""
    into: Into | None = None
    """Gets a record: `to`, `seconds` and `by` (who ended it)."""
    queue: Any = None
    after: Target | None = None
    """Where the end of the talk leads; the next step when left out."""
    busy: Target | None = None
    """Where it leads when the other is engaged or declines; `failed` when left out."""
    no_answer: Target | None = None
    """Where it leads when nobody answers; `failed` when left out."""
    refused: Target | None = None
    """Where it leads when the number is not allowed; `failed` when left out."""
    unknown: Target | None = None
    """Where it leads when there is no such agent or phone in the house (one that is switched off goes `failed`);
    `failed` when left out."""
    failed: Target
    """Where anything else leads."""

    @field_validator("queue")
    @classmethod
    def _a_step_of_its_own(cls, value: Any) -> Any:
        if value is not None:
            raise wrong(
                "transfer",
                "a queue is no target of a transfer",
                "write a `queue` step, which knows how long the caller has waited: queue: {name: …}",
            )
        return value

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        given = [name for name in _TARGETS if getattr(self, name) is not None]
        if len(given) != 1:
            message = f"`{given[0]}` and `{given[1]}` can't both stand here" if given else "to whom?"
            raise wrong(
                "transfer", message, "write one of to, agent, extension", at=given[1] if given else ""
            )
        if self.trunk is not None and self.to is None:
            raise wrong("transfer", "a trunk is for `to`", at="trunk")
        return self

    def born_type(self, name: str, types: Types) -> Type:
        return _TALK

    def falls_through(self) -> bool:
        return self.after is None

    def bears(self, way: str) -> bool:
        return way == "after"

    def run(self, run: Run) -> Move:
        return transfer(run, self)
