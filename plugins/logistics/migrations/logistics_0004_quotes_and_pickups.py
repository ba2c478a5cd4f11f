"""Tariffs, quotes and follow-ups; branches, addresses and orders to pick something up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "logistics_0004"
down_revision = "logistics_0003"
branch_labels = None
depends_on = None

AMOUNT = sa.Numeric(14, 3).with_variant(sa.String(20), "sqlite")


def text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def amount(name: str) -> sa.Column[object]:
    return sa.Column(name, AMOUNT, nullable=False)


def upgrade() -> None:
    op.create_table("logistics_cities", text("code", 4), text("name", 40), sa.PrimaryKeyConstraint("code"))
    op.create_table(
        "logistics_tariffs",
        text("origin", 40),
        text("destination", 40),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        *map(
            amount,
            ("heavy", "light", "minimum", "pickup", "delivery", "entry", "crate", "insurance", "cod"),
        ),
        sa.PrimaryKeyConstraint("origin", "destination", "version"),
    )
    op.create_table(
        "logistics_quotes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made", sa.DateTime(), nullable=False),
        text("customer", 20),
        text("name", 80),
        text("tier", 10),
        text("origin", 40),
        text("destination", 40),
        sa.Column("version", sa.Integer(), nullable=False),
        amount("weight"),
        amount("volume"),
        sa.Column("lines", sa.Text(), nullable=False),
        amount("total"),
        text("pickup", 12),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_logistics_quotes_made", "logistics_quotes", ["made"])
    op.create_index("ix_logistics_quotes_customer", "logistics_quotes", ["customer"])
    op.create_table(
        "logistics_followups",
        sa.Column("id", sa.Integer(), nullable=False),
        text("customer", 20),
        text("name", 80),
        text("tier", 10),
        text("kind", 5),
        sa.Column("quote", sa.Integer(), nullable=True),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("done", sa.DateTime(), nullable=True),
        text("outcome", 12),
        sa.Column("note", sa.Text(), nullable=False),
        text("by", 40),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_logistics_followups_customer", "logistics_followups", ["customer"])
    op.create_index("ix_logistics_followups_due", "logistics_followups", ["due"])
    op.create_table(
        "logistics_districts",
        text("area", 4),
        text("name", 40),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("area", "name"),
    )
    op.create_table(
        "logistics_branches",
        text("code", 8),
        text("name", 80),
        text("area", 4),
        text("district", 40),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        text("phone", 20),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        text("days", 7),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("ix_logistics_branches_area", "logistics_branches", ["area"])
    op.create_table(
        "logistics_addresses",
        sa.Column("id", sa.Integer(), nullable=False),
        text("customer", 20),
        text("contact", 80),
        text("phone", 20),
        text("area", 4),
        text("district", 40),
        text("line", 200),
        sa.Column("used", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_logistics_addresses_customer", "logistics_addresses", ["customer"])
    op.create_table(
        "logistics_pickups",
        sa.Column("id", sa.Integer(), nullable=False),
        text("number", 12),
        sa.Column("made", sa.DateTime(), nullable=False),
        text("customer", 20),
        text("contact", 80),
        text("phone", 20),
        text("area", 4),
        text("district", 40),
        text("address", 200),
        text("goods", 80),
        amount("weight"),
        amount("volume"),
        text("branch", 8),
        sa.Column("quote", sa.Integer(), nullable=False),
        text("state", 10),
        sa.Column("completed", sa.DateTime(), nullable=True),
        text("completed_by", 40),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_logistics_pickups_made", "logistics_pickups", ["made"])
    op.create_index("ix_logistics_pickups_branch", "logistics_pickups", ["branch"])
