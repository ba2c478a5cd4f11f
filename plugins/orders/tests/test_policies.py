"""What the policies must answer, on each adapter."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.testing.contract import contract

TODAY = date(2026, 11, 23)
system = contract("Policies", Path(__file__).parents[1], today=TODAY)


def test_the_newest_version_holds(system: Any) -> None:
    policy = system.policy("华南", today=TODAY)
    assert (policy.code, policy.version, policy.until) == ("HN-2026Q4", 3, date(2026, 12, 31))
    assert (policy.rebate_from, policy.rebate, policy.truck_from, policy.truck) == (
        500,
        Decimal(3),
        1000,
        Decimal(2),
    )


def test_outside_of_its_days_or_for_another_region_there_is_none(system: Any) -> None:
    assert system.policy("华南", today=date(2027, 1, 1)) is None
    assert system.policy("华北", today=TODAY) is None
