"""Deeds: what a call changes in the world, each exactly once.

A deed has a key (call + step + visit, or the flow's ``once:``). The key's row and the department's rows
are written in one transaction, so there is no moment in which one is true without the other. Whoever
asks again with the same key (after a crash, after a redial, in a loop that meant the same) gets the
stored result, and the function does not run.

The key is inserted *first*: a second transaction with the same key waits for the first one to end, and
then finds it done.

A deed in another company's system can't share our transaction. For it the key is reserved before the
request is sent (``reserve``: "pending"), and confirmed or released by what comes back.

A refusal (:class:`engine.errors.Refused`) is no deed: everything is rolled back, nothing is kept, and
asking again asks again. Credit that was missing at ten may be there at eleven.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.store import tables
from engine.store.columns import decode, encode
from engine.store.rows import DeedRow
from engine.store.upserts import insert_in

DONE = "done"
PENDING = "pending"


def find(session: Session, key: str) -> DeedRow | None:
    """What is known of the deed ``key``; None when nothing is."""
    deeds = tables.deeds
    row = session.execute(select(deeds).where(deeds.c.key == key)).one_or_none()
    return None if row is None else DeedRow(row.key, row.department, row.state, row.result, row.at)


def do(
    session: Session, key: str, department: str, at: datetime, function: Callable[[Session], Any]
) -> tuple[str, Any, bool]:
    """Run ``function`` in this session's transaction unless ``key`` is known.

    Returns (state, result, fresh). The result is what JSON makes of it, the first time too, so that a
    redial hears exactly what the first caller heard. Raises what the function raises.
    """
    if not _insert(session, key, department, at, DONE):
        known = find(session, key)
        if known is None:  # the other transaction was rolled back after we had waited for it
            return do(session, key, department, at, function)
        return known.state, known.result, False
    text = encode(function(session))
    session.flush()
    session.execute(update(tables.deeds).where(tables.deeds.c.key == key).values(result=text))
    return DONE, decode(text), True


def reserve(session: Session, key: str, department: str, at: datetime) -> DeedRow | None:
    """Keep ``key`` as pending before a remote system is asked. None: it is ours now; else what is known."""
    return None if _insert(session, key, department, at, PENDING) else find(session, key)


def confirm(session: Session, key: str, at: datetime, result: Any) -> Any:
    """The remote did it: keep ``result``. The stored result when it was confirmed before."""
    known = find(session, key)
    if known is None:
        raise NotFound(f"no deed is pending under {key}")
    if known.state == DONE:
        return known.result
    text = encode(result)
    session.execute(
        update(tables.deeds).where(tables.deeds.c.key == key).values(state=DONE, result=text, at=at)
    )
    return decode(text)


def release(session: Session, key: str) -> bool:
    """The remote certainly did not do it: forget the key. False when it was not pending."""
    deeds = tables.deeds
    gone = session.execute(
        delete(deeds).where(deeds.c.key == key, deeds.c.state == PENDING).returning(deeds.c.key)
    )
    return gone.first() is not None


def pending(session: Session, before: datetime, limit: int = 100) -> list[DeedRow]:
    """Deeds whose remote has not answered since ``before``, the oldest first: someone must find out."""
    deeds = tables.deeds
    query = (
        select(deeds).where(deeds.c.state == PENDING, deeds.c.at < before).order_by(deeds.c.at).limit(limit)
    )
    return [DeedRow(row.key, row.department, row.state, row.result, row.at) for row in session.execute(query)]


def _insert(session: Session, key: str, department: str, at: datetime, state: str) -> bool:
    insert = insert_in(session)
    statement = (
        insert(tables.deeds)
        .values(key=key, department=department, state=state, result=None, at=at)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(tables.deeds.c.key)
    )
    return session.execute(statement).first() is not None
