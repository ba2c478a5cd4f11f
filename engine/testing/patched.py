"""Loaded by pytest before anything else (``-p engine.testing.patched``): gevent must patch first."""

import engine.patched  # noqa: F401
from engine.testing import native

native.wait_natively()
