"""Loaded by pytest before anything else (``-p engine.testing.patched``): gevent must patch first."""

from gevent import monkey

monkey.patch_all()
