"""Jobs in worker threads, with time limits that hold.

A thread can't be killed. So a job whose caller stopped waiting (time limit, hang-up) is *abandoned*:

- Committing is claimed. Job and waiter race for one token; the loser knows. An abandoned job can't
  commit any more; a job that has begun to commit can't be abandoned.
- Its statement is interrupted and its transaction rolled back from outside, so that a handler that hangs
  holds no lock. Whatever it tries on its connection afterwards raises :class:`Abandoned`, and the
  connection is closed when it comes back.
- Until it comes back its thread is lost, so the pool grows by one for as long (up to a limit).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from gevent.monkey import get_original
from gevent.threadpool import ThreadPool
from sqlalchemy import event
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from engine.clock import Clock, TimeUp
from engine.errors import Pending, StoreDown, StoreError, StoreTimeout
from engine.store.engines import BUSY_SECONDS, Connections, is_outage, one_line, wrote_in_a_read

T = TypeVar("T")

log = structlog.get_logger(__name__)

MAX_STUCK = 16  # lost threads that are made up for


class Abandoned(BaseException):
    """Nobody waits for this job any more. No ``Exception``: a handler's ``except Exception`` lets it pass."""


class _Job:
    """One run of a function in a thread, as seen from the thread and from its waiter."""

    __slots__ = ("_driver", "_token", "abandoned", "busy", "finished", "lock", "open", "started", "won")

    def __init__(self) -> None:
        self._token = [True]  # list.pop is atomic: who gets it decides
        self._driver: Any = None
        self.abandoned = False
        self.started = False
        self.finished = False
        self.busy = False
        self.open = False  # the function runs: a rollback from outside may touch its connection
        self.won = False  # the thread got the token: it committed, or tried to
        # Held while a statement runs, so that a rollback from outside never falls between the check and
        # the statement. A native lock: gevent's would make a hub in each thread that waits for it.
        self.lock: Any = get_original("_thread", "allocate_lock")()

    def claim(self) -> bool:
        """Take the right to decide how this job ends; False when the other side has it."""
        try:
            return self._token.pop()
        except IndexError:
            return False

    # -- in the thread ------------------------------------------------------------------------

    def use(self, connection: Connection) -> None:
        self._driver = connection.connection.dbapi_connection
        connection.info["job"] = self
        self.open = True

    def leave(self) -> None:
        """The function is over: from here on the connection is this thread's alone. Waits for a rollback from outside
        that is under way; two threads that end one transaction, or one that closes what the other rolls back, take
        SQLite's driver down with the whole process."""
        self.after_statement()
        with self.lock:
            self.open = False

    def before_statement(self) -> None:
        self.lock.acquire()
        if self.abandoned:
            # What is raised here is no Exception, for which SQLAlchemy closes the connection at once: nobody may come
            # from outside any more.
            self.open = False
            self.lock.release()
            raise Abandoned
        self.busy = True

    def after_statement(self) -> None:
        if self.busy:
            self.busy = False
            self.lock.release()

    # -- from outside ---------------------------------------------------------------------------

    def interrupt(self) -> None:
        """End the statement that runs in SQLite now. Safe at any moment."""
        driver = self._driver
        stop = getattr(driver, "interrupt", None)
        if stop is not None:
            try:
                stop()
            except self._errors(driver):
                pass  # closed in this very moment: there is nothing left to interrupt

    def undo(self) -> None:
        """Take its locks away from outside. May block: called in the janitor's thread."""
        driver = self._driver
        if hasattr(driver, "interrupt"):  # SQLite: the transaction is rolled back
            with self.lock:
                if self.open:
                    try:
                        driver.rollback()
                    except self._errors(driver):
                        pass  # the function closed it, which rolls back too
        elif hasattr(
            driver, "cancel_safe"
        ):  # psycopg: the statement is cancelled, the server sees to the rest
            try:
                driver.cancel_safe(timeout=5.0)
            except self._errors(driver):
                pass  # lost meanwhile

    @staticmethod
    def _errors(driver: Any) -> Any:
        return getattr(type(driver), "Error", Exception)


class Jobs:
    """A pool of threads, each with its own connection, that runs functions of a session.

    ``write``: each function runs in a transaction that is committed when it returns and rolled back when
    it raises. Otherwise it only reads.
    """

    def __init__(
        self, name: str, clock: Clock, connections: Connections, threads: int, *, write: bool
    ) -> None:
        self.name = name
        self.stuck = 0
        self._clock = clock
        self._connections = connections
        self._write = write
        self._pool = ThreadPool(threads)
        self._threads = threads
        self._janitor = ThreadPool(1)
        self._closed = False
        self._sqlite = connections.engine.dialect.name == "sqlite"
        engine = connections.engine
        event.listen(engine, "before_cursor_execute", _before_statement)
        event.listen(engine, "after_cursor_execute", _after_statement)
        event.listen(engine, "handle_error", _failed_statement)

    def run(self, function: Callable[[Session], T], timeout: float) -> T:
        """``function(session)`` in a thread; its result when that is committed.

        Raises what the function raises. :class:`StoreTimeout` when ``timeout`` seconds passed: nothing was
        changed, and nothing will be. :class:`Pending` when they passed in the midst of the commit.
        :class:`StoreDown` when the database can't be used.
        """
        if self._closed:
            raise StoreError("the store is closed")
        job = _Job()
        decided = False
        try:
            with self._clock.timeout(timeout) as mine:
                return self._clock.blocking(self._pool, self._in_thread, job, function, timeout)
        except TimeUp as up:
            if up is not mine:
                raise
            decided = True
            if self._abandon(job):
                raise StoreTimeout(f"the database did not answer within {timeout:g} s") from None
            raise Pending(f"a commit was under way when {timeout:g} s had passed") from None
        except DBAPIError as error:
            if not self._write and wrote_in_a_read(error):
                raise StoreError("a function that reads tried to write") from error
            if not is_outage(error):
                raise
            if job.won and self._write:
                raise Pending(f"the database was lost in the midst of a commit: {one_line(error)}") from error
            raise StoreDown(f"the database can't be used: {one_line(error)}") from error
        finally:
            if not decided and not job.finished:
                self._abandon(job)  # this greenlet was killed, or an outer time limit passed

    def close(self) -> None:
        """Let the threads end. Those that are stuck are left behind; they die with the process."""
        self._closed = True
        for _ in range(100):
            if not len(self._pool):
                break
            self._clock.sleep(0)  # a job whose result was just given may still be putting its things away
        if not len(self._pool):
            self._clock.end_threads(self._pool)
            self._connections.close()
            self._clock.end_threads(self._janitor)

    # -- in the thread --------------------------------------------------------------------------

    def _in_thread(self, job: _Job, function: Callable[[Session], T], timeout: float) -> T:
        job.started = True
        try:
            if job.abandoned:
                raise Abandoned
            return self._transaction(job, function, timeout)
        finally:
            with job.lock:
                job.finished = True
                if not job.won and not job.claim():
                    self._connections.drop()
                    self._pool.hub.loop.run_callback_threadsafe(self._came_back)

    def _transaction(self, job: _Job, function: Callable[[Session], T], timeout: float) -> T:
        connection = self._connections.get()
        try:
            if self._sqlite:
                wait = int(min(BUSY_SECONDS, timeout) * 1000)
                connection.connection.dbapi_connection.execute(f"PRAGMA busy_timeout={wait}")  # type: ignore[union-attr]
            job.use(connection)
            with connection.begin() as transaction:
                # The handler's own commit() only flushes: rows and key become true together, or not at all.
                with Session(
                    connection, expire_on_commit=False, join_transaction_mode="rollback_only"
                ) as session:
                    try:
                        result = function(session)
                    finally:
                        job.leave()
                    session.flush()
                    if not transaction.is_active:
                        raise StoreError("the handler rolled its transaction back and then went on")
                    if not job.claim():
                        raise Abandoned
                    job.won = True
                    if not self._write:
                        transaction.rollback()
                return result
        except SQLAlchemyError as error:
            job.leave()  # it may be the very BEGIN that failed, before the function ran
            if is_outage(error):
                self._connections.drop()
            raise
        finally:
            if not connection.closed and not connection.invalidated:
                connection.info.pop("job", None)

    # -- on the hub -------------------------------------------------------------------------------

    def _abandon(self, job: _Job) -> bool:
        """True when ``job`` will change nothing; False when its commit is under way."""
        if not job.claim():
            return False
        job.abandoned = True
        if job.started and not job.finished:
            job.interrupt()
            self._janitor.spawn(job.undo)
        self.stuck += 1
        self._resize()
        log.warning("store.job_abandoned", pool=self.name, stuck=self.stuck)
        return True

    def _came_back(self) -> None:
        self.stuck -= 1
        self._resize()

    def _resize(self) -> None:
        if not self._closed:
            self._pool.maxsize = self._threads + min(self.stuck, MAX_STUCK)


def _before_statement(connection: Connection, *_rest: object) -> None:
    job = connection.info.get("job")
    if job is not None:
        job.before_statement()


def _after_statement(connection: Connection, *_rest: object) -> None:
    job = connection.info.get("job")
    if job is not None:
        job.after_statement()


def _failed_statement(context: ExceptionContext) -> None:
    connection = context.connection
    if connection is not None and not connection.closed and not connection.invalidated:
        job = connection.info.get("job")
        if job is not None:
            job.after_statement()
