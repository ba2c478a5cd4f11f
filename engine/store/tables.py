"""The engine's own tables. Departments bring theirs (see upgrades.py); nobody else's are touched here.

Every list that people ask for (by time, by caller, by agent, by queue) has its index; see queries.py.
A change here needs a migration in ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    true,
)

from engine.store.columns import BigKey, Json, Moment
from engine.store.metadata import metadata, seconds, text

# What the installation remembers about itself: fingerprints of departments' tables and the like.
meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Json),
    Column("at", Moment, nullable=False),
)

# One row for each time an engine opened the database. Its number is the upper part of every journal id,
# so that ids are unique without asking the database again, and a replayed row is recognised.
runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    text("node"),
    Column("began", Moment, nullable=False),
    Column("ended", Moment),  # NULL: it runs, or it was killed
)

# One row for each change of state of a call, an agent or a queue. Never updated.
journal = Table(
    "journal",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    text("call"),
    text("agent"),
    text("queue"),
    Column("data", Json),
)
Index("ix_journal_at", journal.c.at)
Index(
    "ix_journal_call",
    journal.c.call,
    journal.c.id,
    sqlite_where=journal.c.call != "",
    postgresql_where=journal.c.call != "",
)
Index(
    "ix_journal_agent",
    journal.c.agent,
    journal.c.at,
    sqlite_where=journal.c.agent != "",
    postgresql_where=journal.c.agent != "",
)

# One row for each call that is over. Written once more by an engine that learns more about it.
cdr = Table(
    "cdr",
    metadata,
    Column("call", Text, primary_key=True),
    text("node"),
    text("origin"),
    text("number"),  # the caller's; "" when withheld, or when the flow discarded who called
    text("dialled"),
    text("department"),
    text("flow"),  # the one it began with
    text("last_flow"),
    text("last_step"),
    Column("revision", Integer, nullable=False, default=0, server_default="0"),
    text("flow_hash"),
    text("language"),
    Column("arrived", Moment, nullable=False),
    Column("answered", Moment),
    Column("ended", Moment, nullable=False),
    seconds("seconds"),
    seconds("waited"),
    seconds("talked"),
    text("outcome"),
    text("cause"),
    Column("ordinary", Boolean, nullable=False, default=True, server_default=true()),
    text("queue"),
    text("agent"),
    text("recording"),
    text("disposition"),
    Column("adopted", Integer, nullable=False, default=0, server_default="0"),
    Column("data", Json),
)
Index("ix_cdr_arrived", cdr.c.arrived)
Index("ix_cdr_number", cdr.c.number, cdr.c.arrived)
Index("ix_cdr_dialled", cdr.c.dialled, cdr.c.arrived)
Index("ix_cdr_agent", cdr.c.agent, cdr.c.arrived)
Index("ix_cdr_queue", cdr.c.queue, cdr.c.arrived)

# What was done for a caller, by key. The row is written in the transaction of the deed itself.
deeds = Table(
    "deeds",
    metadata,
    Column("key", Text, primary_key=True),
    Column("department", Text, nullable=False),
    Column("state", Text, nullable=False),  # "done", or "pending" while a remote system has not confirmed
    Column("result", Json),
    Column("at", Moment, nullable=False),
)
Index("ix_deeds_state", deeds.c.state, deeds.c.at)

# Variables of a live call that do not fit on its channel.
call_state = Table(
    "call_state",
    metadata,
    Column("call", Text, primary_key=True),
    Column("data", Json, nullable=False),
    Column("at", Moment, nullable=False),
)

# Compiled flow sets, so that a restarted engine goes on with the flow that a call began with.
flow_sets = Table(
    "flow_sets",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
)

# The last known state of each agent; the truth of the moment is in memory and in the switch.
agent_states = Table(
    "agent_states",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since", Moment, nullable=False),
    text("reason"),
    text("phone"),
    text("call"),
    Column("data", Json),
)

# One row for each recording; the row outlives the file.
recordings = Table(
    "recordings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("call", Text, nullable=False),
    Column("part", Integer, nullable=False, default=1, server_default="1"),
    Column("path", Text, nullable=False),  # relative to the recordings folder
    text("policy"),
    text("agent"),
    Column("began", Moment, nullable=False),
    Column("ended", Moment),
    seconds("seconds"),
    Column("size", BigKey, nullable=False, default=0, server_default="0"),
    Column("masks", Json),  # [[began, ended or null, why], …] in wall time
    Column("deleted", Moment),
)
Index("ix_recordings_call", recordings.c.call, recordings.c.part)
Index("ix_recordings_began", recordings.c.began)
Index("ix_recordings_agent", recordings.c.agent, recordings.c.began)
