"""A report or a command of a department asks the system behind the contract that it names."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

import pytest

from engine.api import Adapter, Context, Department, HttpClient
from engine.errors import PluginError

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
