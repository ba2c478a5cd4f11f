"""``query``: asks a department, changes nothing, may be tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from engine.errors import DepartmentFailed
from engine.flows.asking import valued
from engine.flows.moves import Go
from engine.flows.scope import UnknownName
from engine.flows.step import Into, Step, Types, Values
from engine.flows.types import ANY, Type, of_annotation, of_fields, optional
from engine.schema.fields import Duration, QueryRef, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Query(Step):
    """``not_found`` is where an answer of None leads (demanded for queries that may have none), ``failed``
    where errors, time-outs and an open breaker lead."""

    kind = "query"
    needs_caller = False

    ask: QueryRef
    with_: Values = Field(default_factory=dict, alias="with")
    into: Into | None = None
    within: Duration = 3.0
    not_found: Target | None = None
    failed: Target

    takes_secret = frozenset({"with"})
    takes_private = frozenset({"with"})

    def born_type(self, name: str, types: Types) -> Type:
        found = types.known.queries.get(self.ask)
        if found is None:
            return ANY
        made = of_annotation(found.result) if found.fields is None else of_fields(self.ask, found.fields)
        return optional(made) if found.optional and self.not_found is None else made

    def how(self, way: str) -> str:
        return f"{self.ask} {'finds nothing' if way == 'not_found' else 'fails'}"

    def run(self, run: Run) -> Move:
        run.checkpoint()
        run.flush()
        try:
            answer = run.services.departments.ask(self.ask, valued(run, self.with_), within=self.within)
        except (DepartmentFailed, UnknownName) as error:
            return run.fail(self, str(error), self.failed)
        if answer is None and self.not_found is not None:
            return Go(self.not_found)
        if self.into is not None:
            run.bear(self.into, answer)
        return None
