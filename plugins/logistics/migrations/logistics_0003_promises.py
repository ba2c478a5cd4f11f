"""Value-added services, arrival windows as they were told, and answers that are owed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "logistics_0003"
down_revision = "logistics_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "logistics_services",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(14), nullable=False),
        sa.Column("what", sa.String(12), nullable=False),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["number"], ["logistics_waybills.number"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_logistics_services_number", "logistics_services", ["number"])
    op.create_table(
        "logistics_forecasts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(14), nullable=False),
        sa.Column("told", sa.DateTime(), nullable=False),
        sa.Column("earliest", sa.DateTime(), nullable=False),
        sa.Column("latest", sa.DateTime(), nullable=False),
        sa.Column("basis", sa.String(12), nullable=False),
        sa.Column("shipments", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_logistics_forecasts_number", "logistics_forecasts", ["number"])
    op.create_index("ix_logistics_forecasts_told", "logistics_forecasts", ["told"])
    op.create_table(
        "logistics_inquiries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(14), nullable=False),
        sa.Column("caller", sa.String(20), nullable=False),
        sa.Column("ticket", sa.String(9), nullable=False),
        sa.Column("opened", sa.DateTime(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("escalated", sa.DateTime(), nullable=True),
        sa.Column("answered", sa.DateTime(), nullable=True),
        sa.Column("answered_by", sa.String(40), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ticket"),
    )
    op.create_index("ix_logistics_inquiries_number", "logistics_inquiries", ["number"])
    op.create_index("ix_logistics_inquiries_opened", "logistics_inquiries", ["opened"])
