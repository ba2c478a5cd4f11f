"""Rows that the database could not take, kept on disk until it can.

    <folder>/00000012/lock             held by the engine whose run this is
    <folder>/00000012/00000001.jsonl   a segment: one row per line, in order, fsynced as it is written
    <folder>/00000012/reserve          room set aside, given up when the disk is full
    <folder>/refused.jsonl             rows that no database will ever take, for a person to look at

A line without its newline was being written when the machine died: nobody was told that it is safe, so
it is passed over. Segments are deleted after the transaction that took their last row. A crash in
between writes rows again, which their keys make harmless.

A run whose lock nobody holds belongs to an engine that died; whoever opens the store next takes over.

Everything here blocks, and is called in a thread.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Table

from engine.errors import StoreError
from engine.store.statements import Row, from_line, to_line

SEGMENT_BYTES = 8 << 20
RESERVE_BYTES = 16 << 20
LARGEST = 1 << 30  # a spool beyond this takes no more


class SpoolFull(OSError):
    """The spool has reached its largest size."""


class Spool:
    """The spool of one run, and what it took over from the dead."""

    def __init__(
        self,
        folder: Path,
        run: int,
        tables: Mapping[str, Table],
        *,
        segment_bytes: int = SEGMENT_BYTES,
        reserve_bytes: int = RESERVE_BYTES,
        largest: int = LARGEST,
    ) -> None:
        self.folder = folder
        self.bytes = 0  # on disk, not yet replayed
        self.notes: deque[tuple[str, dict[str, Any]]] = deque(
            maxlen=100
        )  # for the log, which a thread leaves alone
        self._mine = folder / f"{run:08d}"
        self._tables = tables
        self._segment_bytes = segment_bytes
        self._reserve = self._mine / "reserve"
        self._reserve_bytes = reserve_bytes
        self._largest = largest
        self._backlog: list[Path] = []  # closed segments, the oldest first
        self._current: Path | None = None
        self._file = -1
        self._length = 0
        self._number = 0
        self._locks: dict[Path, int] = {}

    def open(self) -> None:
        """Make the folder, take over what dead engines left; :class:`StoreError` when that can't be done."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._mine.mkdir(exist_ok=True)
            if not self._lock(self._mine):
                raise StoreError(f"another engine writes the spool {self._mine}")
            self.take_over()
            self._make_reserve()
        except OSError as error:
            raise StoreError(f"the spool can't be opened: {error}") from None

    def take_over(self) -> int:
        """Adopt the segments of engines that are gone, the oldest run first; how many segments came."""
        found: list[Path] = []
        for run in sorted(path for path in self.folder.iterdir() if path.is_dir() and path.name.isdigit()):
            if (run in self._locks and run != self._mine) or not self._lock(run):
                continue
            segments = sorted(run.glob("*.jsonl"))
            if run == self._mine:
                segments = [path for path in segments if path not in self._backlog and path != self._current]
                self._number = max([self._number, *(int(path.stem) for path in segments)])
            found += segments
            if not segments and run != self._mine:
                self._remove(run)
        self._backlog[:0] = found
        self.bytes += sum(path.stat().st_size for path in found)
        if found:
            self._note("spool.taken_over", segments=len(found), bytes=self.bytes)
        return len(found)

    @property
    def empty(self) -> bool:
        """True when every row that was ever spooled is in the database."""
        return not self._backlog and self._current is None

    def append(self, rows: Sequence[Row]) -> None:
        """Write ``rows`` behind all others; they survive the machine when this returns. OSError when not."""
        block = b"".join(map(to_line, rows))
        if self.bytes + len(block) > self._largest:
            raise SpoolFull(errno.EDQUOT, "the spool has reached its largest size")
        try:
            self._write(block)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._reserve.exists():
                raise
            self._reserve.unlink()
            self._note("spool.reserve_given_up", bytes=self._reserve_bytes)
            self._write(block)

    def rotate(self) -> None:
        """Close the segment being written; it becomes the youngest of those to be replayed."""
        if self._current is not None:
            os.close(self._file)
            self._backlog.append(self._current)
            self._current, self._file, self._length = None, -1, 0

    def oldest(self) -> Path | None:
        """The segment to replay next; None when only the one being written is left, or nothing."""
        return self._backlog[0] if self._backlog else None

    def read(self, segment: Path, size: int) -> Iterator[list[Row]]:
        """The rows of ``segment`` in lists of at most ``size``. What can't be read is set aside."""
        rows: list[Row] = []
        with segment.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    self._note("spool.torn_line", segment=str(segment), bytes=len(line))
                    break
                try:
                    rows.append(from_line(line, self._tables))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    self.refuse([(line, f"{type(error).__name__}: {error}")])
                    continue
                if len(rows) == size:
                    yield rows
                    rows = []
        if rows:
            yield rows

    def replayed(self, segment: Path) -> None:
        """``segment`` is in the database: delete it, and its run's folder when that is done with."""
        self._backlog.remove(segment)
        self.bytes -= segment.stat().st_size
        segment.unlink()
        run = segment.parent
        if run != self._mine and not any(path.parent == run for path in self._backlog):
            self._remove(run)
        if self.empty:
            self.bytes = 0
            self._make_reserve()

    def refuse(self, rows: Sequence[tuple[Row | bytes, str]]) -> None:
        """Keep rows that no database will take, each with the reason, where a person finds them."""
        lines = []
        for row, why in rows:
            text = (row if isinstance(row, bytes) else to_line(row)).decode("utf-8", "replace").rstrip("\n")
            lines.append(orjson.dumps({"why": why, "row": text}) + b"\n")
        file = os.open(self.folder / "refused.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _write_all(file, b"".join(lines))
            os.fsync(file)
        finally:
            os.close(file)

    def close(self) -> None:
        """Let go of everything. An empty run leaves no folder behind."""
        self.rotate()
        self._reserve.unlink(missing_ok=True)
        if self.empty:
            self._remove(self._mine)
        for lock in self._locks.values():
            os.close(lock)
        self._locks.clear()

    # -- inside -----------------------------------------------------------------------------------

    def _write(self, block: bytes) -> None:
        if self._current is None or self._length >= self._segment_bytes:
            self.rotate()
            self._begin()
        try:
            _write_all(self._file, block)
            os.fsync(self._file)
        except OSError:
            # Half a block must not stand before what comes later. After a failed fsync nobody knows what is
            # on the disk, so this segment gets no more either.
            os.ftruncate(self._file, self._length)
            if self._length:
                self.rotate()
            else:
                self._drop_current()
            raise
        self._length += len(block)
        self.bytes += len(block)

    def _begin(self) -> None:
        self._number += 1
        path = self._mine / f"{self._number:08d}.jsonl"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._current = path
        self._length = 0
        _sync_folder(self._mine)

    def _drop_current(self) -> None:
        assert self._current is not None
        os.close(self._file)
        self._current.unlink(missing_ok=True)
        self._current, self._file, self._length = None, -1, 0

    def _lock(self, run: Path) -> bool:
        if run in self._locks:
            return True
        file = os.open(run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        self._locks[run] = file
        return True

    def _remove(self, run: Path) -> None:
        shutil.rmtree(run, ignore_errors=True)
        lock = self._locks.pop(run, None)
        if lock is not None:
            os.close(lock)

    def _note(self, event: str, **fields: Any) -> None:
        self.notes.append((event, fields))

    def _make_reserve(self) -> None:
        """Set room aside again. On a full disk there is none, which is no error yet."""
        if self._reserve.exists() or not self._reserve_bytes:
            return
        try:
            file = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(file, 0, self._reserve_bytes)
            finally:
                os.close(file)
        except OSError as error:
            self._reserve.unlink(missing_ok=True)
            self._note("spool.no_reserve", reason=str(error))


def _write_all(file: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
