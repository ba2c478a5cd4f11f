"""What a queue's own rules mean for the flow: who talked to this caller last, and where an overflow leads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from engine.acd.rules import Goal
from engine.errors import StoreError
from engine.flows.moves import Go
from engine.store import queries

if TYPE_CHECKING:
    from engine.flows.run import Run

log = structlog.get_logger(__name__)

LOOK = 0.5
"""Seconds that the look for the last agent may take: the caller waits meanwhile."""

LEAVE_MESSAGE = "common/leave_message"
PASS_ON = "common/pass_on"
"""The flows of the common department that an overflow into a voicemail box and to a number runs."""


def last_agent(run: Run, queue: str) -> str:
    """Who talked last to this caller's party, or number, where the queue is sticky; "" when nobody is known."""
    config = run.services.acd.config.queues.get(queue)
    if config is None or config.sticky is None or run.deferred:
        return ""
    numbers = {run.call.number, *(run.party.numbers if run.party is not None else ())} - {""}
    if not numbers:
        return ""
    since = run.clock.now() - timedelta(seconds=config.sticky.within)
    try:
        return run.services.store.read(
            lambda session: queries.last_agent(session, sorted(numbers), since), timeout=LOOK
        )
    except StoreError as error:
        log.warning("queue.last_agent_unknown", call=run.call.id, error=str(error))
        return ""


def overflow(run: Run, goal: Goal | None, otherwise: str) -> Go:
    """Where a caller who overflowed goes on; ``otherwise`` when this call's flows know nothing of that."""
    if goal is not None:
        flow, params = goal.name, {}
        if goal.kind == "voicemail":
            flow, params = LEAVE_MESSAGE, {"box": goal.name}
        elif goal.kind == "number":
            flow, params = PASS_ON, {"number": goal.name}
        if run.flows.get(flow) is not None:
            return Go(flow, params)
        log.error("queue.overflow_without_flow", call=run.call.id, flow=flow)
    return Go(otherwise)
