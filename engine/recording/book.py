"""The book of recordings: which there are, since when, masked when, and how long they really are.

The switch records; the calls layer sends it the commands; this book names the files and keeps the rows. A
length is read from the file when the switch says that it is complete. It is never counted by the clock: a
switch records less than the wall time (8,880 of 9,912 ms were seen), so a mark by the wall clock would lie
in the wrong place. Masks are therefore kept as wall times, for the record, and never as offsets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from gevent.threadpool import ThreadPool

from engine.clock import Clock
from engine.config import Recording
from engine.errors import NotFound, StoreError
from engine.recording.files import Files
from engine.recording.policy import Policies
from engine.recording.wav import Sound, measure, read_header
from engine.store import queries, tables
from engine.store.rows import RecordingRow
from engine.store.store import Store
from engine.types import RecordingView

log = structlog.get_logger(__name__)

LOOK = 2.0  # seconds for a look into the store


@dataclass(slots=True)
class Started:
    """A recording that runs. ``file`` is the absolute path that the switch is told."""

    id: str
    call: str
    part: int
    path: str
    file: str
    policy: str
    began: datetime
    agent: str = ""
    masks: list[tuple[datetime, datetime | None, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did."""

    deleted: int  # recordings whose time was over
    strays: int  # files without a row, older than any policy keeps one
    missing: int  # rows whose file was gone already
    bytes: int


class Book:
    """Keeps the rows of all recordings. ``on_finished`` is told of each that is complete, on the hub."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        folder: Path,
        settings: Recording,
        *,
        timezone: str = "Asia/Shanghai",
        seed: int = 0,
    ) -> None:
        self.files = Files(folder)
        self.policies = Policies(settings, seed=seed)
        self.on_finished: Callable[[RecordingView], object] | None = None
        self._store = store
        self._clock = clock
        self._zone = ZoneInfo(timezone)
        self._pool = ThreadPool(1)
        self._running: dict[str, Started] = {}
        self._finishing: set[str] = set()

    # -- while a call lasts -----------------------------------------------------------------------

    def records(self, policy: str = "", *, dialplan: str = "") -> bool:
        """Whether a call is to be recorded: see :class:`engine.recording.policy.Policies`."""
        return self.policies.records(policy, dialplan=dialplan)

    def start(self, call: str, policy: str, *, agent: str = "") -> Started:
        """Name the next recording of ``call`` and open its row. The switch is then told ``started.file``."""
        now = self._clock.now()
        new = self.files.new(call, now.astimezone(self._zone).date())
        started = Started(new.id, new.call, new.part, new.path, new.file, policy, now, agent)
        self._running[started.id] = started
        self._store.save(
            tables.recordings,
            started.id,
            {
                "call": started.call,
                "part": started.part,
                "path": started.path,
                "policy": policy,
                "agent": agent,
                "began": now,
            },
        )
        return started

    def file(self, id: str) -> str:
        """The absolute path of a recording that runs, as the switch was told; :class:`NotFound` without one."""
        return self._find(id).file

    def mask(self, id: str, why: str = "secret") -> None:
        """From now on the recording holds silence (the switch was told so). Twice is once."""
        started = self._find(id)
        if not started.masks or started.masks[-1][1] is not None:
            started.masks.append((self._clock.now(), None, why))
            self._save_masks(started)

    def unmask(self, id: str) -> None:
        """From now on the recording holds sound again."""
        started = self._find(id)
        if started.masks and started.masks[-1][1] is None:
            began, _, why = started.masks[-1]
            started.masks[-1] = (began, self._clock.now(), why)
            self._save_masks(started)

    def masked(self, id: str) -> bool:
        """Whether a recording holds silence at this moment."""
        masks = self._find(id).masks
        return bool(masks) and masks[-1][1] is None

    def talked(self, id: str, agent: str) -> None:
        """The caller talked to ``agent`` in this recording; of several the last one counts."""
        if not id:
            return
        self._find(id).agent = agent
        self._store.change(tables.recordings, id, {"agent": agent})

    def finished(self, leg: str, file: str) -> None:
        """The switch says that ``file`` is complete. Returns at once; the rest is done beside."""
        id = self.files.id_of(file)
        if id is None:
            log.warning("recording.not_ours", leg=leg)
            return
        if id not in self._finishing:  # the switch may say it twice
            self._finishing.add(id)
            self._clock.spawn(self._finish, id)

    def close_lost(self, live: frozenset[str] | set[str]) -> int:
        """After a restart: close the rows of recordings whose call is not among ``live`` any more; how many."""
        rows = self._store.read(queries.recordings_open, LOOK)
        lost = [row for row in rows if row.call not in live]
        for row in lost:
            self._finish(row.id, seen=False)
        return len(lost)

    # -- afterwards -------------------------------------------------------------------------------

    def show(self, id: str) -> RecordingView:
        """A recording by its id; :class:`NotFound` when there is none."""
        self.files.call_of(id)
        row = self._store.read(lambda session: queries.recording(session, id), LOOK)
        if row is None:
            raise NotFound("there is no such recording")
        return view_of(row)

    def path(self, id: str) -> Path:
        """The file of a recording, for playing; :class:`NotFound` when it is not there (any more)."""
        return self.files.locate(self.show(id).path)

    def measure(self, id: str) -> Sound:
        """How long and how loud each channel of a recording is."""
        path = self.show(id).path

        def look() -> Sound:
            with self.files.open(path) as file:
                return measure(file)

        return self._clock.blocking(self._pool, look)

    def sweep(self) -> Swept:
        """Delete the files of recordings whose policy does not keep them any longer. Their rows stay, and say so."""
        now = self._clock.now()
        deleted = missing = strays = size = 0
        for policy in sorted(self.policies.names | self._store.read(queries.recording_policies, LOOK)):
            limit = now - self.policies.keep(policy)
            while rows := self._store.read(lambda s: queries.recordings_kept(s, policy, limit), LOOK):  # noqa: B023
                for row in rows:
                    freed = self._clock.blocking(self._pool, self.files.delete, row.path)
                    deleted += freed >= 0
                    missing += freed < 0
                    size += max(0, freed)
                    self._store.change(tables.recordings, row.id, {"deleted": now})
                if not self._store.caught_up(LOOK):
                    raise StoreError("the sweep of recordings stopped: the database does not take its rows")
        oldest = (now - self.policies.longest).astimezone(self._zone).date()
        for path in self._clock.blocking(self._pool, lambda: list(self.files.before(oldest))):
            size += max(0, self._clock.blocking(self._pool, self.files.delete, path))
            strays += 1
        swept = Swept(deleted, strays, missing, size)
        log.info("recording.swept", deleted=deleted, strays=strays, missing=missing, bytes=size)
        return swept

    def close(self) -> None:
        """Let go of the thread."""
        self._clock.end_threads(self._pool)

    # -- inside -----------------------------------------------------------------------------------

    def _find(self, id: str) -> Started:
        """A running recording: from memory, or (after a restart) from its file's place and its row."""
        started = self._running.get(id)
        if started is not None:
            return started
        call, part = self.files.call_of(id)
        row = self._row(id)
        if row is not None:
            started = Started(
                id, call, part, row.path, str(self.files.folder / row.path), row.policy, row.began, row.agent
            )
            started.masks = list(row.masks)
        else:
            now = self._clock.now()
            path = self.files.near(id, now.astimezone(self._zone))
            if path is None:
                raise NotFound("there is no such recording")
            started = Started(id, call, part, path, str(self.files.folder / path), "", now)
        self._running[id] = started
        return started

    def _row(self, id: str) -> RecordingRow | None:
        try:
            self._store.flush(LOOK)
            return self._store.read(lambda session: queries.recording(session, id), LOOK)
        except StoreError as error:
            log.warning("recording.row_not_read", recording=id, reason=str(error))
            return None

    def _save_masks(self, started: Started) -> None:
        self._store.change(tables.recordings, started.id, {"masks": started.masks})

    def _finish(self, id: str, *, seen: bool = True) -> None:
        """``seen``: it ends now; else it ended while no engine was there, when its sound did."""
        try:
            if id in self._running or (row := self._row(id)) is None or row.ended is None:
                self._close(id, seen=seen)
        finally:
            self._finishing.discard(id)

    def _close(self, id: str, *, seen: bool) -> None:
        try:
            started = self._find(id)
        except NotFound:
            log.warning("recording.unknown", recording=id)
            return
        self._running.pop(id, None)
        seconds, size = self._clock.blocking(self._pool, self._length, started.path)
        now = self._clock.now() if seen else started.began + timedelta(seconds=seconds)
        if started.masks and started.masks[-1][1] is None:
            began, _, why = started.masks[-1]
            started.masks[-1] = (began, max(began, now), why)
        row = RecordingRow(
            id=id,
            call=started.call,
            part=started.part,
            path=started.path,
            began=started.began,
            policy=started.policy,
            agent=started.agent,
            ended=now,
            seconds=round(seconds, 3),
            size=size,
            masks=tuple(started.masks),
        )
        ending = {"ended": now, "seconds": row.seconds, "size": size, "masks": row.masks}
        self._store.change(tables.recordings, id, ending)
        if self.on_finished is not None:
            self.on_finished(view_of(row))

    def _length(self, path: str) -> tuple[float, int]:
        """Seconds of sound and bytes; a file that is not there or holds nothing has none."""
        try:
            with self.files.open(path) as file:
                header = read_header(file)
                return header.seconds, header.offset + header.length
        except NotFound:
            return 0.0, 0


def view_of(row: RecordingRow) -> RecordingView:
    """What people see of a recording."""
    return RecordingView(
        id=row.id,
        call=row.call,
        path=row.path,
        began=row.began,
        ended=row.ended,
        seconds=row.seconds,
        policy=row.policy,
        agent=row.agent,
        masked=len(row.masks),
    )
