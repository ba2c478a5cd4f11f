"""Emergency closures of calendars, as the store keeps them: who closed what, until when, and why.

Those that stand in ``conf/calendars.yaml`` are kept there; one of them that was ended early has a row here, too,
so that it stays ended. Nothing is deleted. A closure is over by itself when its time has passed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from engine.store.tables_closures import closures

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that the database may take: somebody waits at a terminal or on the phone."""


class Database(Protocol):
    """What is needed of the store (:class:`engine.store.store.Store`)."""

    def read(self, function: Callable[[Session], T], timeout: float) -> T: ...
    def work(self, function: Callable[[Session], T], timeout: float) -> T: ...


@dataclass(frozen=True, slots=True)
class KeptClosure:
    """One row. Times are aware; ``ended`` is when it was ended before its time."""

    key: str
    calendar: str
    begin: datetime
    until: datetime
    prompt: str = ""
    by: str = ""
    why: str = ""
    how: str = ""  # "command", "phone" or "file"
    ended: datetime | None = None
    ended_by: str = ""


def load(store: Database, now: datetime) -> list[KeptClosure]:
    """Those whose time is not over, the first to begin first (those that were ended early among them).
    Raises StoreError."""

    def read(session: Session) -> list[KeptClosure]:
        query = select(closures).where(closures.c.until > now).order_by(closures.c.begin, closures.c.key)
        names = [field.name for field in fields(KeptClosure)]
        return [
            KeptClosure(**{name: row[name] for name in names}) for row in session.execute(query).mappings()
        ]

    return store.read(read, PATIENCE)


def keep(store: Database, closure: KeptClosure) -> None:
    """Keep a closure; when this returns it survives the engine. The same key again changes nothing.
    Raises StoreError."""

    def work(session: Session) -> None:
        if _there(session, closure.key) is None:
            session.execute(insert(closures).values(**asdict(closure)))

    store.work(work, PATIENCE)


def end(store: Database, ended: list[KeptClosure]) -> None:
    """Keep that these were ended early (their ``ended`` and ``ended_by``), all or none. Raises StoreError."""

    def work(session: Session) -> None:
        for one in ended:
            if _there(session, one.key) is None:
                session.execute(insert(closures).values(**asdict(one)))
            else:
                values: dict[str, Any] = {"ended": one.ended, "ended_by": one.ended_by}
                session.execute(update(closures).where(closures.c.key == one.key).values(**values))

    store.work(work, PATIENCE)


def _there(session: Session, key: str) -> Any:
    return session.execute(select(closures.c.key).where(closures.c.key == key)).first()
