"""Every table of the engine in one metadata, for migrations and comparisons."""

from __future__ import annotations

from engine.store import (
    tables,
    tables_clips,
    tables_closures,
    tables_faxes,
    tables_knowledge,
    tables_outbox,
    tables_parties,
    tables_tickets,
)
from engine.store.metadata import metadata

__all__ = [
    "metadata",
    "tables",
    "tables_clips",
    "tables_closures",
    "tables_faxes",
    "tables_knowledge",
    "tables_outbox",
    "tables_parties",
    "tables_tickets",
]
