"""The outbox: commands to remote systems, each beside its pending deed, so that both are true together.

The intent is written before the first request goes out. What comes back ends both rows' waiting in one
transaction: the deed keeps the result (``done``), or is forgotten (``release``). See engine/hooks/outbox.py for who
sends, and when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from engine.store import deeds
from engine.store.columns import decode, encode
from engine.store.rows import DeedRow
from engine.store.tables_outbox import outbox

WAITING = "waiting"
STUCK = "stuck"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A command on its way. See ``tables_outbox`` for its fields."""

    id: int
    key: str
    department: str
    command: str
    remote: str
    call: str
    arguments: Mapping[str, Any] | None
    within: float
    state: str
    attempts: int
    unsure: bool
    error: str
    reason: str
    details: Mapping[str, Any] | None
    created: datetime
    due: datetime


@dataclass(frozen=True, slots=True)
class Intent:
    """A command that is about to be sent."""

    key: str
    department: str
    command: str
    remote: str
    call: str
    arguments: Mapping[str, Any] | None
    within: float


def put(session: Session, intent: Intent, at: datetime) -> tuple[DeedRow | None, OutboxRow | None]:
    """Keep the intent. (None, row): it is ours now. Else what is known of the key: its deed, and its row while
    there is one."""
    known = deeds.reserve(session, intent.key, intent.department, at)
    if known is None:
        session.execute(
            insert(outbox).values(
                key=intent.key,
                department=intent.department,
                command=intent.command,
                remote=intent.remote,
                call=intent.call,
                arguments=None if intent.arguments is None else encode(intent.arguments),
                within=intent.within,
                state=WAITING,
                unsure=False,
                created=at,
                due=at,
            )
        )
    return known, find(session, intent.key)


def find(session: Session, key: str) -> OutboxRow | None:
    """The command of that key, or None."""
    row = session.execute(select(outbox).where(outbox.c.key == key)).mappings().one_or_none()
    return None if row is None else OutboxRow(**row)


def rows(
    session: Session, states: Sequence[str] = (WAITING, STUCK, REFUSED), limit: int = 10_000
) -> list[OutboxRow]:
    """The commands in these states, in the order in which they were meant."""
    query = select(outbox).where(outbox.c.state.in_(states)).order_by(outbox.c.id).limit(limit)
    return [OutboxRow(**row) for row in session.execute(query).mappings()]


def counts(session: Session) -> dict[str, int]:
    """How many are in each state."""
    query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
    return {row[0]: row[1] for row in session.execute(query)}


def note(session: Session, key: str, **changed: Any) -> None:
    """Keep what came of an attempt: ``attempts`` ``unsure`` ``error`` ``due`` ``state``."""
    session.execute(update(outbox).where(outbox.c.key == key).values(**changed))


def done(session: Session, key: str, at: datetime, result: Any) -> Any:
    """The remote did it. The result as kept (the first one, when there was one)."""
    kept = deeds.confirm(session, key, at, result)
    session.execute(delete(outbox).where(outbox.c.key == key))
    return kept


def refused(session: Session, key: str, reason: str, details: Mapping[str, Any]) -> None:
    """The remote refused, and nobody was there to hear it: kept for whoever asks again."""
    note(session, key, state=REFUSED, reason=reason, details=encode(details))


def release(session: Session, key: str) -> bool:
    """Nothing was done, or nobody wants to know any more: forget the key. False when it was not on its way."""
    session.execute(delete(outbox).where(outbox.c.key == key))
    return deeds.release(session, key)


def json_of(value: Any) -> Any:
    """``value`` as it will come back out of a JSON column."""
    return decode(encode(value))
