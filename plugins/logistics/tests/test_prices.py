"""Prices: the lines are the total, more never costs less, and the minimum holds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.hooks.loading import load_folder

PACKAGE = load_folder(Path(__file__).parents[1]).__package__
prices, tariffs = import_module(f"{PACKAGE}.prices"), import_module(f"{PACKAGE}.tariffs")
calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def decimals(most: int, places: int) -> Any:
    return st.integers(0, most * 10**places).map(lambda number: Decimal(number).scaleb(-places))


TARIFFS = st.builds(
    tariffs.Tariff,
    origin=st.just("广州"), destination=st.just("成都"), version=st.integers(1, 99), since=st.just(date(2026, 9, 1)),
    heavy=decimals(20, 2), light=decimals(2000, 2), minimum=decimals(300, 2), pickup=decimals(200, 2),
    delivery=decimals(200, 2), entry=decimals(200, 2), crate=decimals(500, 2), insurance=decimals(10, 1),
    cod=decimals(10, 1),
)  # fmt: skip
WANTED = st.fixed_dictionaries(
    {
        "weight": decimals(9999, 2), "volume": decimals(200, 2), "insured": decimals(99999, 2),
        "collected": decimals(99999, 2), "extras": st.sets(st.sampled_from(prices.EXTRAS)),
    }
)  # fmt: skip
SEVEN = tariffs.Tariff(
    origin="广州", destination="成都", version=7, since=date(2026, 9, 1), heavy=Decimal("1.85"), light=Decimal(390),
    minimum=Decimal(60), pickup=Decimal(50), delivery=Decimal(80), entry=Decimal(100), crate=Decimal(150),
    insurance=Decimal(3), cod=Decimal(5),
)  # fmt: skip


@calm
@given(tariff=TARIFFS, wanted=WANTED)
def test_the_lines_add_up_to_the_total_and_each_is_in_whole_fen(tariff: Any, wanted: dict[str, Any]) -> None:
    quote = prices.quote(tariff, **wanted)
    assert quote.total == sum(line.amount for line in quote.lines)
    assert all(
        line.amount == line.amount.quantize(Decimal("0.01")) and line.amount >= 0 for line in quote.lines
    )
    assert {line.kind for line in quote.lines} - {
        "freight_weight",
        "freight_volume",
        "freight_minimum",
    } == wanted["extras"]
    assert sum(line.kind.startswith("freight") for line in quote.lines) == 1


@calm
@given(
    tariff=TARIFFS,
    wanted=WANTED,
    more=decimals(500, 2),
    what=st.sampled_from(["weight", "volume", "insured", "collected"]),
)
def test_more_never_costs_less(tariff: Any, wanted: dict[str, Any], more: Decimal, what: str) -> None:
    heavier = {**wanted, what: wanted[what] + more}
    assert prices.quote(tariff, **heavier).total >= prices.quote(tariff, **wanted).total


@calm
@given(tariff=TARIFFS, wanted=WANTED)
def test_the_freight_is_the_higher_of_weight_and_volume_and_never_below_the_minimum(
    tariff: Any, wanted: dict[str, Any]
) -> None:
    [freight] = [line for line in prices.quote(tariff, **wanted).lines if line.kind.startswith("freight")]
    by_weight, by_volume = (
        prices.fen(wanted["weight"] * tariff.heavy),
        prices.fen(wanted["volume"] * tariff.light),
    )
    assert freight.amount == max(by_weight, by_volume, prices.fen(tariff.minimum))


@pytest.mark.parametrize(
    ("weight", "volume", "freight"),
    [
        ("120", "0.5", ("freight_weight", "222.00")),
        ("120", "0.8", ("freight_volume", "312.00")),
        ("10", "0.05", ("freight_minimum", "60.00")),
        ("33.33", "0", ("freight_weight", "61.66")),
    ],
)
def test_guangzhou_to_chengdu_by_version_seven(weight: str, volume: str, freight: tuple[str, str]) -> None:
    quote = prices.quote(SEVEN, weight=Decimal(weight), volume=Decimal(volume))
    assert [(line.kind, str(line.amount)) for line in quote.lines] == [freight]


def test_every_service_is_a_line_in_the_order_in_which_it_is_done() -> None:
    quote = prices.quote(
        SEVEN, weight=Decimal(120), volume=Decimal("0.8"), extras=prices.EXTRAS, insured=Decimal(10000),
        collected=Decimal(2000),
    )  # fmt: skip
    assert [(line.kind, str(line.amount)) for line in quote.lines] == [
        ("pickup", "50.00"),
        ("freight_volume", "312.00"),
        ("delivery", "80.00"),
        ("entry", "100.00"),
        ("crate", "120.00"),
        ("insurance", "30.00"),
        ("cod", "10.00"),
    ]
    assert quote.total == Decimal("702.00")


def test_nothing_costs_less_than_nothing() -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        prices.quote(SEVEN, weight=Decimal(-1), volume=Decimal(0))
