"""The log beside the board: a file that is begun anew when it is large, with a few old ones kept."""

from __future__ import annotations

import io
from pathlib import Path

from gevent.monkey import get_original

LARGE = 10 << 20  # bytes
KEPT = 5  # old files: insideline.log.1 is the youngest

# Worker threads log too; see engine/log.py for why the lock is a native one.
_native_rlock = get_original("threading", "RLock")


class LogFile(io.TextIOBase):
    """A stream for :func:`engine.log.set_up`. Each text is written at once and whole, from any thread.

    A disk that takes nothing must not end the calls that have something to log: such lines are counted, and the
    count stands in the file as soon as it can be written again.
    """

    def __init__(self, path: Path, *, large: int = LARGE, kept: int = KEPT) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lost = 0  # texts that could not be written since the last one that could
        self._path = path
        self._large = large
        self._kept = kept
        self._lock = _native_rlock()
        self._file = path.open("ab", buffering=0)
        self._size = path.stat().st_size

    def write(self, text: str, /) -> int:
        with self._lock:
            try:
                self._put(text.encode(errors="replace"))
            except OSError:
                self.lost += 1
        return len(text)

    def close(self) -> None:
        with self._lock:
            self._file.close()
        super().close()

    def _put(self, line: bytes) -> None:
        if self.lost:
            line = b"%d lines could not be written here\n" % self.lost + line
        if self._size and self._size + len(line) > self._large:
            self._turn_over()
        self._size += self._file.write(line) or 0
        self.lost = 0

    def _turn_over(self) -> None:
        for number in range(self._kept, 0, -1):
            younger = self._old(number - 1) if number > 1 else self._path
            if younger.exists():
                younger.replace(self._old(number))
        self._file.close()
        self._file = self._path.open("ab", buffering=0)
        self._size = 0

    def _old(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
