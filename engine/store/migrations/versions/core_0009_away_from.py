"""A ticket may be kept away from a site: nobody of it handles it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0009"
down_revision = "core_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tickets") as table:
        table.add_column(sa.Column("away_from", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("tickets") as table:
        table.drop_column("away_from")
