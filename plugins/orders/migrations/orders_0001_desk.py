"""What the order desk keeps: the tables that stand in for the company's systems, and its own work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "orders_0001"
down_revision = None
branch_labels = ("orders",)
depends_on = None

# Whole fen where the database would reckon in binary fractions.
MONEY = sa.Numeric(14, 2).with_variant(sa.BigInteger(), "sqlite")


def upgrade() -> None:
    # A database in which they were made before there were migrations keeps them.
    if sa.inspect(op.get_bind()).has_table("orders_act"):
        return
    op.create_table(
        "orders_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=60), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("orders_act", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_act_at"), ["at"], unique=False)

    op.create_table(
        "orders_article",
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("english", sa.String(length=60), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("restock", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "orders_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("dealer", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("draft", sa.Integer(), nullable=False),
        sa.Column("article", sa.String(length=16), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("clip", sa.String(length=40), nullable=False),
        sa.Column("ticket", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("responded", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("orders_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_case_dealer"), ["dealer"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_case_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_case_region"), ["region"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_case_ticket"), ["ticket"], unique=False)

    op.create_table(
        "orders_dealer",
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=False),
        sa.Column("credit", MONEY, nullable=False),
        sa.Column("outstanding", MONEY, nullable=False),
        sa.Column("terms", sa.Integer(), nullable=False),
        sa.Column("patience", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    with op.batch_alter_table("orders_dealer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_dealer_region"), ["region"], unique=False)

    op.create_table(
        "orders_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dealer", sa.String(length=16), nullable=False),
        sa.Column("held_by", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("total", MONEY, nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("ticket", sa.String(length=16), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("held_by"),
    )
    with op.batch_alter_table("orders_draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_draft_dealer"), ["dealer"], unique=False)

    op.create_table(
        "orders_policy",
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("rebate_from", sa.Integer(), nullable=False),
        sa.Column("rebate", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("truck_from", sa.Integer(), nullable=False),
        sa.Column("truck", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.PrimaryKeyConstraint("code", "version"),
    )
    with op.batch_alter_table("orders_policy", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_policy_region"), ["region"], unique=False)

    op.create_table(
        "orders_price",
        sa.Column("article", sa.String(length=16), nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=False),
        sa.Column("price", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("article", "tier"),
    )
    op.create_table(
        "orders_reservation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "orders_supplier",
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "orders_task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dealer", sa.String(length=16), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("english", sa.String(length=200), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("acknowledged", sa.DateTime(timezone=True), nullable=True),
        sa.Column("how", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("orders_task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_task_dealer"), ["dealer"], unique=False)

    op.create_table(
        "orders_bill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("supplier", sa.String(length=16), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("pay_on", sa.Date(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["supplier"],
            ["orders_supplier.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("orders_bill", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_bill_supplier"), ["supplier"], unique=False)

    op.create_table(
        "orders_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("supplier", sa.String(length=16), nullable=False),
        sa.Column("goods", sa.String(length=60), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("warehouse", sa.String(length=40), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("came", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["supplier"],
            ["orders_supplier.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("orders_delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_delivery_supplier"), ["supplier"], unique=False)

    op.create_table(
        "orders_draft_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft", sa.Integer(), nullable=False),
        sa.Column("article", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("english", sa.String(length=60), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft"],
            ["orders_draft.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("orders_draft_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_draft_line_draft"), ["draft"], unique=False)

    op.create_table(
        "orders_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("draft", sa.Integer(), nullable=True),
        sa.Column("dealer", sa.String(length=16), nullable=False),
        sa.Column("placed", sa.Date(), nullable=False),
        sa.Column("goods", MONEY, nullable=False),
        sa.Column("discount", MONEY, nullable=False),
        sa.Column("rebate", MONEY, nullable=False),
        sa.Column("total", MONEY, nullable=False),
        sa.Column("paid", MONEY, nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("policy", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("approved_by", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("ship_by", sa.Date(), nullable=False),
        sa.Column("shipped_on", sa.Date(), nullable=True),
        sa.Column("waybill", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("person", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer"],
            ["orders_dealer.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("draft"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("orders_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_order_dealer"), ["dealer"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_order_ship_by"), ["ship_by"], unique=False)

    op.create_table(
        "orders_part",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reservation", sa.Integer(), nullable=False),
        sa.Column("article", sa.String(length=16), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article"],
            ["orders_article.code"],
        ),
        sa.ForeignKeyConstraint(
            ["reservation"],
            ["orders_reservation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("orders_part", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_part_reservation"), ["reservation"], unique=False)

    op.create_table(
        "orders_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("article", sa.String(length=16), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("price", MONEY, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["order"],
            ["orders_order.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("orders_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_line_order"), ["order"], unique=False)
