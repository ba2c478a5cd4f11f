"""The one writer: rows in order, in batches, in a thread of its own; and what happens when it can't.

    put() ──> memory ──(50 ms or a full batch)──> database            while all is well
                                      └─────────> spool on disk ──> database, in order, when it is back

Rules that hold:
- ``put`` never blocks and never raises for the database's sake. A call does not know how the store does.
- Rows reach the database in the order of their ``put``: from the first row that had to be spooled on,
  every row goes through the spool, until that is empty again.
- A row is written once, however often it is tried: see ``statements.Row``.
- What is in memory is lost when the process is killed: at most ``LINGER`` seconds of rows, plus the batch
  in the writer's hands. ``flush`` waits until everything so far is in the database or in the spool.
- Memory is bounded. Rows beyond ``most`` (database *and* disk refuse for a long time) are counted as lost,
  with an alarm.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from gevent.lock import RLock
from gevent.threadpool import ThreadPool
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from engine.clock import Clock, Event, TimeUp
from engine.errors import StoreDown
from engine.store.engines import Connections, is_outage, one_line
from engine.store.rows import Health
from engine.store.spool import Spool
from engine.store.statements import Group, Row, Statements, cleaned

log = structlog.get_logger(__name__)

LINGER = 0.05  # seconds that the first row of a batch waits for company
CROWD = 3  # while rows keep coming it waits so many times longer: a commit costs as much as some ten rows
BATCH = 1_000  # rows in one transaction
MOST = 50_000  # rows in memory
PATIENCE = 6.0  # seconds after which a database that does not answer counts as down
RETRY = (1.0, 30.0)  # seconds between attempts to reach it again: the first, the longest

Alarm = Callable[[str, bool, str], object]


class Database:
    """Writes batches of rows on the writer's connection. Lives in the writer's thread."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._statements = Statements(connections.engine.dialect.name)

    def write(self, rows: Sequence[Row]) -> list[tuple[Row, str]]:
        """Write ``rows`` in one transaction; returns those that the database will never take, with reasons.

        :class:`StoreDown` when it can't be used now; then none of the rows counts as written.
        """
        try:
            self._all(self._statements.groups(rows))
            return []
        except Exception as error:  # noqa: BLE001 - a driver raises what it likes for a value that it can't bind
            self._raise_outage(error)
        try:
            return self._one_by_one(rows)
        except Exception as error:
            self._raise_outage(error)
            raise StoreDown(f"the database can't be written: {one_line(error)}") from error

    def _all(self, groups: Sequence[Group]) -> None:
        connection = self._connections.get()
        with connection.begin():
            for statement, values in groups:
                connection.execute(statement, values)

    def _one_by_one(self, rows: Sequence[Row]) -> list[tuple[Row, str]]:
        """One of them is bad: find it, write the others."""
        refused: list[tuple[Row, str]] = []
        connection = self._connections.get()
        with connection.begin():
            for row in rows:
                why = self._try(connection, row)
                if why and (better := cleaned(row)) != row:
                    why = self._try(connection, better)
                if why:
                    refused.append((row, why))
        return refused

    def _try(self, connection: Connection, row: Row) -> str:
        """Write one row within the transaction; why not, or ""."""
        try:
            (group,) = self._statements.groups([row])
            with connection.begin_nested():
                connection.execute(group.statement, group.rows)
        except Exception as error:
            if isinstance(error, SQLAlchemyError) and is_outage(error):
                raise
            return one_line(error)
        return ""

    def _raise_outage(self, error: Exception) -> None:
        if isinstance(error, SQLAlchemyError) and is_outage(error):
            self._connections.drop()
            raise StoreDown(f"the database can't be written: {one_line(error)}") from error


class Writer:
    """Takes rows on the hub and sees to it that they end in the database."""

    def __init__(
        self,
        clock: Clock,
        database: Database,
        spool: Spool,
        *,
        alarm: Alarm | None = None,
        linger: float = LINGER,
        batch: int = BATCH,
        most: int = MOST,
        patience: float = PATIENCE,
        retry: tuple[float, float] = RETRY,
    ) -> None:
        self._clock = clock
        self._database = database
        self._spool = spool
        self._alarm_callback = alarm
        self._linger = linger
        self._last = -math.inf  # monotonic: when a batch was last taken
        self._batch = batch
        self._most = most
        self._patience = patience
        self._retry = retry
        self._rows: deque[Row] = deque()
        self._pool = ThreadPool(1)
        self._spool_pool = ThreadPool(1)
        self._wake = clock.event()
        self._hurry = clock.event()
        self._stop = clock.event()
        self._mode = RLock()  # held to spool a batch, and to decide that the spool is not needed any more
        self._spooling = False
        self._since: datetime | None = None
        self._reason = ""
        self._alarms: set[str] = set()
        self._thread_lost = False  # the writer's thread is in a statement that does not end
        self._taken = 0  # rows accepted
        self._settled = 0  # rows that are in the database or on the disk
        self._written = 0
        self._lost = 0
        self._refused = 0
        self._waiting: list[tuple[int, Event]] = []
        self._greenlets = [clock.spawn(self._run)]

    # -- for the hub ------------------------------------------------------------------------------

    def put(self, row: Row) -> None:
        """Take ``row``. Costs a microsecond; it is written within ``LINGER`` and a batch's time."""
        if len(self._rows) >= self._most:
            self._lost += 1
            self._alarm(
                "store.rows_lost", True, f"{self._lost} rows lost: neither database nor disk takes them"
            )
            return
        self._rows.append(row)
        self._taken += 1
        count = len(self._rows)
        if count == 1:
            self._wake.set()
        elif count == self._batch:
            self._hurry.set()

    def flush(self, timeout: float) -> bool:
        """Wait until all rows so far are safe (database or spool); False when ``timeout`` passed first."""
        if self._settled >= self._taken:
            return True
        done = self._clock.event()
        mark = (self._taken, done)
        self._waiting.append(mark)
        self._hurry.set()
        self._wake.set()
        try:
            return done.wait(timeout)
        finally:
            if mark in self._waiting:
                self._waiting.remove(mark)

    def catch_up(self, timeout: float) -> bool:
        """Wait until the spool is empty and rows go straight to the database; False when time passed first."""
        deadline = self._clock.monotonic() + timeout
        while self._spooling:
            if self._clock.monotonic() >= deadline:
                return False
            self._clock.sleep(0.02)
        return True

    def start_with_backlog(self, reason: str) -> None:
        """Begin by replaying what the spool holds, at once."""
        self._go_down(reason, 0.0)

    def health(self, stuck: int = 0) -> Health:
        return Health(
            spooling=self._spooling,
            since=self._since,
            reason=self._reason,
            waiting=len(self._rows),
            spooled=self._spool.bytes,
            lost=self._lost,
            refused=self._refused,
            stuck=stuck,
            written=self._written,
        )

    def close(self, timeout: float) -> bool:
        """Write what is there and stop; False when something could neither be written nor spooled."""
        safe = self.flush(timeout)
        self._stop.set()
        self._hurry.set()
        self._wake.set()
        try:
            with self._clock.timeout(max(1.0, timeout)) as mine:
                for greenlet in self._greenlets:
                    greenlet.join()
        except TimeUp as up:
            if up is not mine:
                raise
            for greenlet in self._greenlets:
                greenlet.kill(block=False)
            log.warning("store.writer_stuck", waiting=len(self._rows))
            return False
        self._clock.blocking(self._spool_pool, self._spool.close)
        if not self._thread_lost:
            self._clock.end_threads(self._pool)
        self._clock.end_threads(self._spool_pool)
        return safe

    # -- the writer's greenlet --------------------------------------------------------------------

    def _run(self) -> None:
        while self._rows or not self._stop.is_set():
            if not self._rows:
                self._wake.wait()
            self._wake.clear()
            if len(self._rows) < self._batch and not self._waiting and not self._stop.is_set():
                busy = self._clock.monotonic() - self._last < 10 * self._linger
                self._hurry.wait(self._linger * (CROWD if busy else 1))
            self._hurry.clear()
            self._last = self._clock.monotonic()
            batch = [self._rows.popleft() for _ in range(min(self._batch, len(self._rows)))]
            if not batch:
                continue
            if not self._settle(batch):
                self._rows.extendleft(reversed(batch))
                return
            self._settled += len(batch)
            self._tell()

    def _tell(self) -> None:
        for mark in [mark for mark in self._waiting if mark[0] <= self._settled]:
            self._waiting.remove(mark)
            mark[1].set()

    def _settle(self, batch: list[Row]) -> bool:
        """Put ``batch`` into the database or into the spool. False only at the end, when neither took it."""
        delay = self._retry[0]
        while True:
            if not self._spooling:
                try:
                    self._write(batch)
                    return True
                except StoreDown as error:
                    self._go_down(str(error), self._retry[0])
            try:
                with self._mode:
                    if not self._spooling:
                        continue  # it came back while we waited for our turn
                    self._clock.blocking(self._spool_pool, self._spool.append, batch)
                self.log_notes()
                self._alarm("store.spool_failed", False, "")
                return True
            except OSError as error:
                self._alarm("store.spool_failed", True, f"the spool can't be written: {error}")
            if self._stop.is_set():
                return False
            self._stop.wait(delay)
            delay = min(delay * 2, self._retry[1])

    def _write(self, batch: Sequence[Row]) -> None:
        try:
            with self._clock.timeout(self._patience) as mine:
                refused = self._clock.blocking(self._pool, self._database.write, batch)
        except TimeUp as up:
            if up is not mine:
                raise
            # The thread may yet write this batch. It will also be replayed, by the same thread and so
            # behind it; writing it twice does no harm.
            self._thread_lost = True
            raise StoreDown(f"the database did not answer within {self._patience:g} s") from None
        except StoreDown:
            self._thread_lost = False
            raise
        except Exception as error:
            log.exception("store.writer_failed")
            raise StoreDown(f"writing failed: {one_line(error)}") from error
        self._thread_lost = False
        if not self._spooling:
            self._alarm("store.down", False, "")
            self._alarm("store.spool_failed", False, "")  # it is not needed any more
        self._written += len(batch) - len(refused)
        if refused:
            self._refused += len(refused)
            self._alarm("store.rows_refused", True, f"{self._refused} rows refused: {refused[0][1]}")
            try:
                self._clock.blocking(self._spool_pool, self._spool.refuse, refused)
            except OSError as error:
                self._lost += len(refused)
                self._alarm("store.rows_lost", True, f"{self._lost} rows lost: {error}")

    # -- while the database is away -----------------------------------------------------------------

    def _go_down(self, reason: str, delay: float) -> None:
        self._spooling = True
        self._since = self._clock.now()
        self._reason = reason
        self._alarm("store.down", True, reason)
        self._greenlets = [greenlet for greenlet in self._greenlets if not greenlet.dead]
        self._greenlets.append(self._clock.spawn(self._recover, delay))

    def _recover(self, delay: float) -> None:
        """Replay the spool, again and again, until it is empty and rows may go straight on."""
        before = self._written
        while not self._stop.wait(delay):
            try:
                if self._replay():
                    # An empty spool proves nothing; then the next row that is written ends the alarm.
                    if self._written > before:
                        self._alarm("store.down", False, "")
                    return
            except (StoreDown, OSError) as error:
                if str(error) != self._reason:
                    log.warning("store.still_down", reason=str(error))
                self._reason = str(error)
            except Exception as error:
                log.exception("store.replay_failed")
                self._reason = one_line(error)
            delay = min(max(delay * 2, self._retry[0]), self._retry[1])

    def _replay(self) -> bool:
        """True when all is replayed; False when the store is being closed."""
        while True:
            segment = self._spool.oldest()
            if segment is None:
                with self._mode:
                    if self._spool.empty:
                        self._spooling = False
                        self._since = None
                        self._reason = ""
                        return True
                    self._clock.blocking(self._spool_pool, self._spool.rotate)
                continue
            chunks = self._spool.read(segment, self._batch)
            while (rows := self._clock.blocking(self._spool_pool, next, chunks, None)) is not None:
                if self._stop.is_set():
                    return False
                self._write(rows)
            with self._mode:
                self._clock.blocking(self._spool_pool, self._spool.replayed, segment)
            self.log_notes()
            log.info("store.segment_replayed", segment=segment.name, left=self._spool.bytes)

    def log_notes(self) -> None:
        """Log what the spool noted in its thread."""
        while self._spool.notes:
            event, fields = self._spool.notes.popleft()
            log.warning(event, **fields)

    def _alarm(self, name: str, on: bool, detail: str) -> None:
        if (name in self._alarms) == on:
            return
        if on:
            self._alarms.add(name)
            log.error(name, detail=detail)
        else:
            self._alarms.discard(name)
            log.info(name + "_over")
        if self._alarm_callback is not None:
            try:
                self._alarm_callback(name, on, detail)
            except Exception:
                log.exception("store.alarm_callback_failed", alarm=name)
