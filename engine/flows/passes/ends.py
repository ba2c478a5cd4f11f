"""What several passes ask: whether a step leads on, knowing the sub-flows, and what a faulty step may mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.flows.loader import Draft
from engine.flows.step import Step
from engine.flows.steps.run import Run
from engine.schema.source import Broken


def outcomes_of(flow: str, flows: Mapping[str, Draft]) -> list[str] | None:
    """How a flow may return; None when that is not known."""
    draft = flows.get(flow)
    if draft is None or draft.declared is None:
        return None
    return draft.declared.outcomes or ["done"]


def falls_through(step: Step, flows: Mapping[str, Draft]) -> bool:
    """Can the step behind this one be reached through it? A ``run`` ends when all outcomes are routed."""
    if type(step) is Run:
        outcomes = outcomes_of(step.flow, flows)
        if outcomes is None:
            return step.falls_through()
        return any(outcome not in step.outcomes for outcome in outcomes)
    return step.falls_through()


def words(tree: Any) -> Iterator[str]:
    """All texts of a step as written. Where it could not be read, any of them may be a target."""
    if isinstance(tree, Broken):
        yield from re.findall(r"[a-z][a-z0-9_/]*", tree)  # it could not be parsed
    elif isinstance(tree, str):
        yield str(tree)
    elif isinstance(tree, list):
        for item in tree:
            yield from words(item)
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from words(item)
