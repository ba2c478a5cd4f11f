"""Calls that are owed may keep a place in their queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.columns import Json

revision = "core_0008"
down_revision = "core_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("callbacks") as table:
        table.add_column(sa.Column("place", Json, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("callbacks") as table:
        table.drop_column("place")
