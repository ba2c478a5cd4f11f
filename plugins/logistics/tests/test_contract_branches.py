"""What every system of branches must answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.testing.contract import contract

system = contract("Branches", today=date(2026, 11, 23))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


MONDAY = at("2026-11-23 09:00")
SUNDAY_NIGHT = at("2026-11-22 23:00")


def test_a_branch_has_a_code(system: Any) -> None:
    found = system.branch("020001")
    assert (found.name, found.district, found.phone) == ("广州天河网点", "天河", "1057")
    assert system.branch("999999") is None


def test_a_city_has_districts_where_there_are_branches(system: Any) -> None:
    assert {one.name for one in system.districts("020")} == {"天河", "越秀", "白云", "番禺", "黄埔"}
    assert system.districts("010") == []


def test_the_branch_of_the_district_comes_first_and_then_the_nearer_one(system: Any) -> None:
    found = system.nearest("020", "白云", at=MONDAY, most=5)
    assert [one.code for one in found] == ["020002", "020001", "020003"]
    assert [one.open for one in found] == [True] * 3
    assert found[0].km < found[1].km < found[2].km < 40
    assert [one.code for one in system.nearest("020", "黄埔", at=MONDAY, most=1)] == ["020001"]


def test_one_that_is_open_goes_before_a_nearer_one_that_is_not(system: Any) -> None:
    found = system.nearest("020", "天河", at=SUNDAY_NIGHT, most=5)
    assert [(one.code, one.open) for one in found] == [("020003", True), ("020001", False), ("020002", False)]
    assert found[1].opens == at("2026-11-23 08:00")


def test_where_all_are_closed_the_one_that_opens_first_is_told(system: Any) -> None:
    [found] = system.nearest("0755", "龙岗", at=SUNDAY_NIGHT, most=3)
    assert (found.open, found.opens) == (False, at("2026-11-23 08:30"))
    [saturday] = system.nearest("0755", "龙岗", at=at("2026-11-28 19:00"), most=3)
    assert saturday.opens == at("2026-11-30 08:30")  # not on Sunday


def test_a_district_that_nobody_knows_goes_by_the_hours_alone(system: Any) -> None:
    assert len(system.nearest("020", "nowhere", at=MONDAY, most=5)) == 3
    assert system.nearest("010", "天河", at=MONDAY, most=5) == []
