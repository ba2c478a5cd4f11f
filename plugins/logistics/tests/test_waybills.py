"""What every waybill system must answer, tried on the built-in one."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


def track(logistics: ModuleType, session: Session, number: str, now: datetime = NOW) -> object:
    return logistics.SqlWaybills(session).track(number, now=now)


@pytest.mark.parametrize(
    ("number", "state", "problem", "city"),
    [
        ("44018001", "accepted", "none", "广州"),
        ("44018002", "collected", "none", "广州"),
        ("44018003", "billed", "none", "深圳"),
        ("44018004", "departed", "none", "广州"),
        ("44018005", "transit", "none", "长沙"),
        ("44018006", "arrived", "none", "南京"),
        ("44018007", "delivering", "none", "杭州"),
        ("44018008", "delivered", "none", "成都"),
        ("44018010", "transit", "held", "贵阳"),
        ("44018011", "arrived", "damaged", "南宁"),
        ("44018012", "departed", "short", "厦门"),
        ("44018013", "delivering", "refused", "济南"),
        ("44018014", "departed", "readdressed", "广州"),
    ],
)
def test_the_sample_has_a_shipment_for_each_thing_that_a_caller_may_hear(
    logistics: ModuleType, sampled: Session, number: str, state: str, problem: str, city: str
) -> None:
    shipment = track(logistics, sampled, number)
    assert (shipment.state, shipment.problem, shipment.city) == (state, problem, city)


def test_an_unknown_number_is_none(logistics: ModuleType, sampled: Session) -> None:
    assert track(logistics, sampled, "44019999") is None
    assert track(logistics, sampled, "") is None


def test_late_is_counted_in_whole_hours_and_ends_with_the_delivery(
    logistics: ModuleType, sampled: Session
) -> None:
    assert track(logistics, sampled, "44018009").late_hours == 45
    assert track(logistics, sampled, "44018008", NOW + timedelta(days=30)).late_hours == 0
    assert track(logistics, sampled, "44018004").late_hours == 0


def test_a_shipment_is_seen_as_it_was_at_the_time_asked_for(logistics: ModuleType, sampled: Session) -> None:
    assert track(logistics, sampled, "44018004", NOW - timedelta(days=1)).state == "billed"
    before = track(logistics, sampled, "44018004", NOW - timedelta(days=30))
    assert (before.state, before.city) == ("accepted", "广州")


def test_a_problem_is_over_once_the_shipment_moves_on(logistics: ModuleType, sampled: Session) -> None:
    waybill = sampled.get(_waybill(logistics), "44018012")
    assert waybill is not None
    event = type(waybill.events[0])
    waybill.events.append(event(at=NOW - timedelta(hours=1), what="arrived", city="福州"))
    sampled.flush()
    sampled.expire_all()
    shipment = track(logistics, sampled, "44018012")
    assert (shipment.state, shipment.problem, shipment.city) == ("arrived", "none", "福州")


def test_moments_come_back_aware_and_unchanged(logistics: ModuleType, sampled: Session) -> None:
    shipment = track(logistics, sampled, "44018008")
    assert shipment.at == datetime(2026, 11, 22, 14, 22, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_the_department_keeps_its_tables_under_its_own_prefix(
    logistics: ModuleType, sampled: Session
) -> None:
    names = inspect(sampled.get_bind()).get_table_names()
    assert {"logistics_events", "logistics_waybills", "logistics_services"} <= set(names)
    assert all(name.startswith(logistics.department.tables) for name in names)


def test_sample_numbers_can_be_typed(logistics: ModuleType, sampled: Session) -> None:
    numbers = list(sampled.scalars(select(_waybill(logistics).number)))
    assert len(numbers) == 16 + 19
    assert all(number.isdigit() and 8 <= len(number) <= 14 for number in numbers)


def _waybill(logistics: ModuleType) -> type:
    return next(one.class_ for one in logistics.Base.registry.mappers if one.class_.__name__ == "Waybill")
