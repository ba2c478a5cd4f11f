"""Loaded by pytest before anything else (``-p engine.testing.patched``): gevent must patch first."""

import engine.patched  # noqa: F401
