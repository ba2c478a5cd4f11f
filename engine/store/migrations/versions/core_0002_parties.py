"""Who calls: parties, their numbers and secrets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.columns import BigKey, Moment

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "parties",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), server_default="", nullable=False),
        sa.Column("site", sa.Text(), server_default="", nullable=False),
        sa.Column("region", sa.Text(), server_default="", nullable=False),
        sa.Column("stage", sa.Text(), server_default="", nullable=False),
        sa.Column("department", sa.Text(), server_default="", nullable=False),
        sa.Column("notes", sa.Text(), server_default="", nullable=False),
        sa.Column("pin", sa.Text(), server_default="", nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("changed", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_parties"),
    )
    op.create_index("ix_parties_code", "parties", ["code"], unique=False)
    op.create_index(
        "ix_parties_kind_code",
        "parties",
        ["kind", "code"],
        unique=True,
        sqlite_where=sa.text("code != ''"),
        postgresql_where=sa.text("code != ''"),
    )
    op.create_table(
        "party_numbers",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("party", BigKey, nullable=False),
        sa.Column("label", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_party_numbers"),
    )
    op.create_index("ix_party_numbers_party", "party_numbers", ["party"], unique=False)
    op.create_table(
        "pin_locks",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("locks", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_pin_locks"),
    )


def downgrade() -> None:
    op.drop_table("pin_locks")
    op.drop_table("party_numbers")
    op.drop_table("parties")
