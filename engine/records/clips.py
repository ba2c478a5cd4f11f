"""Clips: what callers say to a beep, kept as files with a row each.

The switch records into a file that is named here, one of the folder ``clips`` beneath the recordings, and nothing that
a caller or a flow says is part of its name. A clip gets its row when it is kept; a file without one (the caller hung up
before it was accepted) is swept away with those whose time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol
from zoneinfo import ZoneInfo

import structlog
from gevent.threadpool import ThreadPool
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import NotFound, StoreError
from engine.store.store import Store
from engine.store.tables_clips import clips as table

log = structlog.get_logger(__name__)

FOLDER: Final = "clips"
DICTATION: Final = "dictation"
MESSAGE: Final = "message"
LOOK: Final = 2.0  # seconds for a look into the store
_SWEPT: Final = 200  # rows of one look of the sweep


class NewFile(Protocol):
    """A file that is about to be recorded (:class:`engine.recording.files.NewFile`)."""

    @property
    def id(self) -> str: ...
    @property
    def file(self) -> str: ...


class Folder(Protocol):
    """The folder of clips (:class:`engine.recording.files.Files`)."""

    def new(self, call: str, on: date) -> NewFile: ...
    def id_of(self, file: str) -> str | None: ...
    def near(self, id: str, at: datetime) -> str | None: ...
    def locate(self, path: str) -> Path: ...
    def open(self, path: str) -> BinaryIO: ...
    def delete(self, path: str) -> int: ...
    def before(self, day: date) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that is kept. ``path`` is relative to the folder of clips."""

    id: str
    call: str
    kind: str
    path: str
    flow: str
    step: str
    began: datetime
    seconds: float
    size: int  # bytes
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What is in a clip's file. ``heard``: seconds in which there is sound; nobody spoke in one with none."""

    id: str
    path: str
    file: str  # absolute, as the switch plays it
    seconds: float
    heard: float
    size: int


#: How long, how loud and how big an open WAV is: seconds, seconds with sound, bytes. NotFound for what is none.
Measure = Callable[[BinaryIO], tuple[float, float, int]]


class Clips:
    """The clips of an installation."""

    def __init__(
        self, store: Store, clock: Clock, folder: Folder, measure: Measure, *, keep: timedelta, timezone: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._folder = folder
        self._measure = measure
        self.keep_for = keep
        self._zone = ZoneInfo(timezone)
        self._pool = ThreadPool(1)
        self._complete: dict[str, Any] = {}  # id -> event: the switch says that the file is complete

    # -- while a call lasts -----------------------------------------------------------------------

    def new(self, call: str) -> NewFile:
        """Name the next clip of ``call``; the switch is then told ``.file``."""
        new = self._folder.new(call, self._clock.now().astimezone(self._zone).date())
        self._complete[new.id] = self._clock.event()
        return new

    def finished(self, file: str) -> bool:
        """The switch says that ``file`` is complete; False when it is no clip."""
        id = self._folder.id_of(file)
        if id is None:
            return False
        if (event := self._complete.get(id)) is not None:
            event.set()
        return True

    def wait_complete(self, id: str, limit: float) -> bool:
        """Wait until the switch has written all of it: it does so behind the hang-up that ends it."""
        event = self._complete.get(id)
        return event is None or bool(event.wait(limit))

    def said(self, id: str) -> Said | None:
        """What is in the file of a clip that was begun a short while ago; None when there is no such file."""
        path = self._folder.near(id, self._clock.now().astimezone(self._zone))
        if path is None:
            return None

        def look() -> tuple[float, float, int]:
            with self._folder.open(path) as file:
                return self._measure(file)

        try:
            seconds, heard, size = self._clock.blocking(self._pool, look)
            return Said(id, path, str(self._folder.locate(path)), round(seconds, 3), round(heard, 3), size)
        except NotFound:
            return None

    def keep(self, said: Said, call: str, kind: str, *, flow: str = "", step: str = "") -> None:
        """Keep a clip: its row is written, and its file stays for as long as clips do."""
        self._complete.pop(said.id, None)
        began = self._clock.now() - timedelta(seconds=said.seconds)
        self._store.save(
            table,
            said.id,
            {
                "call": call,
                "kind": kind,
                "path": said.path,
                "flow": flow,
                "step": step,
                "began": began,
                "seconds": said.seconds,
                "size": said.size,
            },
        )

    def drop(self, said: Said) -> None:
        """A clip that nobody wants: its file is deleted at once."""
        self._complete.pop(said.id, None)
        self._clock.blocking(self._pool, self._unlink, said.path)

    def forget(self, id: str) -> None:
        """Nobody waits for this clip any more."""
        self._complete.pop(id, None)

    # -- afterwards -------------------------------------------------------------------------------

    def show(self, id: str) -> Clip:
        """A clip by its id; :class:`NotFound` when there is none."""
        found = self._store.read(lambda session: clip(session, id), LOOK)
        if found is None:
            raise NotFound(f"there is no clip {id}")
        return found

    def file(self, id: str) -> Path:
        """The file of a clip, for playing; :class:`NotFound` when it is not there (any more)."""
        return self._folder.locate(self.show(id).path)

    def playable(self, id: str) -> tuple[str, float]:
        """The file of a clip as the switch plays it, and its seconds; also of one that was spoken this very moment.
        :class:`NotFound` when it is not there (any more)."""
        try:
            found = self.show(id)
        except NotFound:
            said = self.said(id)  # its row may be on its way
            if said is None:
                raise
            return said.file, said.seconds
        return str(self._folder.locate(found.path)), found.seconds

    def delete(self, id: str) -> None:
        """Delete the file; the row stays, and says so. :class:`NotFound` when there is no such clip."""
        found = self.show(id)
        self._clock.blocking(self._pool, self._unlink, found.path)
        if found.deleted is None:
            self._store.change(table, id, {"deleted": self._clock.now()})

    def sweep(self) -> int:
        """Delete the files of clips that are kept no longer, and those without a row; how many. Messages have a time of
        their own: :meth:`engine.records.messages.Messages.sweep`."""
        limit = self._clock.now() - self.keep_for
        swept = 0
        while rows := self._store.read(lambda session: kept_before(session, DICTATION, limit), LOOK):
            for row in rows:
                self._clock.blocking(self._pool, self._folder.delete, row.path)
                self._store.change(table, row.id, {"deleted": self._clock.now()})
                swept += 1
            if not self._store.caught_up(LOOK):
                raise StoreError("the sweep of clips stopped: the database does not take its rows")
        oldest = limit.astimezone(self._zone).date()
        for path in self._clock.blocking(self._pool, lambda: list(self._folder.before(oldest))):
            id = Path(path).stem
            found = self._store.read(lambda session: clip(session, id), LOOK)  # noqa: B023
            if found is None or found.deleted is not None:
                self._clock.blocking(self._pool, self._folder.delete, path)
                swept += 1
        return swept

    def close(self) -> None:
        """Let go of the thread."""
        self._clock.end_threads(self._pool)

    def _unlink(self, path: str) -> None:
        """Delete a file, and not the folder that it leaves empty: the switch may be about to record into it, and a file
        that it can't open costs the caller his call."""
        try:
            self._folder.locate(path).unlink()
        except (NotFound, FileNotFoundError):
            log.warning("clip.gone", path=path)


# -- what is read -------------------------------------------------------------------------------------


def clip(session: Session, id: str) -> Clip | None:
    """One clip by its id."""
    row = session.execute(select(table).where(table.c.id == id)).one_or_none()
    return None if row is None else _clip(row)


def clips_of(session: Session, call: str) -> list[Clip]:
    """The clips of a call, the oldest first."""
    return [
        _clip(row) for row in session.execute(select(table).where(table.c.call == call).order_by(table.c.id))
    ]


def kept_before(session: Session, kind: str, limit: datetime) -> list[Clip]:
    """Clips of a kind that were begun before then and are not deleted yet; some of them."""
    query = select(table).where(table.c.kind == kind, table.c.began < limit, table.c.deleted.is_(None))
    return [_clip(row) for row in session.execute(query.order_by(table.c.began).limit(_SWEPT))]


def _clip(row: Row[Any]) -> Clip:
    return Clip(**row._mapping)
