"""Locks after wrong PINs that outlive the engine: where each desk of PINs keeps its own.

Agents' and callers' are two desks that count apart (a number that guesses callers' PINs is not the phone at which an
agent logs in), and their keys have to be, too: those of the agents' desk begin with ``desk:`` in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

import structlog
from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import StoreError
from engine.records.pins import PinDesk
from engine.store.tables_parties import pin_locks

log = structlog.get_logger(__name__)

AGENTS: Final = "desk:"
LOOK: Final = 5.0
T = TypeVar("T")


class Database(Protocol):
    """The part of :class:`engine.store.store.Store` that locks need."""

    def read(self, read: Callable[[Session], T], timeout: float) -> T: ...
    def save(self, table: Table, key: Any, values: Mapping[str, Any]) -> None: ...
    def remove(self, table: Table, key: Any) -> None: ...


class KeptLocks:
    """The kept locks of one desk; ``prefix`` is :data:`AGENTS`, or "" for callers."""

    def __init__(self, store: Database, clock: Clock, prefix: str = "") -> None:
        self._store = store
        self._clock = clock
        self._prefix = prefix

    def keep(self, key: str, seconds: float, locks: int) -> None:
        """A :data:`engine.records.pins.Keep`. What a store that is away does not take ends with this engine."""
        try:
            if seconds:
                until = self._clock.now() + timedelta(seconds=seconds)
                self._store.save(pin_locks, self._prefix + key, {"until": until, "locks": locks})
            else:
                self._store.remove(pin_locks, self._prefix + key)
        except StoreError as error:
            log.warning("pin_lock.not_kept", key=key.partition(":")[0], error=str(error))

    def restore(self, desk: PinDesk) -> None:
        """Give ``desk`` the locks that an earlier engine made. Raises StoreError."""
        now = self._clock.now()

        def read(session: Session) -> list[tuple[str, datetime, int]]:
            rows = session.execute(select(pin_locks).where(pin_locks.c.until > now))
            return [(row.key, row.until, row.locks) for row in rows]

        for key, until, locks in self._store.read(read, LOOK):
            mine = key.startswith(self._prefix) if self._prefix else not key.startswith(AGENTS)
            if mine:
                desk.restore(key.removeprefix(self._prefix), (until - now).total_seconds(), locks)


__all__ = ["AGENTS", "KeptLocks"]
