"""Who calls: parties, their numbers and secrets."""

from __future__ import annotations

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
