"""Calls that are owed to somebody who calls in again: found by the number, and taken over on the line."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.records.callbacks import owed_of
from engine.records.owed import Owed
from engine.store.tables_tickets import callbacks


def take_over(session: Session, number: str, queue: str, call: str) -> Owed | None:
    """Whoever is owed a call calls in again and stays on the line: the row is over, also while it is dialled (the
    number is engaged). None when nothing is owed."""
    row = session.execute(
        update(callbacks)
        .where(
            callbacks.c.number == number, callbacks.c.queue == queue, callbacks.c.place.is_not(None),
            callbacks.c.state.in_(("owed", "dialling")),
        )
        .values(state="taken_over", why="", last=call)
        .returning(callbacks)
    ).first()  # fmt: skip
    return None if row is None else owed_of(row)


def kept_for(session: Session, number: str, queue: str) -> Owed | None:
    """What keeps a place for that number in that queue."""
    query = select(callbacks).where(
        callbacks.c.number == number, callbacks.c.queue == queue, callbacks.c.place.is_not(None),
        callbacks.c.state.in_(("owed", "dialling")),
    )  # fmt: skip
    row = session.execute(query.limit(1)).first()
    return None if row is None else owed_of(row)
