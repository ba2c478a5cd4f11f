"""Calls that ended while no engine was there: each gets its CDR from what the journal knows of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from engine.clock import Clock
from engine.flows.hung_up import finish, talks, undone
from engine.flows.lead import Lead
from engine.store import queries
from engine.store.store import Store
from engine.types import CallState, JournalEntry

log = structlog.get_logger(__name__)

LOOK_BACK = timedelta(days=7)
"""How far back a call without a CDR is looked for."""
LIMIT = 5.0
_PROMISED: Final = {
    "call.back": {"callback": "callback"},
    "call.asked": {"for": "asked_for", "by": "asked_by"},
}
"""What the CDR of a call that did not come by itself says of why, from its first row."""


class LostCalls:
    """Closes them, once all calls that live are known; what their flows do at a hang-up comes first."""

    def __init__(self, store: Store, clock: Clock, lead: Lead, *, node: str) -> None:
        self._store, self._clock, self._lead, self._node = store, clock, lead, node
        self._closing: set[str] = set()

    def close(self, live: Collection[str]) -> int:
        """Write a CDR for every call that began, is not among ``live``, and has none; how many.

        Its end is the last thing that is known of it, and its outcome ``lost``. One with steps to be done gets it
        behind them, in the background.
        """
        store = self._store
        store.flush(LIMIT)
        since = self._clock.now() - LOOK_BACK
        lost = [
            call
            for call in store.read(lambda session: queries.calls_without_cdr(session, since), LIMIT)
            if call not in live and call not in self._closing
        ]
        left = []
        for call in lost:
            entries = store.read(_journal_of(call), LIMIT)
            if entries and undone(self._lead.flows, entries):
                left.append((call, entries))
            elif entries:
                self._write(call, entries)
        if left:
            self._closing.update(call for call, _ in left)
            self._clock.spawn(self._finish, left)
        return len(lost)

    def _finish(self, left: list[tuple[str, list[JournalEntry]]]) -> None:
        for call, entries in left:
            try:
                finish(self._lead.services, self._lead.flows, call, entries)
            except Exception:
                log.exception("call.not_finished", call=call)
            self._write(call, entries)
            self._closing.discard(call)

    def _write(self, call: str, entries: list[JournalEntry]) -> None:
        self._store.cdr({**_row(call, entries), "node": self._node})
        self._store.drop_call_state(call)


def _journal_of(call: str) -> Any:
    return lambda session: queries.journal(session, call=call, limit=1000)


def _row(call: str, entries: list[JournalEntry]) -> dict[str, Any]:
    began = next((entry for entry in entries if entry.kind in queries.BEGINS), entries[0])
    data = began.data
    answered = _first(entries, f"call.{CallState.FLOW}")
    flow = str(data.get("flow", ""))
    agents, talked = talks(entries)
    return {
        "call": call,
        "arrived": began.at,
        "answered": answered,
        "ended": entries[-1].at,
        "seconds": (entries[-1].at - answered).total_seconds() if answered else 0.0,
        "origin": str(data.get("origin", "")),
        "number": str(data.get("number", "")),
        "dialled": str(data.get("dialled", "")),
        "department": flow.partition("/")[0],
        "flow": flow,
        "outcome": "lost",
        "ordinary": False,
        "queue": next((entry.queue for entry in reversed(entries) if entry.queue), ""),
        "agent": next((entry.agent for entry in reversed(entries) if entry.agent), ""),
        "talked": talked,
        "data": {
            **({"agents": agents} if agents else {}),
            "direction": queries.BEGINS.get(began.kind, "in"),
            **{name: data[key] for key, name in _PROMISED.get(began.kind, {}).items() if key in data},
        },
    }


def _first(entries: list[JournalEntry], kind: str) -> datetime | None:
    return next((entry.at for entry in entries if entry.kind == kind), None)
