"""What the house knows: answers and rules with their versions, the terms that they are found by, and who passed which.

A change here needs a change of ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table, Text, false

from engine.store.columns import Json, Moment
from engine.store.metadata import metadata, text

# One row for each version of an item.
knowledge = Table(
    "knowledge",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),  # engine.records.knowledge.STATES
    Column("kind", Text, nullable=False),  # answer, rule
    Column("title", Text, nullable=False),  # the question
    Column("titles", Json),  # language -> how it is asked in other languages
    text("topic"),
    text("skill"),
    text("department"),
    text("owner"),
    Column("answers", Json),  # language -> text
    Column("spoken", Json),  # language -> what is said by phone instead
    Column("must_read", Json),  # skills whose agents must pass it
    Column("quiz", Json),
    Column("valid_from", Date),
    Column("valid_until", Date),
    text("by"),  # who wrote it last
    Column("editors", Json),  # everybody who wrote at this version
    Column("created", Moment, nullable=False),
    text("reviewed_by"),
    text("published_by"),
    Column("published", Moment),
    text("withdrawn_by"),
    Column("withdrawn", Moment),
    text("why"),
    text("call"),  # the call that showed the gap
    Column("told", Boolean, nullable=False, default=False, server_default=false()),
)
Index("ix_knowledge_state", knowledge.c.state, knowledge.c.topic)
Index("ix_knowledge_told", knowledge.c.told, knowledge.c.state)

# What each version is found by: words, and pairs of Chinese characters.
knowledge_terms = Table(
    "knowledge_terms",
    metadata,
    Column("term", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("weight", Integer, nullable=False),
)
Index("ix_knowledge_terms_item", knowledge_terms.c.id, knowledge_terms.c.version)

# Who read and passed what.
certifications = Table(
    "certifications",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("read", Moment),
    Column("passed", Moment),
    Column("score", Integer, nullable=False, default=0, server_default="0"),
    Column("of", Integer, nullable=False, default=0, server_default="0"),
    Column("tries", Integer, nullable=False, default=0, server_default="0"),
)
Index("ix_certifications_item", certifications.c.id, certifications.c.version)
