"""``query``: asks a department, changes nothing, may be tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from engine.errors import DepartmentFailed
from engine.flows.asking import valued
from engine.flows.moves import Go
from engine.flows.private import answered
from engine.flows.scope import UnknownName
from engine.flows.step import Into, Step, Types, Values
from engine.flows.types import ANY, Type, of_annotation, of_fields, optional
from engine.schema.fields import Duration, QueryRef, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Query(Step):
    """After several failures in a row it is not asked for a while, and goes the ``failed`` way at once."""

    kind = "query"
    needs_caller = False

    ask: QueryRef
    """The query, `department.name`."""
    with_: Values = Field(default_factory=dict, alias="with")
    """The query's arguments."""
    into: Into | None = None
    """Gets its answer."""
    within: Duration = 3.0
    """How long it may take."""
    not_found: Target | None = None
    """Where it leads when there is none; demanded for queries that may find nothing."""
    failed: Target
    """Where errors and late answers lead."""

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
            given = valued(run, self.with_)
            answer = run.services.departments.ask(self.ask, given.sealed(), within=self.within)
        except (DepartmentFailed, UnknownName) as error:
            return run.fail(self, str(error), self.failed)
        if answer is None and self.not_found is not None:
            return Go(self.not_found, way="not_found")
        if self.into is not None:
            run.bear(self.into, answer, answered(run, self, given, answer))
        return None
