"""What every system of tariffs must answer."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.testing.contract import contract

TODAY = date(2026, 11, 23)
system = contract("Tariffs", today=TODAY)


def test_a_city_has_an_area_code(system: Any) -> None:
    assert (system.city("020").name, system.city("028").name) == ("广州", "成都")
    assert system.city("999") is None


def test_the_version_that_holds_on_a_day_is_told(system: Any) -> None:
    def version(on: date) -> int | None:
        found = system.tariff("广州", "成都", on=on)
        return None if found is None else found.version

    assert version(TODAY) == 7
    assert version(date(2026, 8, 31)) == 6
    assert version(date(2026, 9, 1)) == 7
    assert version(TODAY + timedelta(days=30)) == 8
    assert version(date(2020, 1, 1)) is None
    assert system.tariff("成都", "广州", on=TODAY) is None


def test_prices_come_back_exactly(system: Any) -> None:
    found = system.tariff("广州", "成都", on=TODAY)
    assert (found.heavy, found.light, found.minimum) == (Decimal("1.85"), Decimal(390), Decimal(60))
    assert (found.pickup, found.delivery, found.entry, found.crate) == (50, 80, 100, 150)
    assert (found.insurance, found.cod) == (3, 5)


def test_all_versions_are_there_the_newest_first(system: Any) -> None:
    assert [one.version for one in system.versions("广州", "成都")] == [8, 7, 6]
    assert system.versions("成都", "广州") == []
