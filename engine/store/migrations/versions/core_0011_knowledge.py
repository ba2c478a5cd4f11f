"""Knowledge with its versions and search terms, certifications, and whose ratings are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.columns import BigKey, Json, Moment

revision = "core_0011"
down_revision = "core_0010"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)


def upgrade() -> None:
    op.create_table(
        "knowledge",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("titles", Json, nullable=True),
        _text("topic"),
        _text("skill"),
        _text("department"),
        _text("owner"),
        sa.Column("answers", Json, nullable=True),
        sa.Column("spoken", Json, nullable=True),
        sa.Column("must_read", Json, nullable=True),
        sa.Column("quiz", Json, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        _text("by"),
        sa.Column("editors", Json, nullable=True),
        sa.Column("created", Moment(), nullable=False),
        _text("reviewed_by"),
        _text("published_by"),
        sa.Column("published", Moment(), nullable=True),
        _text("withdrawn_by"),
        sa.Column("withdrawn", Moment(), nullable=True),
        _text("why"),
        _text("call"),
        sa.Column("told", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name="pk_knowledge"),
    )
    op.create_index("ix_knowledge_state", "knowledge", ["state", "topic"], unique=False)
    op.create_index("ix_knowledge_told", "knowledge", ["told", "state"], unique=False)
    op.create_table(
        "knowledge_terms",
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("term", "id", "version", name="pk_knowledge_terms"),
    )
    op.create_index("ix_knowledge_terms_item", "knowledge_terms", ["id", "version"], unique=False)
    op.create_table(
        "certifications",
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("read", Moment(), nullable=True),
        sa.Column("passed", Moment(), nullable=True),
        _whole("score"),
        _whole("of"),
        _whole("tries"),
        sa.PrimaryKeyConstraint("agent", "id", "version", name="pk_certifications"),
    )
    op.create_index("ix_certifications_item", "certifications", ["id", "version"], unique=False)
    with op.batch_alter_table("ratings") as table:
        table.add_column(sa.Column("party", BigKey, nullable=True))
    op.create_index("ix_ratings_party", "ratings", ["party", "at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_ratings_party", "ratings")
    with op.batch_alter_table("ratings") as table:
        table.drop_column("party")
    op.drop_table("certifications")
    op.drop_table("knowledge_terms")
    op.drop_table("knowledge")
