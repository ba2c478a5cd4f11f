"""What a system of leave must answer, on each adapter."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from engine.testing.contract import contract

TODAY = date(2026, 11, 23)

system = contract("Leave", today=TODAY)


def test_half_days_are_told_and_what_is_used_up_too(system: Any) -> None:
    assert [(one.kind, one.days) for one in system.leave("30011", on=TODAY)] == [
        ("annual", Decimal("6.5")),
        ("home", Decimal(10)),
    ]
    assert [(one.kind, one.days) for one in system.leave("30012", on=TODAY)] == [
        ("annual", Decimal(0)),
        ("childcare", Decimal("8.5")),
    ]


def test_what_is_over_is_not_told_and_nobody_has_nothing(system: Any) -> None:
    assert [one.kind for one in system.leave("30012", on=date(2027, 1, 2))] == ["childcare"]
    assert system.leave("39999", on=TODAY) == []
