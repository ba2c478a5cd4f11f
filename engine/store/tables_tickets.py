"""What is owed to whom: tickets, callbacks, tallies, notices.

A change here needs a change of ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, false

from engine.store.columns import BigKey, Json, Moment
from engine.store.metadata import metadata, text


def whole(name: str) -> Column[int]:
    """A number, 0 when there is none."""
    return Column(name, Integer, nullable=False, default=0, server_default="0")


# One row for each ticket, as it stands now.
tickets = Table(
    "tickets",
    metadata,
    Column("number", Text, primary_key=True),  # digits, with a check digit: callers type and hear it
    Column("kind", Text, nullable=False),
    text("department"),
    text("group"),
    text("owner"),
    Column("state", Text, nullable=False),  # engine.records.tickets.STATES
    Column("opened", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    Column("due", Moment),
    Column("escalated", Moment),
    text("away_from"),  # a site whose people must not handle it
    text("escalate"),  # the group of conf/notify.yaml that is told when it is overdue
    text("caller"),
    text("call"),  # the one it came from
    Column("data", Json),
    Column("party", BigKey),  # who asked, when that is known and may be kept
    text("answer"),  # what whoever asked hears of it
    Column("solved", Moment),  # since when it is done; NULL while it is not
    whole("reopens"),
    whole("returns"),
)
Index("ix_tickets_state", tickets.c.state, tickets.c.due)
Index("ix_tickets_caller", tickets.c.caller, tickets.c.opened)
Index("ix_tickets_opened", tickets.c.opened)
Index("ix_tickets_kind", tickets.c.department, tickets.c.kind, tickets.c.opened)
Index("ix_tickets_party", tickets.c.party, tickets.c.opened)

# One row for each change of a ticket. Written with the change; what is not yet ``told`` to journal and plugins will be.
ticket_history = Table(
    "ticket_history",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("ticket", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("what", Text, nullable=False),
    text("by"),
    text("before"),
    text("after"),
    text("note"),
    Column("told", Boolean, nullable=False, default=False, server_default=false()),
)
Index("ix_ticket_history_ticket", ticket_history.c.ticket, ticket_history.c.id)
Index("ix_ticket_history_told", ticket_history.c.told, ticket_history.c.id)

# Calls, recordings and dictated clips that a ticket came from.
ticket_links = Table(
    "ticket_links",
    metadata,
    Column("ticket", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # call, recording, clip
    Column("ref", Text, primary_key=True),
)

# Calls that we owe.
callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("number", Text, nullable=False),
    text("department"),
    text("flow"),  # what leads the call
    text("language"),
    Column("state", Text, nullable=False),  # engine.records.callbacks.STATES
    text("why"),
    Column("created", Moment, nullable=False),
    Column("since", Moment, nullable=False),  # whose turn it is
    Column("due", Moment, nullable=False),  # promised; from then on it is dialled though nobody is free
    Column("until", Moment, nullable=False),  # given up afterwards
    Column("next", Moment, nullable=False),  # not dialled before
    whole("tries"),
    whole("most"),
    text("dialled"),  # the number that the first call came in by
    text("call"),  # the first call
    text("last"),  # the last call that we made for it
    Column("data", Json),
    Column("place", Json),  # that it keeps in its queue (engine.records.owed.Kept); NULL: none
)
Index("ix_callbacks_state", callbacks.c.state, callbacks.c.next)
Index("ix_callbacks_number", callbacks.c.number, callbacks.c.state)

# What was counted: each key once until its time is over.
tally_marks = Table(
    "tally_marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("area", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
)
Index("ix_tally_marks_until", tally_marks.c.name, tally_marks.c.area, tally_marks.c.until)

# What has to be told to people, until it was.
notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("group", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("values", Json),
    text("department"),
    text("key"),  # the same key is told once in its window
    text("text"),  # as it was told, once it was
    text("call"),
    Column("state", Text, nullable=False),  # engine.records.notices.STATES
    Column("created", Moment, nullable=False),
    Column("next", Moment, nullable=False),
    whole("way"),
    whole("tries"),
    text("by"),  # who acknowledged it
    text("error"),  # what went wrong last
    Column("ended", Moment),
)
Index("ix_notices_state", notices.c.state, notices.c.next)
Index("ix_notices_key", notices.c.key, notices.c.created)

# The last slot of each schedule.
schedules = Table(
    "schedules",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slot", Moment, nullable=False),
    Column("state", Text, nullable=False),  # seen, running, done, failed
    whole("tries"),
    text("error"),
    Column("at", Moment, nullable=False),
)
