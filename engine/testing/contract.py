"""One suite for every adapter of a contract.

::

    # plugins/logistics/tests/test_contract.py
    from engine.testing.contract import contract

    system = contract("WaybillSystem", today=date(2026, 11, 23))

    def test_an_unknown_number_is_none(system: Any) -> None:
        assert system.track("44019999", now=NOW) is None

Each test of the file runs on the sql adapter in SQLite, on the same in PostgreSQL (where the tests have one), on the
http adapter against a real server on this machine (:class:`~engine.testing.twin.Twin`, which serves the sql adapter),
and on what a company wrote itself (``own``). The tables hold the department's sample data.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, NullPool, StaticPool, create_engine
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.hooks.department import Adapter, Department
from engine.hooks.http import HttpClient
from engine.hooks.loading import load_folder
from engine.testing.twin import Twin

SQLITE, POSTGRESQL, HTTP = "sql on SQLite", "sql on PostgreSQL", "http"


def contract(
    name: str,
    department: Department | Path | None = None,
    *,
    today: date,
    own: Mapping[str, Callable[[], AbstractContextManager[Any]]] | None = None,
) -> Any:
    """A fixture that gives the adapter of the contract ``name``, of each kind in turn.

    ``department``: a department, or its folder (by default the one above the test's own). ``own``: further adapters by
    what tests shall call them, each as a context manager that gives one.
    """
    if department is None:
        department = Path(inspect.stack()[1].filename).parents[1]
    whose = load_folder(department).department if isinstance(department, Path) else department
    adapter = next((one for one in whose.adapters if one.name == name), None)
    if adapter is None:
        raise AssertionError(f"{whose.name} has no adapter for {name}")
    kinds = (
        [SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.postgresql)] if adapter.sql is not None else []
    )
    if adapter.http is not None and adapter.sql is not None:
        kinds.append(HTTP)
    further = dict(own or {})

    @pytest.fixture(params=[*kinds, *further], name="system")
    def system(request: pytest.FixtureRequest) -> Iterator[Any]:
        with ExitStack() as stack:
            if request.param in further:
                yield stack.enter_context(further[request.param]())
                return
            if request.param == POSTGRESQL:
                engine = create_engine(str(request.getfixturevalue("postgresql_url")), poolclass=NullPool)
            else:
                engine = create_engine(
                    "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
                )
            stack.callback(engine.dispose)
            _fill(whose, engine, today)
            opened = _opened(adapter, engine)
            if request.param == HTTP:
                yield stack.enter_context(_remote(adapter, opened))
            else:
                yield stack.enter_context(opened())

    return system


def _fill(department: Department, engine: Engine, today: date) -> None:
    if department.models is not None:
        department.models.create_all(engine)
    if department.sample is not None:
        with Session(engine) as session:
            department.sample(session, today)
            session.commit()


def _opened(adapter: Adapter, engine: Engine) -> Callable[[], AbstractContextManager[Any]]:
    @contextmanager
    def opened() -> Iterator[Any]:
        assert adapter.sql is not None
        with Session(engine) as session:
            yield adapter.sql(session)
            session.commit()

    return opened


@contextmanager
def _remote(adapter: Adapter, opened: Callable[[], AbstractContextManager[Any]]) -> Iterator[Any]:
    assert adapter.http is not None
    clock = Clock()
    twin = Twin(adapter.contract, opened, clock)
    client = HttpClient(twin.url, clock=clock)
    try:
        yield adapter.http(client)
    finally:
        client.close()
        twin.close()


__all__ = ["contract"]
