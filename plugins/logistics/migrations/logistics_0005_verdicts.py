"""Complaints, the rules of liability, verdicts with their appeals, and the scores of branches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "logistics_0005"
down_revision = "logistics_0004"
branch_labels = None
depends_on = None


def text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "logistics_complaints",
        text("ticket", 9),
        text("kind", 8),
        text("waybill", 14),
        text("caller", 20),
        moment("opened", nullable=False),
        sa.PrimaryKeyConstraint("ticket"),
    )
    op.create_index("ix_logistics_complaints_waybill", "logistics_complaints", ["waybill"])
    op.create_index("ix_logistics_complaints_opened", "logistics_complaints", ["opened"])
    op.create_table(
        "logistics_rules",
        text("code", 20),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        text("title", 80),
        text("title_en", 80),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", "version"),
    )
    op.create_table(
        "logistics_verdicts",
        text("ticket", 9),
        text("rule", 20),
        sa.Column("version", sa.Integer(), nullable=False),
        text("liable", 10),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        text("state", 10),
        moment("given", nullable=False),
        text("given_by", 40),
        moment("signed"),
        text("signed_by", 40),
        moment("appeal_until"),
        moment("appealed"),
        text("appeal_ticket", 9),
        sa.Column("reason", sa.Text(), nullable=False),
        moment("decided"),
        text("decided_by", 40),
        sa.PrimaryKeyConstraint("ticket"),
    )
    op.create_index("ix_logistics_verdicts_liable", "logistics_verdicts", ["liable"])
    op.create_table(
        "logistics_scores",
        sa.Column("id", sa.Integer(), nullable=False),
        text("branch", 8),
        moment("at", nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        text("ticket", 9),
        text("why", 40),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ticket"),
    )
    op.create_index("ix_logistics_scores_branch", "logistics_scores", ["branch"])
