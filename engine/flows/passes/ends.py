"""Whether a step leads on to the one behind it, knowing the sub-flows."""

from __future__ import annotations

from collections.abc import Mapping

from engine.flows.loader import Draft
from engine.flows.step import Step
from engine.flows.steps.run import Run


def outcomes_of(flow: str, flows: Mapping[str, Draft]) -> list[str] | None:
    """How a flow may return; None when that is not known."""
    draft = flows.get(flow)
    if draft is None or draft.head is None:
        return None
    return draft.head.outcomes or ["done"]


def falls_through(step: Step, flows: Mapping[str, Draft]) -> bool:
    """Can the step behind this one be reached through it? A ``run`` ends when all outcomes are routed."""
    if isinstance(step, Run):
        outcomes = outcomes_of(step.flow, flows)
        if outcomes is None:
            return not step.outcomes
        return any(outcome not in step.outcomes for outcome in outcomes)
    return step.falls_through()
