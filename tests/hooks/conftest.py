"""What the tests of the hooks share: a host on a virtual clock, plugins written to a folder, departments at work."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.clock import Clock, VirtualClock
from engine.errors import LoginRefused, NotFound
from engine.hooks.departments import Departments
from engine.hooks.host import Host
from engine.store.store import Store
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

    def agent(self, agent: str) -> AgentView:
        return self._view(agent, AgentState.READY)

    def disposition(self, agent: str, code: str) -> AgentView:
        return self._view(agent, AgentState.READY)

    def agent_on(self, phone: str) -> AgentView | None:
        return self._view("8012", AgentState.READY) if phone == "1001" else None

    def _view(self, agent: str, state: AgentState) -> AgentView:
        return AgentView(agent, "Li Na", "1001", state, datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture
def real() -> Clock:
    """The real clock, for what waits for threads that never end."""
    return Clock()


@pytest.fixture
def at_work(clock: VirtualClock, tmp_path: Path) -> Iterator[Callable[..., SimpleNamespace]]:
    """Departments at work on a store of their own: ``at_work(department, …, on=clock, systems={})``."""
    opened: list[Store] = []

    def start(
        *departments: Any, on: Clock | None = None, systems: Mapping[str, str] | None = None
    ) -> SimpleNamespace:
        folder = tmp_path / f"store{len(opened)}"
        store = Store(f"sqlite:///{folder}/centre.db", on or clock, folder)
        store.open()
        opened.append(store)
        agents = FewAgents()
        runtime = Departments(
            departments,
            clock=on or clock,
            store=store,
            agents=agents,
            timezone=ZoneInfo("Asia/Shanghai"),
            systems=systems,
        )
        return SimpleNamespace(
            ask=runtime.ask,
            do=runtime.do,
            known=runtime.known,
            runtime=runtime,
            store=store,
            agents=agents,
        )

    yield start
    for store in opened:
        store.close()
