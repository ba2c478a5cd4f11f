"""``set``: names get values: ``- set: {total: "= price * count", kind: "{order.kind}"}``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.flows.private import computed
from engine.flows.step import Into, Step, Types
from engine.flows.types import ANY, Type
from engine.flows.values import Val

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Set(Step):
    """What stands without ``=`` is a text, also ``3``."""

    kind = "set"
    whole = "values"
    needs_caller = False

    values: Annotated[dict[Into, Val], Field(min_length=1)]
    """Names and their values in the order written; each sees the ones before it."""

    def born_type(self, name: str, types: Types) -> Type:
        value = self.values.get(name)
        return ANY if value is None else types.value(value)

    def run(self, run: Run) -> Move:
        for name, value in self.values.items():
            run.bear(name, value.get(run.scope), computed(run, value))
        return None
