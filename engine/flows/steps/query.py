"""``query``: asks a department, changes nothing, may be tried again."""

from __future__ import annotations

from pydantic import Field

from engine.flows.step import Into, Step, Values
from engine.schema.fields import Duration, QueryRef, Target


class Query(Step):
    """``not_found`` is where an answer of None leads (demanded for queries that may have none), ``failed``
    where errors, time-outs and an open breaker lead."""

    kind = "query"
    needs_caller = False

    ask: QueryRef
    with_: Values = Field(default={}, alias="with")
    into: Into | None = None
    within: Duration = 3.0
    not_found: Target | None = None
    failed: Target
