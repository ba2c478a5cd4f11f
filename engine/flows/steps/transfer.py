"""``transfer``: connects the caller with a number, an extension or an agent; the flow goes on after the talk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from engine.flows.step import Into, Step, Values
from engine.flows.transferring import transfer
from engine.flows.values import Val
from engine.schema.fields import Duration, Ident, Target
from engine.schema.shapes import wrong

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run

_TARGETS = ("to", "agent", "extension")


class Transfer(Step):
    """One of ``to`` (a number: of our own dialplan, then its flow or phone takes over; else through ``trunk``, as
    far as conf/trunks.yaml allows), ``extension`` (a phone) and ``agent`` (an agent's id: the phone that he or she
    sits at).

    The caller hears ringing, or ``music``, for at most ``ring``. Ways: ``busy`` (engaged, or declined),
    ``no_answer``, ``refused`` (the number is not allowed), each ``failed`` when left out; ``failed`` (anything
    else). ``after`` is where the end of the talk leads (the next step when left out); ``into`` keeps a record with
    ``to``, ``seconds`` and ``by``. ``tell`` is what an agent's desk shows.
    """

    kind = "transfer"
    lenient = frozenset({"tell"})

    to: Val | None = None
    agent: Val | None = None
    extension: Val | None = None
    trunk: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,30}$")] | None = None
    ring: Annotated[Duration, Field(ge=3, le=180)] = 30.0
    music: Ident | None = None
    tell: Values = Field(default_factory=dict)
    into: Into | None = None
    queue: Any = None
    after: Target | None = None
    busy: Target | None = None
    no_answer: Target | None = None
    refused: Target | None = None
    failed: Target

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

    def falls_through(self) -> bool:
        return self.after is None

    def bears(self, way: str) -> bool:
        return way == "after"

    def run(self, run: Run) -> Move:
        return transfer(run, self)
