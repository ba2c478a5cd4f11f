"""Emergency closures of calendars.

A change here needs a change of ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from engine.store.columns import Moment
from engine.store.metadata import metadata, text

#: A row for each closure made by command or by phone, and for each of conf/calendars.yaml that was ended early
#: (those have a ``key`` that says which it was). A row is never deleted: it says who closed when, and why.
closures = Table(
    "closures",
    metadata,
    Column("key", Text, primary_key=True),
    Column("calendar", Text, nullable=False),
    Column("begin", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    text("prompt"),
    text("by"),
    text("why"),
    text("how"),  # "command", "phone" or "file"
    Column("ended", Moment, nullable=True),  # when it was ended early
    text("ended_by"),
    Index("ix_closures_until", "until"),
)
