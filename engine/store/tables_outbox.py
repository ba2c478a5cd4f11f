"""What remote systems are still to be told: commands whose outcome is not known yet.

A change here needs a change of ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from engine.store.columns import BigKey, Json, Moment
from engine.store.metadata import metadata, seconds, text

# One row for each command on its way to a remote, beside its pending deed. It is deleted with the outcome,
# which the deed keeps; a refusal that nobody could be told yet stays as "refused".
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),  # the order in which they were meant
    Column("key", Text, nullable=False, unique=True),
    text("department"),
    text("command"),  # "logistics.order_pickup"
    text("remote"),  # "logistics.WaybillSystem": what goes to one remote goes in order
    text("call"),
    Column("arguments", Json),  # NULL: one of them is private, and only memory has them
    seconds("within"),
    Column("state", Text, nullable=False),  # waiting, stuck (given up, a person must look), refused
    Column("attempts", Integer, nullable=False, default=0, server_default="0"),
    Column("unsure", Boolean, nullable=False),  # the remote may have got it
    text("error"),  # what came of the last attempt
    text("reason"),  # of a refusal
    Column("details", Json),
    Column("created", Moment, nullable=False),
    Column("due", Moment, nullable=False),
)
Index("ix_outbox_state", outbox.c.state, outbox.c.id)
