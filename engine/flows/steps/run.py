"""``run``: a sub-flow, and where each of its outcomes leads.

``- run: {flow: logistics/quote, with: {from: "{city}"}, into: quote, done: bye, gave_up: desk}``: every key that
is not a field is an outcome of the sub-flow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field

from engine.flows.asking import valued
from engine.flows.moves import Enter, Go
from engine.flows.private import returned
from engine.flows.step import Into, Step, Types, Values, Way
from engine.flows.types import Type
from engine.schema.fields import FlowRef, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run as Walk


class Run(Step):
    """Every other key is an outcome of the sub-flow, and where it leads. All but ``done`` must be given; ``done``
    goes on here when it is left out."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Target] = Field(init=False)

    kind = "run"
    short = "flow"
    needs_caller = False

    flow: FlowRef
    """The flow, `department/name`."""
    with_: Values = Field(default_factory=dict, alias="with")
    """Its parameters."""
    into: Into | None = None
    """Gets a record of what it returned."""

    @property
    def outcomes(self) -> dict[str, str]:
        """Outcome -> target."""
        return self.__pydantic_extra__ or {}

    def ways(self) -> Iterator[Way]:
        for outcome, target in self.outcomes.items():
            yield Way(outcome, target, (outcome,))

    def falls_through(self) -> bool:
        return "done" not in self.outcomes

    def bears(self, way: str) -> bool:
        return True

    takes_secret = frozenset({"with"})
    takes_private = frozenset({"with"})

    def born_type(self, name: str, types: Types) -> Type:
        return types.returned(self.flow)

    def how(self, way: str) -> str:
        return f"{self.flow} returns {way}"

    def through(self) -> str:
        return self.how("done")

    def run(self, run: Walk) -> Move:
        return Enter(self.flow, valued(run, self.with_))

    def returned(self, run: Walk, outcome: str, values: Mapping[str, Any]) -> Move:
        if self.into is not None:
            run.bear(self.into, *returned(values))
        target = self.outcomes.get(outcome)
        return None if target is None else Go(target, way=outcome)
