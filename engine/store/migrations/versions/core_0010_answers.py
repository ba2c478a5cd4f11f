"""Tickets know who asked, what was answered, when they were solved, and how often they came back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.columns import BigKey, Moment

revision = "core_0010"
down_revision = "core_0009"
branch_labels = None
depends_on = None

# What the history of older tickets says of it.
_COUNT = (
    "UPDATE tickets SET {column} = (SELECT count(*) FROM ticket_history"
    " WHERE ticket_history.ticket = tickets.number AND ticket_history.what = '{what}')"
)
_SOLVED = (
    "UPDATE tickets SET solved = (SELECT max(ticket_history.at) FROM ticket_history"
    " WHERE ticket_history.ticket = tickets.number AND ticket_history.what IN ('solved', 'closed'))"
    " WHERE state IN ('solved', 'closed')"
)


def upgrade() -> None:
    with op.batch_alter_table("tickets") as table:
        table.add_column(sa.Column("party", BigKey, nullable=True))
        table.add_column(sa.Column("answer", sa.Text(), server_default="", nullable=False))
        table.add_column(sa.Column("solved", Moment(), nullable=True))
        table.add_column(sa.Column("reopens", sa.Integer(), server_default="0", nullable=False))
        table.add_column(sa.Column("returns", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_tickets_kind", "tickets", ["department", "kind", "opened"], unique=False)
    op.create_index("ix_tickets_party", "tickets", ["party", "opened"], unique=False)
    op.execute(_COUNT.format(column="reopens", what="reopened"))
    op.execute(_COUNT.format(column="returns", what="returned"))
    op.execute(_SOLVED)


def downgrade() -> None:
    op.drop_index("ix_tickets_party", "tickets")
    op.drop_index("ix_tickets_kind", "tickets")
    with op.batch_alter_table("tickets") as table:
        for column in ("returns", "reopens", "solved", "answer", "party"):
            table.drop_column(column)
