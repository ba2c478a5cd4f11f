"""What the warehouse must answer, on each adapter."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from engine.api import Refused
from engine.hooks.loading import load_folder
from engine.testing.contract import contract

PLUGIN = load_folder(Path(__file__).parents[1])
CONTRACTS: Any = import_module(PLUGIN.__name__.removesuffix(".plugin") + ".contracts")
TODAY = date(2026, 11, 23)
WATER, TEA, NONE = "10010001", "10020002", "10030002"

system = contract("Warehouse", PLUGIN.department, today=TODAY)


def wanted(**cases: int) -> list[Any]:
    codes = {"water": WATER, "tea": TEA, "none": NONE, "unknown": "99999999"}
    return [CONTRACTS.Wanted(article=codes[name], cases=count) for name, count in cases.items()]


def test_stock_is_what_can_be_promised(system: Any) -> None:
    assert system.stock(WATER).cases == 4200
    assert (system.stock(NONE).cases, system.stock(NONE).restock) == (0, date(2026, 11, 28))
    assert system.stock("99999999") is None


def test_what_is_reserved_can_be_promised_no_more_and_comes_back(system: Any) -> None:
    held = system.reserve(wanted(water=200, tea=50), key="r1")
    assert (system.stock(WATER).cases, system.stock(TEA).cases) == (4000, 100)
    assert system.held(held) == "held"
    system.release(held, key="r1:release")
    assert system.held(held) == "released"
    system.release(held, key="r1:again")
    assert (system.stock(WATER).cases, system.stock(TEA).cases) == (4200, 150)


def test_one_key_reserves_once(system: Any) -> None:
    assert system.reserve(wanted(water=10), key="r2") == system.reserve(wanted(water=10), key="r2")
    assert system.stock(WATER).cases == 4190


@pytest.mark.parametrize("lines", [{"water": 1, "tea": 151}, {"none": 1}, {"unknown": 1}, {"tea": 0}])
def test_all_or_nothing(system: Any, lines: dict[str, int]) -> None:
    with pytest.raises(Refused) as refused:
        system.reserve(wanted(**lines), key="r3")
    assert refused.value.reason == "stock"
    assert (system.stock(WATER).cases, system.stock(TEA).cases) == (4200, 150)


def test_a_refusal_says_of_what_there_is_how_much(system: Any) -> None:
    with pytest.raises(Refused) as refused:
        system.reserve(wanted(tea=151), key="r4")
    assert (refused.value.details["name"], refused.value.details["left"]) == ("柠檬红茶", 150)


def test_what_belongs_to_an_order_is_not_given_back(system: Any) -> None:
    held = system.reserve(wanted(water=10), key="r5")
    system.confirm(held, "2611000099", key="r5:confirm")
    system.confirm(held, "2611000099", key="r5:again")
    system.release(held, key="r5:release")
    assert system.held(held) == "confirmed"
    assert system.stock(WATER).cases == 4190


def test_a_reservation_that_is_not_known_is_none(system: Any) -> None:
    assert system.held("999") is None
