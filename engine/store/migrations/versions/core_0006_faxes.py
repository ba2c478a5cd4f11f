"""Faxes to be sent, and how far they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.columns import Moment

revision = "core_0006"
down_revision = "core_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "faxes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("queued", Moment(), nullable=False),
        sa.Column("next", Moment(), nullable=True),
        sa.Column("ended", Moment(), nullable=True),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("trunk", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("call", sa.Text(), server_default="", nullable=False),
        sa.Column("flow", sa.Text(), server_default="", nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("leg", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("result", sa.Text(), server_default="", nullable=False),
        sa.Column("station", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_faxes"),
        sa.UniqueConstraint("key", name="uq_faxes_key"),
    )
    op.create_index("ix_faxes_next", "faxes", ["next"], unique=False)
    op.create_index("ix_faxes_queued", "faxes", ["queued"], unique=False)
    op.create_index("ix_faxes_call", "faxes", ["call"], unique=False)


def downgrade() -> None:
    op.drop_table("faxes")
