"""What the tests of the hooks share: a host on a virtual clock, plugins written to a folder, a database."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from gevent.threadpool import ThreadPool
from sqlalchemy import Column, MetaData, String, Table, create_engine, insert, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from engine.clock import Clock, TimeUp, VirtualClock
from engine.errors import LoginRefused, NotFound, StoreTimeout
from engine.hooks.departments import Departments
from engine.hooks.host import Host
from engine.types import AgentState, AgentView, CallState, CallView


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    yield clock
    clock.close()


@pytest.fixture
def host(clock: VirtualClock) -> Iterator[Host]:
    host = Host(clock, deadline=5.0, most=3)
    yield host
    host.stop()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a plugin's files: ``write("warranty", plugin="…", models="…")`` -> the plugins folder."""

    def write(name: str, **files: str) -> Path:
        folder = tmp_path / "plugins" / name
        folder.mkdir(parents=True, exist_ok=True)
        for stem, text in files.items():
            path = folder / f"{stem.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return folder.parent

    return write


@pytest.fixture
def call() -> CallView:
    return CallView(
        id="c1",
        number="+8613800000001",
        dialled="8004",
        state=CallState.FLOW,
        flow="logistics/main",
        answered=datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
    )


@pytest.fixture
def agent() -> AgentView:
    return AgentView("8012", "Li Na", "1001", AgentState.TALKING, datetime(2026, 11, 23, 1, 0, tzinfo=UTC))


class OneDatabase:
    """The promises of the store that the departments build on, over SQLite in memory and worker threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pool = ThreadPool(8)
        self.engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        self._deeds = Table(
            "deeds", MetaData(), Column("key", String, primary_key=True), Column("result", String)
        )
        self._deeds.metadata.create_all(self.engine)
        self.results: dict[str, Any] = {}

    def read(self, work: Callable[[Session], Any], timeout: float) -> Any:
        def run() -> Any:
            with Session(self.engine) as session:
                return work(session)

        return self._within(run, timeout)

    def deed(self, key: str, department: str, work: Callable[[Session], Any], timeout: float) -> Any:
        def run() -> Any:
            with Session(self.engine) as session:
                if session.execute(select(self._deeds).where(self._deeds.c.key == key)).first():
                    return self.results[key]
                result = work(session)
                session.execute(insert(self._deeds).values(key=key))
                session.commit()
                self.results[key] = result
                return result

        return self._within(run, timeout)

    def _within(self, run: Callable[[], Any], timeout: float) -> Any:
        try:
            with self._clock.timeout(timeout) as mine:
                return self._clock.blocking(self._pool, run)
        except TimeUp as up:
            if up is not mine:
                raise
            raise StoreTimeout("too long") from None

    def close(self) -> None:
        self._pool.kill()
        self.engine.dispose()


class FewAgents:
    """Agents for handlers over "engine"."""

    def __init__(self) -> None:
        self.log: list[tuple[str, ...]] = []

    def login(self, agent: str, pin: str | None = None, phone: str | None = None) -> AgentView:
        if agent != "8012":
            raise NotFound(f"there is no agent {agent}")
        if pin != "2580":
            raise LoginRefused("wrong_pin", "the PIN is wrong")
        self.log.append(("login", agent))
        return self._view(agent, AgentState.READY)

    def logout(self, agent: str) -> AgentView:
        return self._view(agent, AgentState.LOGGED_OUT)

    def ready(self, agent: str) -> AgentView:
        return self._view(agent, AgentState.READY)

    def pause(self, agent: str, reason: str) -> AgentView:
        return self._view(agent, AgentState.PAUSED)

    def _view(self, agent: str, state: AgentState) -> AgentView:
        return AgentView(agent, "Li Na", "1001", state, datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture
def real() -> Clock:
    """The real clock, for what waits for threads that never end."""
    return Clock()


@pytest.fixture
def at_work(clock: VirtualClock) -> Iterator[Callable[..., SimpleNamespace]]:
    """Departments at work: ``at_work(department, …, on=clock, systems={})`` -> .ask, .do, .database, .agents."""
    opened: list[OneDatabase] = []

    def start(
        *departments: Any, on: Clock | None = None, systems: Mapping[str, str] | None = None
    ) -> SimpleNamespace:
        database = OneDatabase(on or clock)
        opened.append(database)
        agents = FewAgents()
        runtime = Departments(
            departments,
            clock=on or clock,
            store=database,
            agents=agents,
            timezone=ZoneInfo("Asia/Shanghai"),
            systems=systems,
        )
        return SimpleNamespace(
            ask=runtime.ask,
            do=runtime.do,
            known=runtime.known,
            runtime=runtime,
            database=database,
            agents=agents,
        )

    yield start
    for database in opened:
        database.close()
