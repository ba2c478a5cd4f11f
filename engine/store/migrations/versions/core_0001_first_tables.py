"""The engine's first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.columns import BigKey, Json, Moment

revision = "core_0001"
down_revision = None
branch_labels = ("core",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_states",
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("call", sa.Text(), server_default="", nullable=False),
        sa.Column("data", Json, nullable=True),
        sa.PrimaryKeyConstraint("agent", name="pk_agent_states"),
    )
    op.create_table(
        "call_state",
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("call", name="pk_call_state"),
    )
    op.create_table(
        "cdr",
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), server_default="", nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("dialled", sa.Text(), server_default="", nullable=False),
        sa.Column("department", sa.Text(), server_default="", nullable=False),
        sa.Column("flow", sa.Text(), server_default="", nullable=False),
        sa.Column("last_flow", sa.Text(), server_default="", nullable=False),
        sa.Column("last_step", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("flow_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), server_default="", nullable=False),
        sa.Column("arrived", Moment(), nullable=False),
        sa.Column("answered", Moment(), nullable=True),
        sa.Column("ended", Moment(), nullable=False),
        sa.Column("seconds", sa.Float(), server_default="0", nullable=False),
        sa.Column("waited", sa.Float(), server_default="0", nullable=False),
        sa.Column("talked", sa.Float(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("ordinary", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("queue", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("recording", sa.Text(), server_default="", nullable=False),
        sa.Column("disposition", sa.Text(), server_default="", nullable=False),
        sa.Column("adopted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("data", Json, nullable=True),
        sa.PrimaryKeyConstraint("call", name="pk_cdr"),
    )
    op.create_index("ix_cdr_agent", "cdr", ["agent", "arrived"], unique=False)
    op.create_index("ix_cdr_arrived", "cdr", ["arrived"], unique=False)
    op.create_index("ix_cdr_dialled", "cdr", ["dialled", "arrived"], unique=False)
    op.create_index("ix_cdr_number", "cdr", ["number", "arrived"], unique=False)
    op.create_index("ix_cdr_queue", "cdr", ["queue", "arrived"], unique=False)
    op.create_table(
        "deeds",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("result", Json, nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_deeds"),
    )
    op.create_index("ix_deeds_state", "deeds", ["state", "at"], unique=False)
    op.create_table(
        "flow_sets",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_flow_sets"),
    )
    op.create_table(
        "journal",
        sa.Column("id", BigKey, autoincrement=False, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("queue", sa.Text(), server_default="", nullable=False),
        sa.Column("data", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
    )
    op.create_index(
        "ix_journal_agent",
        "journal",
        ["agent", "at"],
        unique=False,
        sqlite_where=sa.text("agent != ''"),
        postgresql_where=sa.text("agent != ''"),
    )
    op.create_index("ix_journal_at", "journal", ["at"], unique=False)
    op.create_index(
        "ix_journal_call",
        "journal",
        ["call", "id"],
        unique=False,
        sqlite_where=sa.text("call != ''"),
        postgresql_where=sa.text("call != ''"),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", Json, nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "recordings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), server_default="1", nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("began", Moment(), nullable=False),
        sa.Column("ended", Moment(), nullable=True),
        sa.Column("seconds", sa.Float(), server_default="0", nullable=False),
        sa.Column("size", BigKey, server_default="0", nullable=False),
        sa.Column("masks", Json, nullable=True),
        sa.Column("deleted", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recordings"),
    )
    op.create_index("ix_recordings_agent", "recordings", ["agent", "began"], unique=False)
    op.create_index("ix_recordings_began", "recordings", ["began"], unique=False)
    op.create_index("ix_recordings_call", "recordings", ["call", "part"], unique=False)
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), server_default="", nullable=False),
        sa.Column("began", Moment(), nullable=False),
        sa.Column("ended", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )


def downgrade() -> None:
    op.drop_table("runs")
    op.drop_table("recordings")
    op.drop_table("meta")
    op.drop_table("journal")
    op.drop_table("flow_sets")
    op.drop_table("deeds")
    op.drop_table("cdr")
    op.drop_table("call_state")
    op.drop_table("agent_states")
