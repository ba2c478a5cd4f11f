"""What every system of orders to pick something up must answer."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.api import Refused
from engine.hooks.loading import load_folder
from engine.testing.contract import contract

Wanted = import_module(f"{load_folder(Path(__file__).parents[1]).__package__}.pickups").Wanted
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
system = contract("Pickups", today=date(2026, 11, 23))


def wanted(**values: Any) -> Any:
    whole = {
        "customer": "+8613922200001", "contact": "", "phone": "13922200001", "area": "020", "district": "天河",
        "address": "", "goods": "clothing", "weight": Decimal("120.5"), "volume": Decimal("0.8"), "branch": "020001",
        "quote": 0,
    }  # fmt: skip
    return Wanted(**{**whole, **values})


def test_an_order_has_a_number_that_can_be_typed_and_is_found_by_it(system: Any) -> None:
    placed = system.place(wanted(), now=NOW, key="a")
    assert placed.number.isdigit()
    assert len(placed.number) == 8
    assert placed.state == "placed"
    found = system.find(placed.number)
    assert (found.weight, found.volume, found.branch) == (Decimal("120.5"), Decimal("0.8"), "020001")
    assert system.find("1") is None


def test_the_desk_completes_what_was_dictated_and_leaves_the_rest(system: Any) -> None:
    number = system.place(wanted(), now=NOW, key="a").number
    done = system.complete(
        number, "周敏", "体育东路100号", "", "8012", now=NOW + timedelta(minutes=5), key="b"
    )
    assert (done.state, done.contact, done.address, done.goods, done.completed_by) == (
        "complete", "周敏", "体育东路100号", "clothing", "8012",
    )  # fmt: skip
    assert done.completed == NOW + timedelta(minutes=5)


def test_an_unknown_order_is_refused(system: Any) -> None:
    with pytest.raises(Refused, match="unknown"):
        system.complete("79999999", "", "", "", "8012", now=NOW, key="c")


def test_a_branch_has_its_orders_the_newest_first(system: Any) -> None:
    first = system.place(wanted(), now=NOW, key="a").number
    second = system.place(wanted(), now=NOW + timedelta(minutes=1), key="b").number
    other = system.place(wanted(branch="020003"), now=NOW, key="c").number
    assert [one.number for one in system.of("020001", since=NOW)] == [second, first]
    assert {one.number for one in system.of("", since=NOW)} == {first, second, other}
    assert system.of("020001", since=NOW + timedelta(hours=1)) == []
