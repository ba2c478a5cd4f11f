"""Arrival windows: what they are made of, and how they compare with the truth."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.hooks.loading import load_folder

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
HOURS = st.lists(st.integers(1, 400), max_size=40)

PACKAGE = load_folder(Path(__file__).parents[1]).__package__
forecasts: ModuleType = import_module(f"{PACKAGE}.forecasts")
Shipment = import_module(f"{PACKAGE}.adapters").Shipment


def shipment(**values: Any) -> Any:
    whole = {
        "number": "44018004", "state": "departed", "problem": "none", "origin": "广州", "destination": "成都",
        "city": "广州", "at": NOW, "due": NOW + timedelta(days=2), "late_hours": 0, "handed_to": "",
        "collected": NOW - timedelta(hours=40), "services": [],
    }  # fmt: skip
    return Shipment(**{**whole, **values})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(took=HOURS, due=st.integers(-100, 200), since=st.none() | st.integers(0, 300))
def test_a_window_never_lies_in_the_past_and_never_ends_before_it_begins(
    took: list[int], due: int, since: int | None
) -> None:
    collected = None if since is None else NOW - timedelta(hours=since)
    found = forecasts.window(shipment(due=NOW + timedelta(hours=due), collected=collected), took, NOW)
    if found is None:
        assert due <= 0
    else:
        assert NOW <= found.earliest <= found.latest
        assert found.shipments == (len(took) if found.basis == "lane" else 0)
        assert found.basis == "promise" or len(took) >= forecasts.ENOUGH


def test_enough_shipments_make_a_window_and_fewer_leave_the_promise() -> None:
    lane = forecasts.window(shipment(), [60, 70, 72, 74, 76, 78, 80, 82, 90, 120], NOW)
    assert (lane.basis, lane.shipments) == ("lane", 10)
    assert lane.earliest == NOW + timedelta(hours=70 - 40)
    assert lane.latest == NOW + timedelta(hours=90 - 40 + 1)
    promise = forecasts.window(shipment(), [70, 80, 90, 100], NOW)
    assert (promise.basis, promise.latest) == ("promise", NOW + timedelta(days=2))


@pytest.mark.parametrize("said", [{"state": "delivered"}, {"problem": "held"}, {"handed_to": "落地配"}])
def test_what_is_there_or_stands_in_its_way_or_is_with_another_has_none(said: dict[str, str]) -> None:
    assert forecasts.window(shipment(**said), [70] * 10, NOW) is None


def test_the_truth_is_in_time_early_late_or_not_known_yet() -> None:
    begin, end = NOW, NOW + timedelta(hours=10)
    assert forecasts.verdict(begin, end, NOW + timedelta(hours=3), NOW) == ("in_time", 0)
    assert forecasts.verdict(begin, end, NOW - timedelta(minutes=61), NOW) == ("early", 2)
    assert forecasts.verdict(begin, end, NOW + timedelta(hours=12), NOW) == ("late", 2)
    assert forecasts.verdict(begin, end, None, NOW) == ("open", 0)
    assert forecasts.verdict(begin, end, None, NOW + timedelta(hours=11)) == ("late", 1)
