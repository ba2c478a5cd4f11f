"""Importing this patches everything for gevent: before anything else is imported."""

from functools import cache
from importlib import metadata
from typing import Any

from gevent import monkey

# At each module that it patches gevent asks for its plugins, and each time every installed package is looked
# through: 0.15 s of every command. Nobody installs one meanwhile.
_look: Any = metadata.entry_points
metadata.entry_points = cache(_look)  # type: ignore[assignment]
try:
    monkey.patch_all()
finally:
    metadata.entry_points = _look
