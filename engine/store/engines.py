"""How the database is opened, and how its errors are told apart.

Each thread that talks to the database owns one connection (``Connections``): no pool, no lock between
threads. SQLite runs in WAL mode: readers never wait for the writer, nor it for them.

Transactions are begun by us and not by the driver: ``BEGIN IMMEDIATE`` where rows will be written, so
that a writer waits its turn at the start and can't lose a race in its middle.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from gevent.monkey import get_original
from sqlalchemy import NullPool, create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from engine.errors import StoreError
from engine.store.columns import decode, serializer

DURABLE = True
"""Whether a commit outlives a loss of power. Off in tests (engine.testing): what they kill are processes."""
BUSY_SECONDS = 3.0  # how long a writer waits for another one before the database counts as locked

# sqlite3's primary result codes that speak of the database and not of the statement.
_SQLITE_OUTAGES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
    }
)
# SQLSTATE classes of PostgreSQL that do so: connection, transaction rollback (serialization, deadlock),
# resources, operator intervention, system error, and what it says in recovery.
_POSTGRES_OUTAGES = ("08", "40", "53", "57", "58", "25006")


def read_url(url: str) -> URL:
    """``url`` as SQLAlchemy's, or a :class:`StoreError` that says what is wrong with it."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(f"the database url can't be read: {url.split('@')[-1]}") from None
    name = parsed.get_backend_name()
    if name == "sqlite":
        if parsed.database in (None, "", ":memory:") or "mode=memory" in url:
            raise StoreError("a database in memory can't be shared by threads: give sqlite:///<file>")
    elif name != "postgresql":
        raise StoreError(f"the store runs on SQLite or PostgreSQL, not on {name}")
    return parsed


def make_engine(url: URL, *, write: bool, sync: bool = True, foreign: bool = False) -> Engine:
    """An engine for threads that write (``sync``: a commit waits for the disk) or only read.

    ``foreign``: the database is somebody else's, so the way in which it keeps its journal is left as it is."""
    sqlite = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any]
    if sqlite:
        arguments = {"check_same_thread": False, "timeout": BUSY_SECONDS, "isolation_level": None}
    else:
        arguments = {
            "connect_timeout": 5,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
            "application_name": "insideline",
            # A handler that hangs between two statements gives its locks back after a minute.
            "options": "-c idle_in_transaction_session_timeout=60000",
        }
    try:
        engine = create_engine(
            url,
            poolclass=NullPool,
            connect_args=arguments,
            json_serializer=serializer,
            json_deserializer=decode,
        )
    except ImportError as error:
        raise StoreError(f"the driver for {url.get_backend_name()} is not installed: {error}") from None
    if sqlite:

        def connected(connection: sqlite3.Connection, _record: object) -> None:
            run = connection.execute
            run("PRAGMA foreign_keys=ON")
            if write and not foreign:
                run("PRAGMA journal_mode=WAL")
            if write:
                run("PRAGMA synchronous=" + (("FULL" if sync else "NORMAL") if DURABLE else "OFF"))
            else:
                run("PRAGMA query_only=ON")

        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

        event.listen(engine, "connect", connected)
        event.listen(engine, "begin", begin)
    else:

        def connected_to_server(connection: Any, _record: object) -> None:
            # The driver made a lock of gevent's; this connection belongs to one thread (see threads.py).
            connection.lock = get_original("_thread", "allocate_lock")()
            if not write:
                connection.read_only = True

        event.listen(engine, "connect", connected_to_server)
    return engine


def is_outage(error: SQLAlchemyError) -> bool:
    """True when the database could not be used; False when it refused this very row or statement."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    origin = error.orig
    code = getattr(origin, "sqlite_errorcode", None)
    if code is not None:
        return (code & 0xFF) in _SQLITE_OUTAGES
    state = getattr(origin, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_POSTGRES_OUTAGES)
    return isinstance(error, (OperationalError, InterfaceError))


def wrote_in_a_read(error: DBAPIError) -> bool:
    """True when a statement of a reading connection tried to write."""
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return (code & 0xFF) == sqlite3.SQLITE_READONLY or getattr(error.orig, "sqlstate", "") == "25006"


def one_line(error: BaseException) -> str:
    """What happened in the database's own words, on one line, without the statement and its values."""
    origin = getattr(error, "orig", None) or error
    return " ".join(str(origin).split()) or type(origin).__name__


def folder_of(url: URL) -> Path | None:
    """The folder of an SQLite file, made if it is missing; None for a database elsewhere."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    folder = Path(url.database).resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder of the database can't be made: {error}") from None
    return folder


class Connections:
    """One connection for each thread that asks, kept until it breaks."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # gevent's own thread-local is greenlet-local; ours must follow the native threads of a pool.
        self._mine: Any = get_original("threading", "local")()
        self._all: list[Connection] = []

    def warm(self) -> None:
        """Connect once, before there are several threads: what SQLAlchemy does at an engine's first connection
        it does under a lock, and that is gevent's, over which native threads can wait for ever."""
        self.engine.connect().close()

    def get(self) -> Connection:
        """This thread's connection; :class:`sqlalchemy.exc.SQLAlchemyError` when there is none to be had."""
        connection: Connection | None = getattr(self._mine, "connection", None)
        if connection is not None and not self._answers(connection):
            self.drop()
            connection = None
        if connection is None or connection.closed:
            connection = self.engine.connect()
            self._mine.connection = connection
            self._all.append(connection)
        return connection

    def _answers(self, connection: Connection) -> bool:
        """False when a server went away since, as one that was started anew has: asked before work begins, so that
        nothing that was begun is lost by it (some 0.1 ms). A file is always there."""
        if self.engine.dialect.name == "sqlite" or connection.closed:
            return True
        driver = connection.connection.dbapi_connection if not connection.invalidated else None
        if driver is None:
            return False
        try:
            return bool(self.engine.dialect.do_ping(driver))
        except self.engine.dialect.loaded_dbapi.Error:
            return False

    def drop(self) -> None:
        """Close this thread's connection: the next ``get`` makes a new one."""
        connection: Connection | None = getattr(self._mine, "connection", None)
        self._mine.connection = None
        if connection is not None:
            self._all.remove(connection)
            _discard(connection)

    def close(self) -> None:
        """Close what is left of all threads. None of them may be at work."""
        while self._all:
            _discard(self._all.pop())


def _discard(connection: Connection) -> None:
    try:
        connection.invalidate()
        connection.close()
    except SQLAlchemyError:
        pass  # it was broken already; what matters is that nobody uses it again
