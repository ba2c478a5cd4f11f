"""What every waybill system must answer, tried on each adapter: its own tables, and a real server over http."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.testing.contract import contract

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

system = contract("WaybillSystem", today=date(2026, 11, 23))


@pytest.mark.parametrize(
    ("number", "state", "problem", "city"),
    [
        ("44018001", "accepted", "none", "广州"),
        ("44018005", "transit", "none", "长沙"),
        ("44018008", "delivered", "none", "成都"),
        ("44018010", "transit", "held", "贵阳"),
        ("44018011", "arrived", "damaged", "南宁"),
    ],
)
def test_a_shipment_is_told_as_it_stands(
    system: Any, number: str, state: str, problem: str, city: str
) -> None:
    shipment = system.track(number, now=NOW)
    assert (shipment.number, shipment.state, shipment.problem, shipment.city) == (
        number,
        state,
        problem,
        city,
    )


def test_an_unknown_number_is_none(system: Any) -> None:
    assert system.track("44019999", now=NOW) is None


def test_late_is_counted_in_whole_hours_and_ends_with_the_delivery(system: Any) -> None:
    assert system.track("44018009", now=NOW).late_hours == 45
    assert system.track("44018008", now=NOW + timedelta(days=30)).late_hours == 0


def test_it_is_seen_as_it_was_at_the_time_asked_for(system: Any) -> None:
    assert system.track("44018004", now=NOW - timedelta(days=1)).state == "billed"


def test_moments_come_back_aware(system: Any) -> None:
    at = system.track("44018008", now=NOW).at
    assert at == datetime(2026, 11, 22, 14, 22, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_what_is_bound_for_a_city_is_not_delivered_and_late_first(system: Any) -> None:
    found = system.bound_for("成都", now=NOW, most=5)
    assert found
    assert all(one.state != "delivered" and one.destination == "成都" for one in found)
    assert [one.late_hours for one in found] == sorted((one.late_hours for one in found), reverse=True)
    assert system.bound_for("成都", now=NOW, most=1) == found[:1]


def test_what_is_overdue_is_told_the_longest_first_and_from_so_many_hours_on(system: Any) -> None:
    late = system.overdue(now=NOW, hours=0)
    assert "44018009" in [one.number for one in late]
    assert all(one.state != "delivered" for one in late)
    assert [one.number for one in system.overdue(now=NOW, hours=45)] == ["44018010", "44018009"]
    assert [one.number for one in system.overdue(now=NOW, hours=46)] == ["44018010"]
    assert system.overdue(now=NOW, hours=64) == []


def test_a_service_is_done_from_the_moment_on_at_which_it_was(system: Any) -> None:
    def services(now: datetime) -> list[tuple[str, bool]]:
        return [(one.what, one.done) for one in system.track("44018004", now=now).services]

    assert services(NOW) == [("pickup", True), ("crate", True), ("insurance", True), ("delivery", False)]
    assert [done for _, done in services(NOW - timedelta(days=2))] == [False] * 4
    crate = system.track("44018004", now=NOW).services[1]
    assert crate.at == datetime(2026, 11, 21, 14, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_when_it_was_collected_is_known_once_it_was(system: Any) -> None:
    assert system.track("44018001", now=NOW).collected is None
    assert system.track("44018004", now=NOW).collected == datetime(
        2026, 11, 21, 10, 20, tzinfo=ZoneInfo("Asia/Shanghai")
    )


def test_how_long_shipments_took_between_two_cities_counts_what_arrived_lately(system: Any) -> None:
    took = system.took("广州", "成都", now=NOW, days=30)
    assert len(took) == 14  # thirteen of lanes, and 44018008
    assert took == sorted(took)
    assert all(60 < hours < 110 for hours in took)
    assert len(system.took("广州", "成都", now=NOW, days=7)) == 4
    assert system.took("广州", "成都", now=NOW - timedelta(days=60), days=30) == []
    assert system.took("成都", "广州", now=NOW, days=30) == []
