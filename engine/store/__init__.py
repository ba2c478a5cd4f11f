"""The store: journal, CDR, deeds, states. ``Store`` is the whole of it; ``queries`` is how one reads it."""

from engine.store.store import Store

__all__ = ["Store"]
