"""What every staff directory must answer, tried on each adapter: our own table, and a real server over http."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.testing.contract import contract

system = contract("StaffDirectory", today=date(2026, 11, 23))


def test_somebody_of_the_first_line_is_known_by_the_number(system: Any) -> None:
    found = system.person("60101")
    assert (found.number, found.name, found.branch, found.region) == (
        "60101",
        "吴敏仪",
        "广州白云营业部",
        "华南",
    )


def test_nobody_has_an_unknown_number(system: Any) -> None:
    assert system.person("69999") is None
    assert system.person("") is None


def test_who_works_here_no_more_is_nobody(system: Any) -> None:
    assert system.person("60404") is None
