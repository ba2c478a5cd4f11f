"""``INSERT … ON CONFLICT``: SQLAlchemy has it in the dialects of its databases, alike in the two that rows are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    Inserts = Callable[[Table], sqlite.Insert]


def insert_for(dialect: str) -> Inserts:
    """How to insert into a table of a database ("sqlite" or "postgresql"):
    ``insert_for("sqlite")(table).values(…).on_conflict_do_nothing()``."""
    return sqlite.insert if dialect == "sqlite" else cast("Inserts", postgresql.insert)


def insert_in(session: Session) -> Inserts:
    """The same for the database that ``session`` is in."""
    return insert_for(session.get_bind().dialect.name)
