"""``set``: names get values: ``- set: {total: "= price * count", kind: "{order.kind}"}``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.flows.step import Into, Step
from engine.flows.values import Val


class Set(Step):
    """``values`` in the order written; each sees the ones before it."""

    kind = "set"
    whole = "values"
    needs_caller = False

    values: Annotated[dict[Into, Val], Field(min_length=1)]
