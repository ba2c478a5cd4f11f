"""Which plugins' code was looked through and found good, kept in a file (``var/cache/plugins``): a start need not read
all of it again, nor make what pydantic needs for every query and command only to see that it can be made. With
changed code, theirs or the engine's, a plugin is looked through anew; so it is where the file can't be read.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import orjson
import pydantic
import structlog

log = structlog.get_logger(__name__)


class Proven:
    """The plugins of one home. ``file`` None: nothing is kept."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._kept: dict[str, str] = {}
        self._new = False
        if file is None:
            return
        try:
            kept = orjson.loads(file.read_bytes())
            self._kept = {str(name): str(digest) for name, digest in kept.items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, AttributeError) as error:
            log.warning("plugins.cache_unreadable", file=str(file), error=str(error))

    def holds(self, plugin: str, code: str) -> bool:
        """Was this ``code`` (:func:`engine.hooks.loading.stamp`; "": it is not known) of ``plugin`` found good?"""
        return bool(code) and self._kept.get(plugin) == _digest(code)

    def add(self, plugin: str, code: str) -> None:
        """This code is good."""
        if not code or self.holds(plugin, code):
            return
        self._kept[plugin] = _digest(code)
        self._new = True

    def keep(self) -> None:
        """Write it down, if there is anything new."""
        if self._file is None or not self._new:
            return
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(orjson.dumps(self._kept))
            temporary.replace(self._file)
        except OSError as error:
            log.warning("plugins.cache_not_written", file=str(self._file), error=str(error))
        self._new = False


def _digest(code: str) -> str:
    """Of a plugin's code, and of what looked through it."""
    rows = [sys.version, pydantic.VERSION, code]
    for file in sorted(Path(__file__).parent.glob("*.py")):
        found = file.stat()
        rows.append(f"{file.name} {found.st_size} {found.st_mtime_ns}")
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
