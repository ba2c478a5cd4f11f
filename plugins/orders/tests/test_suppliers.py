"""What the suppliers' ledger must answer, on each adapter."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.testing.contract import contract

TODAY = date(2026, 11, 23)
system = contract("SupplierSystem", Path(__file__).parents[1], today=TODAY)


def test_a_supplier_is_known_by_the_code(system: Any) -> None:
    assert system.supplier("20010001").name == "佛山晨光包装"
    assert system.supplier("99999999") is None


def test_what_is_due_comes_the_earliest_first_and_says_how_late_it_is(system: Any) -> None:
    assert [(one.cases, one.late_days) for one in system.due("20010001", today=TODAY)] == [
        (3000, 2),
        (5000, 0),
    ]
    assert system.due("20010002", today=TODAY) == []


def test_a_settlement_adds_what_is_open(system: Any) -> None:
    bill = system.settlement("20010001", today=TODAY)
    assert (bill.open, bill.bills) == (Decimal("63260.40"), 2)
    assert (bill.next_amount, bill.next_on) == (Decimal("48200.00"), date(2026, 11, 30))
    assert (bill.last_amount, bill.last_on) == (Decimal("52310.00"), date(2026, 11, 3))
    none = system.settlement("20010002", today=TODAY)
    assert (none.open, none.bills, none.next_on) == (0, 0, None)
