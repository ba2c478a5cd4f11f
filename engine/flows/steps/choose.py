"""``choose``: the first case that holds says where to go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from engine.flows.expressions import Expr
from engine.flows.moves import Go
from engine.flows.step import Step
from engine.schema.fields import Target
from engine.schema.shapes import Shape, wrong

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Case(Shape):
    """``{when: expression, go: target}``, or ``{otherwise: target}`` as the last one."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["when", "go"]}, {"required": ["otherwise"]}]}
    )

    when: Expr | None = None
    """An expression; the first case that holds is taken."""
    go: Target | None = None
    """Where it leads."""
    otherwise: Target | None = None
    """Where it leads when no case holds; the last case."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.otherwise is not None:
            if self.when is not None or self.go is not None:
                raise wrong("case", "`otherwise` stands alone", at="otherwise")
        elif self.when is None:
            raise wrong("missing-key", "`when` is missing", "a case is {when: …, go: …} or {otherwise: …}")
        elif self.go is None:
            raise wrong("missing-key", "`go` is missing", "a case is {when: …, go: …} or {otherwise: …}")
        return self


class Choose(Step):
    """Without an ``otherwise`` the next step follows when no case holds."""

    kind = "choose"
    whole = "cases"
    needs_caller = False

    cases: Annotated[tuple[Case, ...], Field(min_length=1)]
    """The cases, looked at in order: `{when: …, go: …}`, the last one may be `{otherwise: …}`."""

    @property
    def otherwise(self) -> str | None:
        """Where to go when no case holds."""
        return self.cases[-1].otherwise

    def falls_through(self) -> bool:
        return self.otherwise is None

    @model_validator(mode="after")
    def _otherwise_last(self) -> Self:
        if any(case.otherwise is not None for case in self.cases[:-1]):
            raise wrong("case", "`otherwise` must be the last case: those behind it are never looked at")
        return self

    def how(self, way: str) -> str:
        case = self.cases[int(way.split(".")[1])]
        return "otherwise" if case.when is None else f"when {case.when}"

    def run(self, run: Run) -> Move:
        scope = run.scope
        for number, case in enumerate(self.cases):
            if case.otherwise is not None:
                return Go(case.otherwise, way=f"cases.{number}.otherwise")
            if case.when is not None and case.go is not None and case.when.truth(scope):
                return Go(case.go, way=f"cases.{number}.go")
        return None
