"""Who works where, pay, benefits and leave, requests, and feedback on branches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "hr_0001"
down_revision = None
branch_labels = ("hr",)
depends_on = None

# Yuan: exact where the database has such numbers, whole fen in SQLite.
MONEY = sa.Numeric(12, 2).with_variant(sa.BigInteger(), "sqlite")


def upgrade() -> None:
    # A database in which they were made before there were migrations keeps them.
    if sa.inspect(op.get_bind()).has_table("hr_benefits"):
        return
    op.create_table(
        "hr_benefits",
        sa.Column("employee", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("granted", MONEY, nullable=False),
        sa.Column("used", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("employee", "kind", "until"),
    )
    op.create_table(
        "hr_branches",
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("partner", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "hr_feedback",
        sa.Column("ticket", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("branch", sa.String(length=8), nullable=False),
        sa.Column("branch_name", sa.String(length=40), nullable=False),
        sa.Column("topic", sa.String(length=16), nullable=False),
        sa.Column("employee", sa.String(length=8), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("reply_clip", sa.String(length=80), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("settled", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ticket"),
        sa.UniqueConstraint("code"),
    )
    with op.batch_alter_table("hr_feedback", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hr_feedback_branch"), ["branch"], unique=False)
        batch_op.create_index(batch_op.f("ix_hr_feedback_received"), ["received"], unique=False)

    op.create_table(
        "hr_leave",
        sa.Column("employee", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("half_days", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("employee", "kind", "until"),
    )
    op.create_table(
        "hr_requests",
        sa.Column("ticket", sa.String(length=16), nullable=False),
        sa.Column("employee", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("solved", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("ticket"),
    )
    with op.batch_alter_table("hr_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hr_requests_employee"), ["employee"], unique=False)

    op.create_table(
        "hr_slip_lines",
        sa.Column("employee", sa.String(length=8), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("employee", "month", "kind"),
    )
    op.create_table(
        "hr_feedback_clips",
        sa.Column("ticket", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("clip", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket"],
            ["hr_feedback.ticket"],
        ),
        sa.PrimaryKeyConstraint("ticket", "position"),
    )
    op.create_table(
        "hr_people",
        sa.Column("number", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("branch", sa.String(length=8), nullable=False),
        sa.Column("home", sa.String(length=40), nullable=False),
        sa.Column("posted", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["branch"],
            ["hr_branches.code"],
        ),
        sa.PrimaryKeyConstraint("number"),
    )
