"""A company's own database behind a department's sql adapter: by URL, and by a map of its tables and columns.

Functions of a session run in worker threads, as those of the engine's own database do (jobs.py). It is somebody
else's: nothing is created there. Where its tables have other names, each connection gets temporary views under the
names that the department's code knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from gevent.threadpool import ThreadPool
from sqlalchemy import NullPool, create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import StoreDown, StoreError
from engine.store.columns import decode, serializer
from engine.store.engines import Connections, make_engine, one_line
from engine.store.jobs import Jobs

T = TypeVar("T")

#: The table there, by the name of the table here.
Tables = Mapping[str, "Mapped"]


class Mapped:
    """A table of somebody else's: its name there, and its columns there by their names here."""

    __slots__ = ("columns", "table")

    def __init__(self, table: str, columns: Mapping[str, str]) -> None:
        self.table = table
        self.columns = dict(columns)


class ForeignDatabase:
    """One database of the company. It is connected to when it is first asked, and again when it was lost."""

    def __init__(
        self, name: str, url: str, clock: Clock, *, tables: Tables | None = None, threads: int = 4
    ) -> None:
        """:class:`StoreError` when the URL can't be used (no such driver, no URL)."""
        self.name = name
        self._clock = clock
        self._tables = dict(tables or {})
        self._threads = threads
        try:
            self._url = make_url(url)
            self._engines = {write: self._engine(self._url, write) for write in (False, True)}
        except ArgumentError:
            raise StoreError(f"{name}: this is no URL of a database") from None
        except ImportError as error:
            raise StoreError(f"{name}: the driver for its database is not installed ({error.name})") from None
        self._jobs: dict[bool, Jobs] = {}
        self._admin = ThreadPool(1)

    def read(self, function: Callable[[Session], T], timeout: float) -> T:
        """``function(session)``; rolled back afterwards. Raises as :meth:`engine.store.store.Store.read`."""
        return self._jobs_for(False, timeout).run(function, timeout)

    def work(self, function: Callable[[Session], T], timeout: float) -> T:
        """``function(session)`` in one transaction. Raises as :meth:`engine.store.store.Store.work`."""
        return self._jobs_for(True, timeout).run(function, timeout)

    def close(self) -> None:
        """Close every connection."""
        jobs, self._jobs = self._jobs, {}
        for one in jobs.values():
            one.close()
        self._clock.end_threads(self._admin)

    def _jobs_for(self, write: bool, timeout: float) -> Jobs:
        jobs = self._jobs.get(write)
        if jobs is None:
            connections = Connections(self._engines[write])
            try:
                self._clock.blocking(self._admin, connections.warm)
            except SQLAlchemyError as error:
                raise StoreDown(f"{self.name} can't be reached: {one_line(error)}") from error
            jobs = self._jobs.get(write)  # somebody else may have made them while we waited
            if jobs is None:
                threads = 1 if write and self._url.get_backend_name() == "sqlite" else self._threads
                jobs = self._jobs[write] = Jobs(self.name, self._clock, connections, threads, write=write)
        return jobs

    def _engine(self, url: URL, write: bool) -> Engine:
        if url.get_backend_name() in ("sqlite", "postgresql"):
            engine = make_engine(url, write=write, foreign=True)
        else:
            engine = create_engine(
                url, poolclass=NullPool, json_serializer=serializer, json_deserializer=decode
            )
        if self._tables:
            views = self._views(engine)

            def connected(connection: Any, _record: object) -> None:
                cursor = connection.cursor()
                for statement in views:
                    cursor.execute(statement)
                cursor.close()
                connection.commit()

            event.listen(engine, "connect", connected, insert=True)
        return engine

    def _views(self, engine: Engine) -> list[str]:
        quote = engine.dialect.identifier_preparer.quote
        made = []
        for name, there in self._tables.items():
            columns = ", ".join(f"{quote(column)} AS {quote(here)}" for here, column in there.columns.items())
            source = ".".join(quote(part) for part in there.table.split("."))
            made.append(f"CREATE TEMPORARY VIEW {quote(name)} AS SELECT {columns or '*'} FROM {source}")
        return made
