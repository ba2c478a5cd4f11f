"""Who calls: parties, their numbers and secrets.

A change here needs a change of ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from engine.store.columns import BigKey, Moment
from engine.store.metadata import metadata, text

# One row for each dealer, supplier, employee, branch, customer … ``pin`` is an argon2 hash, "" for none.
parties = Table(
    "parties",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("kind", Text, nullable=False),
    text("code"),  # what the party types to be known; unique within its kind
    Column("name", Text, nullable=False),
    text("tier"),
    text("language"),
    text("site"),
    text("region"),
    text("stage"),
    text("department"),
    text("notes"),
    text("pin"),
    Column("since", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
)
Index(
    "ix_parties_kind_code",
    parties.c.kind,
    parties.c.code,
    unique=True,
    sqlite_where=parties.c.code != "",
    postgresql_where=parties.c.code != "",
)
Index("ix_parties_code", parties.c.code)

# The numbers that a party calls from, E.164 (or an extension). A number is one party's.
party_numbers = Table(
    "party_numbers",
    metadata,
    Column("number", Text, primary_key=True),
    Column("party", BigKey, nullable=False),
    text("label"),
)
Index("ix_party_numbers_party", party_numbers.c.party)

# Locks after wrong PINs, so that they outlive the engine: "party:7", "phone:+86138…".
pin_locks = Table(
    "pin_locks",
    metadata,
    Column("key", Text, primary_key=True),
    Column("until", Moment, nullable=False),
    Column("locks", Integer, nullable=False, default=1, server_default="1"),
)
