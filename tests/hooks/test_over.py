"""A report or a command of a department asks the system behind the contract that it names."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
import sqlalchemy

from engine.api import Adapter, Context, Department, HttpClient, Refused
from engine.errors import PluginError
from engine.hooks.systems import System

Start = Callable[..., SimpleNamespace]


class Notes(Protocol):
    def count(self) -> int: ...


class Sales(Protocol):
    def place(self) -> str: ...


class SqlNotes:
    def __init__(self, session: Any) -> None:
        pass

    def count(self) -> int:
        return 3


class HttpSales:
    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def place(self) -> str:
        return self._client.base_url


def test_over_another_contract_it_runs_where_that_system_is(at_work: Start) -> None:
    department = Department("shop", adapters=[Adapter(Notes, sql=SqlNotes), Adapter(Sales, http=HttpSales)])
    runtime = at_work(department, systems={"shop.Sales": "http://127.0.0.1:9"}).runtime

    def asked(contract: Any, over: Any = None) -> Any:
        def ask(ctx: Context) -> Any:
            system = ctx.adapter(contract)
            return system.count() if contract is Notes else system.place()

        return runtime.in_context("shop", "shop.report", ask, 5.0, over=over)

    assert asked(Notes) == 3
    assert asked(Sales, over=Sales) == "http://127.0.0.1:9/"
    with pytest.raises(PluginError, match="has no adapter for Sales"):
        asked(Sales)
    runtime.stop()


@pytest.mark.parametrize("writes", [False, True])
def test_over_all_it_has_its_own_tables_and_every_system(
    at_work: Start, tmp_path: Any, clock: Any, writes: bool
) -> None:
    """One is here, one over http, one in another database: the third is asked in transactions of its own."""
    notes = tmp_path / "notes.db"
    with closing(sqlite3.connect(notes)) as other, other:
        other.execute("create table notes (said text)")

    class Journal(Protocol):
        def say(self, text: str) -> int: ...

    class SqlJournal:
        def __init__(self, session: Any) -> None:
            self._session = session

        def say(self, text: str) -> int:
            if writes:
                self._session.execute(sqlalchemy.text("insert into notes values (:said)"), {"said": text})
            return int(self._session.execute(sqlalchemy.text("select count(*) from notes")).scalar_one())

    class Bad(HttpSales):
        def fail(self) -> None:
            clock.sleep(3)  # time goes on for the hub, while the thread waits for it
            raise Refused("closed")

    department = Department(
        "shop",
        adapters=[Adapter(Sales, http=Bad), Adapter(Notes, sql=SqlNotes), Adapter(Journal, sql=SqlJournal)],
    )
    systems = {"shop.Sales": "http://127.0.0.1:9", "shop.Journal": System("database", f"sqlite:///{notes}")}
    runtime = at_work(department, systems=systems).runtime

    def ask(ctx: Context) -> Any:
        assert ctx.session is not None
        said = ctx.adapter(Notes).count(), ctx.adapter(Sales).place(), ctx.adapter(Journal).say("one")
        with pytest.raises(Refused, match="closed"):
            ctx.adapter(Sales).fail()  # type: ignore[attr-defined]
        return said

    found = runtime.in_context("shop", "shop.report", ask, 5.0, over="all", writes=writes)
    assert found == (3, "http://127.0.0.1:9/", int(writes))
    runtime.stop()
    with closing(sqlite3.connect(notes)) as other:
        assert other.execute("select count(*) from notes").fetchone() == (int(writes),)
