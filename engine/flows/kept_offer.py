"""A caller who is owed a call, keeps a place in this queue, and calls in again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from engine.errors import HungUp, StoreError
from engine.esl.commands import Digits
from engine.flows.asking import Asked, Given, ask
from engine.records.callbacks_again import kept_for, take_over
from engine.records.owed import Owed

if TYPE_CHECKING:
    from engine.flows.run import Run

log = structlog.get_logger(__name__)

LOOK = 1.0
"""Seconds that the look into the table may take: the caller waits meanwhile."""
FOUND = "callback_kept"
STAYS = "callback_stays"
ALL = 1_000_000
"""Callers of a queue: none is left out of the count."""


def offer_place(run: Run, queue: str) -> Owed | None:
    """Offer a caller the place that is kept for its number: on the line from now on (the row, which is over), or a
    call back as promised (the caller is told so, and hung up). None: nothing is kept. Who says nothing is on the line
    already, and stays there."""
    services, call = run.services, run.call
    callbacks = services.records.callbacks if services.records is not None else None
    if callbacks is None or run.deferred or (call.number, queue) not in callbacks.promised:
        return None
    number = call.number
    try:
        owed = services.store.read(lambda session: kept_for(session, number, queue), LOOK)
        if owed is None:
            return None
        digits = Digits(minimum=1, maximum=1, first=5.0, terminators="")
        asked = Asked(run.call.step, FOUND, attempts=2)
        extra = {"position": position(run, owed)}
        given = ask(run, asked, digits, lambda key: Given(key) if key in "12" else None, extra=extra)
        if given is not None and given.value == "2":
            call.journal("callback.stays", callback=owed.id, position=extra["position"])
            run.speak(STAYS)
            call.hang_up()
            call.wait_gone()
            raise HungUp(call.leg.gone or "NORMAL_CLEARING")
        taken = services.store.work(lambda session: take_over(session, number, queue, call.id), LOOK * 5)
    except StoreError as error:
        log.warning("callback.not_offered", call=call.id, error=str(error))
        return None
    if taken is None:
        return None
    if services.kept is not None:
        services.kept.withdraw(taken.id)
    call.journal("callback.taken_over", callback=taken.id, first=taken.call)
    callbacks.wake()
    return taken


def position(run: Run, owed: Owed) -> int:
    """The place that is kept: the one it has, or would have while it waits for its next attempt."""
    services = run.services
    place = services.kept.place_of(owed.id) if services.kept is not None else None
    if place is not None and (found := place.position()):
        return found
    ahead = sum(one.since <= owed.since for one in services.acd.queue(owed.queue, most=ALL).waiting)
    return ahead + 1


def promise_of(owed: Owed, now: datetime) -> Mapping[str, Any]:
    """What the CDR of a call back says of the place that was kept."""
    waited = max(0.0, (now - owed.since).total_seconds())
    return {"owed_by": owed.call, "tries": owed.tries, "waited_virtual": round(waited, 3)}
