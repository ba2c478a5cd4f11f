"""What callers left as sound, messages and dictated clips, and how they rated.

A change here needs a change of ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from engine.store.columns import BigKey, Moment
from engine.store.metadata import metadata, seconds, text

#: What a caller said to a beep: a name or an address for a ticket, or a message. The row stays when the file is
#: deleted, and says so.
clips = Table(
    "clips",
    metadata,
    Column("id", Text, primary_key=True),
    Column("call", Text, nullable=False),
    text("kind"),  # "dictation" or "message"
    Column("path", Text, nullable=False),  # below the folder of clips
    text("flow"),
    text("step"),
    Column("began", Moment, nullable=False),
    seconds("seconds"),
    Column("size", BigKey, nullable=False, default=0, server_default="0"),
    Column("deleted", Moment),
)
Index("ix_clips_call", clips.c.call)
Index("ix_clips_kind", clips.c.kind, clips.c.began)

#: Messages in boxes. ``id`` is that of the clip.
messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("box", Text, nullable=False),
    text("state"),  # "open" while it is spoken, "new", "kept", "deleted"
    text("call"),
    text("number"),  # the caller's; "" when withheld, or deferred
    text("name"),
    text("language"),
    Column("left", Moment, nullable=False),
    seconds("seconds"),
    Column("heard", Moment),
    text("heard_by"),
)
Index("ix_messages_box", messages.c.box, messages.c.left)
Index("ix_messages_left", messages.c.left)

#: Answers to survey questions. ``key`` is call, step and visit, so that an answer taken up by another engine is one.
ratings = Table(
    "ratings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("question", Text, nullable=False),
    Column("score", Integer, nullable=False),
    Column("most", Integer, nullable=False),  # the best that could be given
    text("call"),
    text("department"),  # whose call it was
    text("flow"),  # the one that asked
    text("queue"),
    text("agent"),
    text("language"),
    Column("party", BigKey),  # who answered, when that is known and may be kept
)
Index("ix_ratings_party", ratings.c.party, ratings.c.at)
Index("ix_ratings_at", ratings.c.at)
Index("ix_ratings_agent", ratings.c.agent, ratings.c.at)
Index("ix_ratings_call", ratings.c.call)
