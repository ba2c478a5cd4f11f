"""Calls that ended while no engine was there: each gets its CDR from what the journal knows of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from engine.clock import Clock
from engine.store import queries
from engine.store.store import Store
from engine.types import CallState, JournalEntry

LOOK_BACK = timedelta(days=7)
"""How far back a call without a CDR is looked for."""
LIMIT = 5.0
_PROMISED: Final = {
    "call.back": {"callback": "callback"},
    "call.asked": {"for": "asked_for", "by": "asked_by"},
}
"""What the CDR of a call that did not come by itself says of why, from its first row."""


def close_lost_calls(store: Store, clock: Clock, live: Collection[str], *, node: str) -> int:
    """Write a CDR for every call that began, is not among ``live``, and has none; how many.

    Its end is the last thing that is known of it, and its outcome ``lost``.
    """
    store.flush(LIMIT)
    since = clock.now() - LOOK_BACK
    lost = [
        call
        for call in store.read(lambda session: queries.calls_without_cdr(session, since), LIMIT)
        if call not in live
    ]
    for call in lost:
        entries = store.read(_journal_of(call), LIMIT)
        if entries:
            store.cdr({**_row(call, entries), "node": node})
            store.drop_call_state(call)
    return len(lost)


def _journal_of(call: str) -> Any:
    return lambda session: queries.journal(session, call=call, limit=1000)


def _row(call: str, entries: list[JournalEntry]) -> dict[str, Any]:
    began = next((entry for entry in entries if entry.kind in queries.BEGINS), entries[0])
    data = began.data
    answered = _first(entries, f"call.{CallState.FLOW}")
    flow = str(data.get("flow", ""))
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
        "data": {
            "direction": queries.BEGINS.get(began.kind, "in"),
            **{name: data[key] for key, name in _PROMISED.get(began.kind, {}).items() if key in data},
        },
    }


def _first(entries: list[JournalEntry], kind: str) -> datetime | None:
    return next((entry.at for entry in entries if entry.kind == kind), None)
