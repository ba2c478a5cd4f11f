"""Faxes to be sent, and how far they are.

A change here needs a change of ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from engine.store.columns import Moment
from engine.store.metadata import metadata, text

#: ``key`` is call, step and visit, so that a step that another engine takes up queues one fax. ``state``: queued,
#: dialling, sending, sent, failed.
faxes = Table(
    "faxes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("queued", Moment, nullable=False),
    Column("next", Moment),  # when it is tried (again); NULL when it is over
    Column("ended", Moment),
    text("number"),
    text("trunk"),  # "": the usual one
    text("title"),
    text("call"),
    text("flow"),
    Column("file", Text, nullable=False),  # below the folder of faxes
    Column("pages", Integer, nullable=False),
    Column("sent", Integer, nullable=False, default=0, server_default="0"),  # pages that the other end took
    Column("attempts", Integer, nullable=False, default=0, server_default="0"),
    Column(
        "leg", Text, nullable=False, default="", server_default=""
    ),  # the channel of the attempt under way
    Column("code", Integer),  # the switch's fax_result_code of the last attempt
    text("result"),  # and its words, or why it was not even dialled
    text("station"),  # how the far end called itself
)
Index("ix_faxes_next", faxes.c.next)
Index("ix_faxes_queued", faxes.c.queued)
Index("ix_faxes_call", faxes.c.call)
