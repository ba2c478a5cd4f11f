"""What the ACD says to the outside: rows of the journal and domain events, neither of which may harm it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from engine.clock import Clock
from engine.types import JournalEntry

log = structlog.get_logger(__name__)


class Notify(Protocol):
    """Told of domain events, by the name of the hook that announces them; must not block.

    A call is given by its id (the app puts its view in): ``call_queued(call, queue, position)``,
    ``call_abandoned(call, queue, waited)``, ``offer_missed(call, agent, why)``,
    ``agent_state_changed(agent, before)``, ``wrapup_finished(agent, call, seconds, disposition)``.
    """

    def __call__(self, event: str, /, **facts: object) -> None: ...


class Reporter:
    """Writes and tells; a failure there is logged and goes no further: calls matter more than their records."""

    def __init__(self, clock: Clock, journal: Callable[[JournalEntry], None], notify: Notify | None) -> None:
        self._clock = clock
        self._journal = journal
        self._notify = notify
        self.silent = False  # an engine that is being killed writes nothing any more

    def write(self, kind: str, *, call: str = "", agent: str = "", queue: str = "", **data: object) -> None:
        """One row of the journal."""
        if self.silent:
            return
        try:
            self._journal(JournalEntry(self._clock.now(), kind, call, agent, queue, data))
        except Exception:
            log.exception("acd.journal_failed", kind=kind, call=call, agent=agent, queue=queue)

    def tell(self, event: str, **facts: object) -> None:
        """One domain event."""
        if self._notify is None or self.silent:
            return
        try:
            self._notify(event, **facts)
        except Exception:
            log.exception("acd.notify_failed", event_name=event)
