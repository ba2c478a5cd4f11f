"""``query``: asks a department, changes nothing, may be tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from engine.errors import DepartmentFailed
from engine.flows.asking import valued
from engine.flows.moves import Go
from engine.flows.scope import UnknownName
from engine.flows.step import Into, Step, Values
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
