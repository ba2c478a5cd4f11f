"""A store on a file of its own, on the virtual clock or (where threads must really wait) on the real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.clock import Clock, VirtualClock
from engine.store import Store


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


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/il.db"


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
