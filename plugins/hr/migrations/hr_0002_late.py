"""Feedback knows that an answer to it came too late, also when more was said then and it is owed anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "hr_0002"
down_revision = "hr_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hr_feedback", sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE hr_feedback SET late = (1 = 1) WHERE replied > due")
