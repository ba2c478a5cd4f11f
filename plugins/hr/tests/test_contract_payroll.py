"""What a payroll must answer, tried on each adapter: own tables on both databases, and a real server over http."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from engine.testing.contract import contract

TODAY = date(2026, 11, 23)

system = contract("Payroll", today=TODAY)


def test_the_latest_month_is_first(system: Any) -> None:
    assert system.months("30011", most=2) == [date(2026, 10, 1), date(2026, 9, 1)]
    assert system.months("30011", most=9) == [date(2026, 10, 1), date(2026, 9, 1), date(2026, 8, 1)]
    assert system.months("39999", most=9) == []


def test_a_slip_has_its_lines_in_order_and_sums_that_agree(system: Any) -> None:
    slip = system.slip("30011", date(2026, 10, 1))
    assert [line.kind for line in slip.lines] == [
        "base", "post", "posting", "overtime", "performance", "pension", "medical", "unemployment", "housing", "tax",
    ]  # fmt: skip
    assert slip.lines[0].amount == Decimal("8200.00")
    assert slip.gross - slip.deductions == slip.net == Decimal("12075.71")
    assert (slip.employee, slip.month) == ("30011", date(2026, 10, 1))


def test_what_is_nothing_is_left_out(system: Any) -> None:
    assert "posting" not in [line.kind for line in system.slip("30012", date(2026, 10, 1)).lines]


def test_a_month_or_somebody_unknown_is_none(system: Any) -> None:
    assert system.slip("30011", date(2025, 1, 1)) is None
    assert system.slip("39999", date(2026, 10, 1)) is None
