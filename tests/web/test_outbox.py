"""Operators see what remote systems are still to be told, and may try it again or drop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import httpx
import pytest

from engine.api import Adapter, Context, Department, HttpClient, command
from engine.hooks.departments import Departments
from engine.web.parts import Parts
from tests.cli.conftest import engine, home, say, told

__all__ = ["engine", "home", "say", "told"]


class Orders(Protocol):
    def place(self, draft: str, *, key: str) -> int: ...


class HttpOrders:
    def __init__(self, client: HttpClient) -> None:
        self.client = client

    def place(self, draft: str, *, key: str) -> int:
        return int(self.client.do("place", {"draft": draft}, int, key=key))


@pytest.fixture
def departments(parts: Parts) -> Iterator[Departments]:
    """A department whose remote nobody has started."""
    orders = Department("orders", adapters=[Adapter(Orders, http=HttpOrders)])

    @command(orders)
    def place(ctx: Context, draft: str) -> int:
        return ctx.adapter(Orders).place(draft, key=ctx.key)

    made = Departments(
        [orders],
        clock=parts.clock,
        store=parts.store,  # type: ignore[arg-type]
        agents=SimpleNamespace(),  # type: ignore[arg-type]
        timezone=ZoneInfo("Asia/Shanghai"),
        systems={"orders.Orders": "http://127.0.0.1:9"},
        failures=1,
    )
    parts.departments = made
    made.do("orders.place", {"draft": "private words"}, key="k1", within=1.0, call="c-1")
    yield made
    made.stop()


def test_the_outbox_is_listed_without_what_was_to_be_said(
    client: httpx.Client, departments: Departments
) -> None:
    (row,) = client.get("/outbox").json()
    assert (row["key"], row["command"], row["remote"], row["state"], row["call"]) == (
        "k1",
        "orders.place",
        "orders.Orders",
        "waiting",
        "c-1",
    )
    assert "private words" not in str(row)


def test_status_tells_of_breakers_and_outbox(client: httpx.Client, departments: Departments) -> None:
    said = client.get("/status").json()
    assert said["outbox"]["waiting"] == 1
    assert {(one["name"], one["state"]) for one in said["breakers"]} == {
        ("orders.Orders", "open"),
        ("orders.place", "open"),
    }
    assert said["blocked"] == {}


def test_one_is_tried_again_or_dropped_and_an_unknown_one_is_not_found(
    client: httpx.Client, departments: Departments
) -> None:
    (row,) = client.get("/outbox").json()
    assert client.post(f"/outbox/{row['id']}/retry").json()["key"] == "k1"
    assert client.post("/outbox/k9/retry").status_code == 404
    assert client.post("/outbox/k1/eat").status_code == 404
    assert client.post("/outbox/k1/drop").json()["key"] == "k1"
    assert client.get("/outbox").json() == []


def test_the_commands_say_the_same(
    engine: Parts, departments: Departments, say: Callable[..., Any], told: Callable[[str], Any]
) -> None:
    assert [row["key"] for row in told("outbox list")] == ["k1"]
    shown = say("outbox list").stdout
    assert "orders.place" in shown
    assert "waiting" in shown
    status = say("status").stdout
    assert "breaker   orders.place: open since" in status
    assert "outbox    1 waiting since" in status
    assert say("outbox retry k1").stdout == "orders.place to orders.Orders is tried now\n"
    assert say("outbox drop k1").stdout == "orders.place to orders.Orders is dropped\n"
    assert say("outbox list").stdout == "nothing waits\n"
    assert say("outbox drop k1").exit_code != 0
