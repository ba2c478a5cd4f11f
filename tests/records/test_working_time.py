"""When a promise falls due: open time only, whatever lies between."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flows.calendars import Calendars, load_calendars
from engine.flows.working_time import next_open, working_after
from tests.records.conftest import CALENDARS


@pytest.fixture(scope="module")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> Calendars:
    path: Path = tmp_path_factory.mktemp("calendars") / "calendars.yaml"
    path.write_text(CALENDARS, encoding="utf-8")
    found, _ = load_calendars(path, today=date(2026, 11, 23))
    assert found is not None
    return found


MONDAY = datetime(2026, 11, 23, tzinfo=UTC)  # eight in the morning there
MOMENTS = st.integers(0, 14 * 24 * 60).map(lambda minutes: MONDAY + timedelta(minutes=minutes))


def open_seconds(calendars: Calendars, begin: datetime, end: datetime) -> int:
    """The open time of ``office`` between two moments, counted minute by minute."""
    minutes = int((end - begin).total_seconds() // 60)
    return 60 * sum(calendars.at("office", begin + timedelta(minutes=one)).open for one in range(minutes))


@settings(max_examples=40, deadline=None)
@given(start=MOMENTS, minutes=st.integers(1, 20 * 60))
def test_so_much_open_time_lies_before_it_and_it_falls_into_open_time(
    calendars: Calendars, start: datetime, minutes: int
) -> None:
    due = working_after(calendars, "office", start, minutes * 60.0)
    assert open_seconds(calendars, start, due) == minutes * 60
    assert calendars.at("office", due - timedelta(seconds=1)).open


@settings(max_examples=40, deadline=None)
@given(start=MOMENTS, one=st.integers(0, 600), more=st.integers(0, 600))
def test_two_stretches_are_as_long_as_their_sum(
    calendars: Calendars, start: datetime, one: int, more: int
) -> None:
    first = working_after(calendars, "office", start, one * 60.0)
    assert working_after(calendars, "office", first, more * 60.0) >= first
    both = working_after(calendars, "office", start, (one + more) * 60.0)
    if one and more:
        assert working_after(calendars, "office", first, more * 60.0) == both


def test_a_closed_day_and_the_weekend_are_jumped_over(calendars: Calendars) -> None:
    tuesday_evening = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # 17:00; Wednesday is closed
    assert working_after(calendars, "office", tuesday_evening, 3600) == datetime(
        2026, 11, 26, 1, 0, tzinfo=UTC
    )
    friday = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    assert working_after(calendars, "office", friday, 3600) == datetime(2026, 11, 30, 1, 0, tzinfo=UTC)


def test_no_time_at_all_is_the_next_opening(calendars: Calendars) -> None:
    noon = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
    assert next_open(calendars, "office", noon) == datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
    assert next_open(calendars, "office", MONDAY + timedelta(hours=2)) == MONDAY + timedelta(hours=2)
