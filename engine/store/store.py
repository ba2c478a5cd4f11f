"""The store: the only one who opens the database.

store = Store(url, clock, folder=var)
store.open()
store.journal(entry)                                   # never blocks, never fails: see writer.py
rows = store.read(lambda s: queries.cdrs(s), timeout=2)
order = store.deed(key, "orders", place, timeout=3)    # exactly once: see deeds.py
store.close()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from itertools import count
from pathlib import Path
from typing import Any, TypeVar, overload

import structlog
from gevent.threadpool import ThreadPool
from pydantic import TypeAdapter
from sqlalchemy import JSON, Table, func, insert, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, configure_mappers

from engine.clock import Clock
from engine.errors import Pending, StoreDown, StoreError
from engine.store import all_tables, deeds, queries, tables
from engine.store.columns import Encoded, encode
from engine.store.engines import Connections, folder_of, make_engine, one_line, read_url
from engine.store.jobs import Jobs
from engine.store.rows import AgentRow, Cdr, DeedRow, Health
from engine.store.spool import Spool
from engine.store.statements import ADD, CHANGE, DROP, PUT, Row, tables_of
from engine.store.threads import settle_locks
from engine.store.upgrades import Change, DepartmentTables, Upgrades
from engine.store.writer import Alarm, Database, Writer
from engine.types import JournalEntry

T = TypeVar("T")

log = structlog.get_logger(__name__)

# A journal id is (run << 36) + number in the run: 68 thousand million rows in a run, and exact in
# JavaScript and jq (2**53) for 131,000 runs.
RUN_SHIFT = 36
READERS = 4
# Threads for transactions. SQLite has one writer at a time: more threads would only poll for their turn.
WORKERS = {"sqlite": 1, "postgresql": 4}
LOOK = 2.0  # seconds for the store's own small reads
CATCH_UP = 10.0  # seconds that ``open`` gives to the replay of what an earlier run could not write

_CDR_FIELDS = frozenset(field.name for field in fields(Cdr))


class Store:
    """One database, for one engine (or for one command that looks into it).

    ``url``: ``sqlite:///<file>`` or ``postgresql://…``. ``folder``: where the spool lives. ``node`` names
    the engine in the table of runs. ``alarm(name, on, detail)`` is called on the hub when an alarm begins
    and when it is over: ``store.down`` ``store.spool_failed`` ``store.rows_lost`` ``store.rows_refused``.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        folder: Path,
        *,
        node: str = "",
        departments: Sequence[DepartmentTables] = (),
        alarm: Alarm | None = None,
    ) -> None:
        self.url = read_url(url)
        self.run = 0
        self._clock = clock
        self._folder = folder
        self._node = node
        self._departments = tuple(departments)
        self._alarm = alarm
        self._upgrades = Upgrades(departments)
        self._admin = ThreadPool(1)
        self._numbers = count(1)
        self._writer: Writer | None = None
        self._readers: Jobs | None = None
        self._workers: Jobs | None = None
        self._writer_connections: Connections | None = None
        self._json_columns: dict[str, frozenset[str]] = {}

    # -- life -------------------------------------------------------------------------------------

    def open(self, *, readonly: bool = False) -> None:
        """Connect; create a database that is empty; replay what an earlier run left in the spool.

        ``readonly`` is for commands beside a running engine: nothing but ``read`` works then.
        :class:`StoreError` when the database is older than this program (it asks for ``insideline db
        upgrade``), newer, not reachable, or not there (``readonly``).
        """
        folder_of(self.url)
        self._prepare(alembic=False)
        if readonly and self.url.get_backend_name() == "sqlite" and not Path(str(self.url.database)).exists():
            raise StoreError(f"there is no database {self.url.database} yet: `insideline run` makes one")
        if readonly:
            if not self._administer(self._upgrades.settled, write=False):
                self._upgrades.load()
                self._administer(self._look_only, write=False)
            self._readers = Jobs("read", self._clock, self._connect(write=False), READERS, write=False)
            return
        self.run = self._administer(self._go_on)
        if not self.run:
            self._upgrades.load()
            self.run = self._administer(self._begin_run)
        self._readers = Jobs("read", self._clock, self._connect(write=False), READERS, write=False)
        workers = WORKERS[self.url.get_backend_name()]
        self._workers = Jobs("work", self._clock, self._connect(write=True), workers, write=True)
        self._writer_connections = self._connect(write=True)
        every = tables_of(
            all_tables.metadata, *(item.metadata for item in self._departments if item.metadata is not None)
        )
        spool = Spool(self._folder / "spool", self.run, every)
        self._clock.blocking(self._admin, spool.open)
        self._writer = Writer(self._clock, Database(self._writer_connections), spool, alarm=self._alarm)
        log.info("store.open", run=self.run, database=self.url.render_as_string())
        self._writer.log_notes()
        if not spool.empty:
            self._writer.start_with_backlog("replaying what an earlier run could not write")
            if not self._writer.catch_up(CATCH_UP):
                log.warning("store.still_replaying", left=spool.bytes)

    def upgrade(self) -> list[Change]:
        """Bring the tables to what this program wants, all or nothing; what changed, for people."""
        folder_of(self.url)
        self._prepare()
        return self._administer(lambda connection: self._upgrades.upgrade(connection, self._clock.now()))

    def pending_upgrades(self) -> list[Change]:
        """What ``upgrade`` would do to an existing database; nothing is created for it."""
        if self.url.get_backend_name() == "sqlite" and not Path(str(self.url.database)).exists():
            return []

        self._prepare()

        def look(connection: Connection) -> list[Change]:
            return [] if self._upgrades.is_new(connection) else self._upgrades.pending(connection)

        return self._administer(look)

    def is_empty(self) -> bool:
        """True when the database is there and holds nothing yet."""
        self._prepare()
        return self._administer(self._upgrades.is_new)

    def server(self) -> str:
        """Which database this is, with its version and its driver's: ``PostgreSQL 15.6, psycopg 3.3.9``."""
        self._prepare()

        def look(connection: Connection) -> str:
            dialect = connection.dialect
            version = ".".join(str(part) for part in dialect.server_version_info or ())
            if dialect.name == "sqlite":
                return f"SQLite {version}"
            driver = dialect.loaded_dbapi
            return f"PostgreSQL {version}, {dialect.driver} {getattr(driver, '__version__', '')}".strip()

        return self._administer(look, write=False)

    def close(self, timeout: float = 5.0) -> bool:
        """Write what is left and let go; False when something could not be made safe in ``timeout`` seconds."""
        safe = True
        if self._writer is not None:
            safe = self._writer.close(timeout)
            if safe and not self._writer.health().spooling:
                try:
                    self._administer(self._end_run)
                except StoreError as error:
                    log.warning("store.end_not_recorded", reason=str(error))
            self._writer = None
            if self._writer_connections is not None and safe:
                self._writer_connections.close()
        for jobs in (self._readers, self._workers):
            if jobs is not None:
                jobs.close()
        self._readers = self._workers = None
        self._clock.end_threads(self._admin)
        return safe

    def health(self) -> Health:
        """How the store does at this moment."""
        stuck = sum(jobs.stuck for jobs in (self._readers, self._workers) if jobs is not None)
        return self._open_writer().health(stuck)

    # -- rows: on the hub, at once ------------------------------------------------------------------

    def journal(self, entry: JournalEntry) -> None:
        """Keep what happened. Returns at once; the row is on its way (see ``flush``)."""
        self._open_writer().put(
            Row(
                ADD,
                tables.journal,
                {
                    "id": (self.run << RUN_SHIFT) + next(self._numbers),
                    "at": entry.at,
                    "kind": entry.kind,
                    "call": entry.call,
                    "agent": entry.agent,
                    "queue": entry.queue,
                    "data": encode(entry.data) if entry.data else None,
                },
            )
        )

    def cdr(self, row: Cdr | Mapping[str, Any]) -> None:
        """Keep a call that is over, once per call. Keys of a mapping that no column has go into ``data``."""
        if isinstance(row, Cdr):
            values = {name: getattr(row, name) for name in _CDR_FIELDS}
        else:
            values = {name: value for name, value in row.items() if name in _CDR_FIELDS}
            more = {name: value for name, value in row.items() if name not in _CDR_FIELDS}
            if more:
                values["data"] = {**(values.get("data") or {}), **more}
        self.save(tables.cdr, values.pop("call"), values)

    def save(self, table: Table, key: Any, values: Mapping[str, Any]) -> None:
        """Insert the row ``key``, or change the given columns of it. For a key of several columns: a mapping.

        ValueError for a column that the table does not have.
        """
        self._put(PUT, table, key, values)

    def change(self, table: Table, key: Any, values: Mapping[str, Any]) -> None:
        """Change the given columns of the row ``key``, if it is there."""
        self._put(CHANGE, table, key, values)

    def remove(self, table: Table, key: Any) -> None:
        """Delete the row ``key``, if it is there."""
        self._open_writer().put(Row(DROP, table, self._key(table, key)))

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until every row so far survives a crash (in the database, or in the spool); False: not in time."""
        return self._open_writer().flush(timeout)

    def caught_up(self, timeout: float = 5.0) -> bool:
        """Wait until nothing is spooled any more and the database holds everything; False: not in time."""
        writer = self._open_writer()
        return writer.flush(timeout) and writer.catch_up(timeout)

    # -- functions of a session: in threads ---------------------------------------------------------

    def read(self, function: Callable[[Session], T], timeout: float) -> T:
        """``function(session)`` on a reading connection. It must return plain values, no live ORM objects.

        :class:`StoreTimeout` after ``timeout`` seconds; :class:`StoreDown` when the database is away.
        """
        if self._readers is None:
            raise StoreError("the store is not open")
        return self._readers.run(function, timeout)

    def work(self, function: Callable[[Session], T], timeout: float) -> T:
        """``function(session)`` in one transaction, committed when it returns, rolled back when it raises.

        Raises as ``read``; after :class:`StoreTimeout` nothing was changed, and nothing will be.
        :class:`Pending` when the time was up in the midst of the commit.
        """
        if self._workers is None:
            raise StoreError("the store is not open for writing")
        return self._workers.run(function, timeout)

    @overload
    def deed(
        self,
        key: str,
        department: str,
        function: Callable[[Session], Any],
        timeout: float,
        *,
        returns: TypeAdapter[T],
    ) -> T: ...
    @overload
    def deed(self, key: str, department: str, function: Callable[[Session], Any], timeout: float) -> Any: ...
    def deed(
        self,
        key: str,
        department: str,
        function: Callable[[Session], Any],
        timeout: float,
        *,
        returns: TypeAdapter[T] | None = None,
    ) -> T | Any:
        """Do something exactly once: ``function``'s rows and ``key`` become true together, or neither does.

        When ``key`` is known, the stored result is returned and ``function`` does not run. The result goes
        through JSON, the first time too; ``returns`` makes its type of it again.
        Raises what ``function`` raises (:class:`Refused` among it: nothing is kept then), and as ``work``.
        :class:`Pending` when it is not known whether the deed was done; ``deed_result`` tells later.
        """
        now = self._clock.now()
        try:
            state, result, _ = self.work(
                lambda session: deeds.do(session, key, department, now, _dumped(function, returns)), timeout
            )
        except Pending:
            known = self._settled_meanwhile(key)
            if known is None:
                raise
            state, result = known.state, known.result
        if state != deeds.DONE:
            raise Pending(f"the deed {key} was sent, and its answer is not known")
        return result if returns is None else returns.validate_python(result)

    def deed_result(self, key: str, timeout: float = LOOK) -> DeedRow | None:
        """What is known of a deed; None: it was not done (unless it is being done at this moment)."""
        return self.read(lambda session: deeds.find(session, key), timeout)

    def reserve_deed(self, key: str, department: str, timeout: float = LOOK) -> DeedRow | None:
        """Before a remote system is asked: None when the key is ours now, else what is known of the deed."""
        now = self._clock.now()
        return self.work(lambda session: deeds.reserve(session, key, department, now), timeout)

    def confirm_deed(self, key: str, result: Any, timeout: float = LOOK) -> Any:
        """The remote did it. Returns the result as stored (the first one, when there was one)."""
        now = self._clock.now()
        return self.work(lambda session: deeds.confirm(session, key, now, result), timeout)

    def release_deed(self, key: str, timeout: float = LOOK) -> bool:
        """The remote certainly did not do it: the key may be used again. False when it was not pending."""
        return self.work(lambda session: deeds.release(session, key), timeout)

    # -- small things that a restarted engine needs -----------------------------------------------

    def save_call_state(self, call: str, data: Mapping[str, Any]) -> None:
        """Keep a call's large variables. ``flush`` before the channel's own state refers to them."""
        self.save(tables.call_state, call, {"data": data, "at": self._clock.now()})

    def load_call_state(self, call: str, timeout: float = LOOK) -> dict[str, Any] | None:
        """A call's large variables as last saved; None when there are none."""
        self.flush(timeout)
        return self.read(lambda session: queries.call_state(session, call), timeout)

    def drop_call_state(self, call: str) -> None:
        """Forget a call's variables: it is over."""
        self.remove(tables.call_state, call)

    def put_flow_set(self, hash: str, data: bytes, timeout: float = LOOK) -> None:
        """Keep a compiled flow set; when this returns, a call may begin with it."""
        now = self._clock.now()

        def put(session: Session) -> None:
            table = tables.flow_sets
            if session.execute(select(table.c.hash).where(table.c.hash == hash)).first() is None:
                session.execute(insert(table).values(hash=hash, data=data, at=now))

        self.work(put, timeout)

    def get_flow_set(self, hash: str, timeout: float = LOOK) -> bytes | None:
        """A compiled flow set, or None."""
        return self.read(lambda session: queries.flow_set(session, hash), timeout)

    def save_agent(self, row: AgentRow) -> None:
        """Keep an agent's state."""
        values = asdict(row)
        self.save(tables.agent_states, values.pop("agent"), values)

    def load_agents(self, timeout: float = LOOK) -> list[AgentRow]:
        """The last known state of every agent."""
        self.flush(timeout)
        return self.read(queries.agents, timeout)

    # -- inside -----------------------------------------------------------------------------------

    def _prepare(self, *, alembic: bool = True) -> None:
        """What must not be done for the first time in a thread: see threads.py."""
        settle_locks()
        configure_mappers()
        if alembic:
            self._upgrades.load()

    def _administer(self, function: Callable[[Connection], T], *, write: bool = True) -> T:
        """``function(connection)`` in one transaction on a connection of its own."""

        def run() -> T:
            engine = make_engine(self.url, write=write)
            try:
                with engine.begin() as connection:
                    return function(connection)
            except SQLAlchemyError as error:
                where = self.url.render_as_string()
                raise StoreDown(f"the database {where} can't be used: {one_line(error)}") from error
            finally:
                engine.dispose()

        return self._clock.blocking(self._admin, run)

    def _connect(self, *, write: bool) -> Connections:
        connections = Connections(make_engine(self.url, write=write))
        try:
            self._clock.blocking(self._admin, connections.warm)
        except SQLAlchemyError as error:
            raise StoreDown(f"the database can't be used: {one_line(error)}") from error
        return connections

    def _look_only(self, connection: Connection) -> None:
        if self._upgrades.is_new(connection):
            raise StoreError(f"the database {self.url.database} is empty: `insideline run` fills it")
        self._upgrades.check(connection)

    def _go_on(self, connection: Connection) -> int:
        """The number of a new run where the tables are known to be as they should; else 0, and nothing is done."""
        return self._number_run(connection) if self._upgrades.settled(connection) else 0

    def _begin_run(self, connection: Connection) -> int:
        """The same, but for the tables: those that are not there yet are made."""
        now = self._clock.now()
        if self._upgrades.is_new(connection) or self._upgrades.check(connection):
            for change in self._upgrades.upgrade(connection, now):
                log.info("store.tables_created", owner=change.owner, version=change.now)
        run = self._number_run(connection)
        self._upgrades.settle(connection, now)  # below the lock: two engines may start at once
        return run

    def _number_run(self, connection: Connection) -> int:
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE runs IN EXCLUSIVE MODE"))  # SQLite has us alone already
        # Above the journal's ids and the spool's too: a database that was restored from a backup must not
        # give the numbers of rows that it has forgotten, or that still lie in the spool, to new ones.
        known = connection.execute(select(func.max(tables.runs.c.id))).scalar() or 0
        journal = connection.execute(select(func.max(tables.journal.c.id))).scalar() or 0
        run: int = max(known, journal >> RUN_SHIFT, _spooled_run(self._folder / "spool")) + 1
        connection.execute(insert(tables.runs).values(id=run, node=self._node, began=self._clock.now()))
        return run

    def _end_run(self, connection: Connection) -> None:
        connection.execute(
            update(tables.runs).where(tables.runs.c.id == self.run).values(ended=self._clock.now())
        )

    def _settled_meanwhile(self, key: str) -> DeedRow | None:
        try:
            return self.deed_result(key)
        except StoreError:
            return None

    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise StoreError("the store is not open for writing")
        return self._writer

    def _put(self, verb: str, table: Table, key: Any, values: Mapping[str, Any]) -> None:
        row = self._key(table, key)
        row.update(values)
        if strange := row.keys() - table.columns.keys():
            raise ValueError(f"{table.name} has no column {min(strange)}")
        for name in self._json(table) & row.keys():
            value = row[name]
            if value is not None and type(value) is not Encoded:
                row[name] = encode(value)
        self._open_writer().put(Row(verb, table, row))

    def _key(self, table: Table, key: Any) -> dict[str, Any]:
        if isinstance(key, Mapping):
            return dict(key)
        (column,) = table.primary_key.columns
        return {column.name: key}

    def _json(self, table: Table) -> frozenset[str]:
        names = self._json_columns.get(table.name)
        if names is None:
            names = frozenset(column.name for column in table.columns if isinstance(column.type, JSON))
            self._json_columns[table.name] = names
        return names


def _dumped(function: Callable[[Session], Any], returns: TypeAdapter[Any] | None) -> Callable[[Session], Any]:
    if returns is None:
        return function
    return lambda session: returns.dump_python(function(session), mode="json")


def _spooled_run(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    return max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=0)
