"""What a staff register must answer, on each adapter."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.testing.contract import contract

TODAY = date(2026, 11, 23)

system = contract("Staff", today=TODAY)


def test_people_are_found_by_their_numbers(system: Any) -> None:
    person = system.person("30011")
    assert (person.name, person.branch, person.home) == ("刘建平", "7302", "广州")
    assert person.posted == date(2026, 4, 27)
    assert system.person("30012").posted is None
    assert system.person("39999") is None


def test_branches_come_by_their_codes_with_site_and_partner(system: Any) -> None:
    found = system.branches()
    assert [one.code for one in found] == ["7001", "7101", "7102", "7201", "7202", "7301", "7302"]
    assert (found[1].name, found[1].site, found[1].partner) == ("广州白云网点", "guangzhou_baiyun", "8042")
    assert system.branch("7101") == found[1]
    assert system.branch("9999") is None
