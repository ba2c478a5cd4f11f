"""A queue has closed, and calls back are owed in it: somebody should know before everybody goes home.

The promises are kept by themselves when the queue opens (:mod:`engine.flows.kept_places`), unless their time is over
before; those who made them hear of it now: a row of the journal, and a notice to the group that the `rules: tell` of
agents.yaml names.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import StoreError
from engine.store.tables_tickets import callbacks
from engine.types import JournalEntry

if TYPE_CHECKING:
    from engine.app.app import App

log = structlog.get_logger(__name__)

PROMPT: Final = "callbacks_owed"
LIMIT: Final = 5.0
ONCE_IN: Final = 6 * 3600.0  # an engine that starts again in the night says it no second time


def owed_at_closing(app: App, queue: str) -> tuple[int, datetime | None]:
    """How many calls back are owed in ``queue``, and since when the oldest; written down when there are any. Waits."""

    def look(session: Session) -> tuple[int, datetime | None]:
        owed = (callbacks.c.queue == queue) & callbacks.c.state.in_(("owed", "dialling"))
        row = session.execute(select(func.count(), func.min(callbacks.c.since)).where(owed)).one()
        return int(row[0]), row[1]

    try:
        count, oldest = app.store.read(look, LIMIT)
    except StoreError as error:
        log.warning("queue.owed_not_known", queue=queue, error=str(error))
        return 0, None
    if count:
        data = {"owed": count, "oldest": oldest.isoformat() if oldest is not None else ""}
        app.store.journal(JournalEntry(at=app.clock.now(), kind="queue.owes", queue=queue, data=data))
    return count, oldest


__all__ = ["ONCE_IN", "PROMPT", "owed_at_closing"]
