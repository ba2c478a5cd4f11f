"""Topics, first-line staff, questions, and the rings that experts missed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "expert_0001"
down_revision = None
branch_labels = ("expert",)
depends_on = None


def upgrade() -> None:
    # A database in which they were made before there were migrations keeps them.
    if sa.inspect(op.get_bind()).has_table("expert_missed"):
        return
    op.create_table(
        "expert_questions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call", sa.String(length=64), nullable=False),
        sa.Column("called_back", sa.String(length=64), nullable=False),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True), nullable=False),
        sa.Column("caller", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("staff", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("topic", sa.String(length=32), nullable=False),
        sa.Column("holding", sa.Boolean(), nullable=False),
        sa.Column("heard", sa.String(length=32), nullable=False),
        sa.Column("heard_version", sa.Integer(), nullable=False),
        sa.Column("queued", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expert", sa.String(length=12), nullable=False),
        sa.Column("last_expert", sa.String(length=12), nullable=False),
        sa.Column("talked", sa.Integer(), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clip", sa.String(length=64), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=40), nullable=False),
        sa.Column("disposition", sa.String(length=12), nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("standard_version", sa.Integer(), nullable=False),
        sa.Column("draft", sa.String(length=32), nullable=False),
        sa.Column("ticket", sa.String(length=12), nullable=False),
        sa.Column("note", sa.String(length=400), nullable=False),
        sa.Column("told", sa.DateTime(timezone=True), nullable=True),
        sa.Column("solution", sa.Integer(), nullable=True),
        sa.Column("attitude", sa.Integer(), nullable=True),
        sa.Column("effort", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("call", "nth", name="uq_expert_questions_call_nth"),
    )
    with op.batch_alter_table("expert_questions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_expert_questions_asked"), ["asked"], unique=False)
        batch_op.create_index(batch_op.f("ix_expert_questions_called_back"), ["called_back"], unique=False)
        batch_op.create_index(batch_op.f("ix_expert_questions_closed"), ["closed"], unique=False)
        batch_op.create_index(batch_op.f("ix_expert_questions_expert"), ["expert"], unique=False)
        batch_op.create_index(batch_op.f("ix_expert_questions_staff"), ["staff"], unique=False)

    op.create_table(
        "expert_staff",
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("left", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "expert_topics",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("zh", sa.String(length=60), nullable=False),
        sa.Column("en", sa.String(length=60), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "expert_missed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expert", sa.String(length=12), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["question"],
            ["expert_questions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("expert_missed", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_expert_missed_expert"), ["expert"], unique=False)
        batch_op.create_index(batch_op.f("ix_expert_missed_question"), ["question"], unique=False)
