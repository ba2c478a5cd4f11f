"""The metadata of the engine's own tables, and the columns that they share."""

from __future__ import annotations

from sqlalchemy import Column, Float, MetaData, Text

# Names of constraints that are the same on every database, so that a migration can name them.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)


def text(name: str) -> Column[str]:
    """Text that is "" when there is nothing to say; never NULL, so that no query needs two cases."""
    return Column(name, Text, nullable=False, default="", server_default="")


def seconds(name: str) -> Column[float]:
    """A length of time in seconds, 0 when there is none."""
    return Column(name, Float, nullable=False, default=0.0, server_default="0")
