"""The report of late shipments, and the morning's notice, look for waybills by their promised time."""

from __future__ import annotations

from alembic import op

revision = "logistics_0002"
down_revision = "logistics_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_logistics_waybills_due", "logistics_waybills", ["due"])
