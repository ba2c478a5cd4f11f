"""What a system of benefits must answer, on each adapter."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from engine.testing.contract import contract

TODAY = date(2026, 11, 23)

system = contract("Benefits", today=TODAY)


def test_what_is_left_is_what_was_granted_less_what_was_used(system: Any) -> None:
    found = system.benefits("30011", on=TODAY)
    assert [(one.kind, one.granted, one.left) for one in found] == [
        ("medical", Decimal("10000.00"), Decimal("8749.60")),
        ("travel", Decimal("3600.00"), Decimal("1800.00")),
        ("study", Decimal("2000.00"), Decimal("2000.00")),
    ]
    assert {one.until for one in found} == {date(2026, 12, 31)}


def test_what_is_over_is_not_told_and_nobody_has_nothing(system: Any) -> None:
    assert system.benefits("30011", on=date(2027, 1, 1)) == []
    assert system.benefits("39999", on=TODAY) == []
