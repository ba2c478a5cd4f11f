"""Waybills and what happened to them. A database in which they were made before there were migrations keeps them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "logistics_0001"
down_revision = None
branch_labels = ("logistics",)
depends_on = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("logistics_waybills"):
        return
    op.create_table(
        "logistics_waybills",
        sa.Column("number", sa.String(14), nullable=False),
        sa.Column("origin", sa.String(40), nullable=False),
        sa.Column("destination", sa.String(40), nullable=False),
        sa.Column("due", sa.DateTime(), nullable=False),
        sa.Column("handed_to", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "logistics_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(14), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("what", sa.String(12), nullable=False),
        sa.Column("city", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["logistics_waybills.number"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_logistics_events_number", "logistics_events", ["number"])
