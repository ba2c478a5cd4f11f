"""What an order costs: properties of the sums, whatever is ordered under whatever policy."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.hooks.loading import load_folder

load_folder(Path(__file__).parents[1])

import sys  # noqa: E402

PRICING: Any = sys.modules["insideline_plugins.orders.pricing"]
CONTRACTS: Any = sys.modules["insideline_plugins.orders.contracts"]

prices = st.decimals(min_value="0.01", max_value="99999.99", places=2)
percents = st.decimals(min_value="0", max_value="100", places=2)
cases = st.integers(min_value=1, max_value=99_999)
lines = st.lists(st.tuples(cases, prices), min_size=1, max_size=12)


def policy(rebate_from: int = 0, rebate: Any = 0, truck_from: int = 0, truck: Any = 0) -> Any:
    return CONTRACTS.Policy(
        code="HN-2026Q4",
        version=3,
        region="华南",
        until=date(2026, 12, 31),
        rebate_from=rebate_from,
        rebate=Decimal(rebate),
        truck_from=truck_from,
        truck=Decimal(truck),
    )


def reckoned(wanted: list[tuple[int, Decimal]], under: Any) -> Any:
    return PRICING.Sums([PRICING.line("10010001", "x", count, price) for count, price in wanted], under)


@given(
    wanted=lines,
    rebate_from=st.integers(0, 2000),
    rebate=percents,
    truck_from=st.integers(0, 2000),
    truck=percents,
)
def test_sums_agree_in_whole_fen_and_nothing_is_ever_negative(
    wanted: list[tuple[int, Decimal]], rebate_from: int, rebate: Decimal, truck_from: int, truck: Decimal
) -> None:
    sums = reckoned(wanted, policy(rebate_from, rebate, truck_from, truck))
    assert sums.goods == sum(count * price for count, price in wanted)
    assert sums.total + sums.discount == sums.goods
    assert 0 <= sums.discount <= sums.goods
    assert 0 <= sums.rebate <= sums.total
    for amount in (sums.goods, sums.discount, sums.total, sums.rebate):
        assert amount == amount.quantize(Decimal("0.01"))


@given(wanted=lines)
def test_the_order_of_the_lines_does_not_matter(wanted: list[tuple[int, Decimal]]) -> None:
    rules = policy(500, 3, 1000, 2)
    one, other = reckoned(wanted, rules), reckoned(wanted[::-1], rules)
    assert (one.total, one.discount, one.rebate) == (other.total, other.discount, other.rebate)


@given(wanted=lines, more=cases, price=prices)
def test_more_goods_never_cost_less_before_the_truck_is_full(
    wanted: list[tuple[int, Decimal]], more: int, price: Decimal
) -> None:
    assert reckoned([*wanted, (more, price)], None).total > reckoned(wanted, None).total


@pytest.mark.parametrize(
    ("count", "discount", "rebate"),
    [
        (499, "0.00", "0.00"),
        (500, "0.00", "525.00"),  # 满500箱返3%
        (999, "0.00", "1048.95"),
        (1000, "700.00", "1029.00"),  # 整车价优2%, and the rebate is of what is paid
    ],
)
def test_the_policy_of_the_sample_at_its_edges(count: int, discount: str, rebate: str) -> None:
    sums = reckoned([(count, Decimal("35.00"))], policy(500, 3, 1000, 2))
    assert (sums.discount, sums.rebate) == (Decimal(discount), Decimal(rebate))


def test_half_a_fen_goes_up() -> None:
    assert PRICING.percent(Decimal("0.50"), Decimal(1)) == Decimal("0.01")
    assert PRICING.percent(Decimal("0.49"), Decimal(1)) == Decimal("0.00")


def test_without_a_policy_there_is_no_discount() -> None:
    sums = reckoned([(5000, Decimal("1.00"))], None)
    assert (sums.discount, sums.rebate, sums.total) == (0, 0, 5000)
