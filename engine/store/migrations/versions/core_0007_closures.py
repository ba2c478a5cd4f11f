"""Emergency closures of calendars."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.columns import Moment

revision = "core_0007"
down_revision = "core_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closures",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("begin", Moment(), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("prompt", sa.Text(), server_default="", nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("how", sa.Text(), server_default="", nullable=False),
        sa.Column("ended", Moment(), nullable=True),
        sa.Column("ended_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_closures"),
    )
    op.create_index("ix_closures_until", "closures", ["until"], unique=False)


def downgrade() -> None:
    op.drop_table("closures")
