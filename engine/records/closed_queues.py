"""Which queues supervisors have closed, as the store keeps it: an engine that dies opens none of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from engine.records.closures import PATIENCE, Database
from engine.store.tables import meta

KEY = "queues.closed"

Closed = Mapping[str, Mapping[str, str]]
"""Queue -> why it is closed -> by whom."""


class Keeper(Database, Protocol):
    """What is needed of the store."""

    def save(self, table: Table, key: Any, values: Mapping[str, Any]) -> None: ...


def load(store: Database) -> Closed:
    """Raises StoreError."""

    def read(session: Session) -> Closed:
        found: Closed | None = session.scalar(select(meta.c.value).where(meta.c.key == KEY))
        return found or {}

    return store.read(read, PATIENCE)


def keep(store: Keeper, closed: Closed, now: datetime) -> None:
    """What holds from now on; written soon."""
    store.save(meta, KEY, {"value": {name: dict(whys) for name, whys in closed.items()}, "at": now})
