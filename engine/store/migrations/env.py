"""Alembic's environment: runs migrations on the connection that ``engine.store.upgrades`` hands over."""

from __future__ import annotations

from alembic import context

from engine.store.all_tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite can do DDL in a transaction when the transaction is begun by us, and ours are.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
