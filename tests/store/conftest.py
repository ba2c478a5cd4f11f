"""A store on a database of its own, on the virtual clock or (where threads must really wait) on the real one.

Tests run on SQLite and on PostgreSQL. What is only SQLite's (a file that another program locks, a plan that it
explains) says so (``@pytest.mark.sqlite``), or asks for ``other``, a lock on the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.clock import Clock, VirtualClock
from engine.store import Store
from engine.testing.postgresql import PostgreSQL


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    yield clock
    clock.close()


class Alarms(list[tuple[str, bool, str]]):
    """Every alarm that began or ended."""

    def __call__(self, name: str, on: bool, detail: str) -> None:
        self.append((name, on, detail))

    @property
    def names(self) -> list[tuple[str, bool]]:
        return [(name, on) for name, on, _ in self]


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asks = set(metafunc.fixturenames)
    if "url" not in asks or "other" in asks or "postgresql_url" in asks:
        return
    if metafunc.definition.get_closest_marker("sqlite") or not metafunc.definition.module.__name__.startswith(
        "tests.store."
    ):
        return
    if any("url" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")):
        return
    both = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
    metafunc.parametrize("url", both, indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The database of the test."""
    if getattr(request, "param", "sqlite") == "postgresql":
        whole = not request.module.__name__.endswith("test_upgrades")
        return str(request.getfixturevalue("with_tables" if whole else "postgresql_url"))
    return f"sqlite:///{tmp_path}/il.db"


@pytest.fixture(scope="session")
def _with_tables(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = postgresql.make_database()
    store = Store(url, Clock(), tmp_path_factory.mktemp("tables"))
    store.upgrade()
    store.close()
    return url


@pytest.fixture
def with_tables(postgresql: PostgreSQL, _with_tables: str) -> Iterator[str]:
    """A database on PostgreSQL that has the core's tables already, which takes a tenth of making them."""
    url = postgresql.make_database(like=_with_tables)
    yield url
    postgresql.drop_database(url)


@pytest.fixture
def make_store(tmp_path: Path, url: str, clock: Clock, alarms: Alarms) -> Iterator[Callable[..., Store]]:
    """Makes and opens stores on one database; those that a test leaves open are closed."""
    made: list[Store] = []

    def make(*, at: Clock | None = None, readonly: bool = False, **options: Any) -> Store:
        store = Store(url, at or clock, tmp_path, alarm=alarms, **options)
        made.append(store)
        store.open(readonly=readonly)
        return store

    yield make
    for store in made:
        store.close(2.0)


@pytest.fixture
def store(make_store: Callable[..., Store]) -> Store:
    return make_store()
