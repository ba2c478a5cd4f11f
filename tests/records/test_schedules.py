"""Work by the clock: its slots, its failures, what is refused when it is declared."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock import VirtualClock
from engine.errors import PluginError
from engine.hooks.context import Context
from engine.hooks.department import Department
from engine.hooks.schedules import Schedule, schedule
from engine.records.schedules import Last, Schedules, last_slot, next_slot

HOME = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


class Weekdays:
    """A calendar of working days from nine to five."""

    def works(self, calendar: str, day: date) -> bool:
        return day.weekday() < 5

    def is_open(self, calendar: str, moment: datetime) -> bool:
        local = moment.astimezone(HOME)
        return self.works(calendar, local.date()) and 9 <= local.hour < 17


def declared(**when: str) -> Schedule:
    department = Department("shop")

    @schedule(department, **when)  # type: ignore[arg-type]
    def work(ctx: Context) -> None:
        pass

    return department.schedules["shop.work"]


def test_a_time_of_the_day_comes_on_working_days() -> None:
    one = declared(at="08:30", calendar="office")
    friday = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
    assert last_slot(one, friday, HOME, Weekdays()) == datetime(2026, 11, 27, 0, 30, tzinfo=UTC)
    assert next_slot(one, friday, HOME, Weekdays()) == datetime(2026, 11, 30, 0, 30, tzinfo=UTC)


@settings(max_examples=50, deadline=None)
@given(minutes=st.integers(0, 10 * 24 * 60), every=st.sampled_from(["10m", "25m", "2h"]))
def test_between_the_last_slot_and_the_next_there_is_none(minutes: int, every: str) -> None:
    one, hours = declared(every=every, calendar="office"), Weekdays()
    now = MONDAY + timedelta(minutes=minutes)
    last, coming = last_slot(one, now, HOME, hours), next_slot(one, now, HOME, hours)
    assert last is not None
    assert coming is not None
    assert last <= now < coming
    assert hours.is_open("office", last)
    assert next_slot(one, last, HOME, hours) == coming


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ({}, "one of them"),
        ({"at": "08:30", "every": "10m"}, "one of them"),
        ({"at": "25:00"}, "there is no time"),
        ({"every": "1s"}, "from 10s to 24h"),
        ({"every": "10"}, "is not a length of time"),
    ],
)
def test_a_mistake_in_the_declaration_is_told_with_its_place(when: dict[str, str], told: str) -> None:
    with pytest.raises(PluginError, match=told) as error:
        declared(**when)
    assert "test_schedules.py" in str(error.value)


FAILING = """
from engine.api import Context, Department, hookimpl, schedule

department = Department("help")
runs = []


@schedule(department, every="1h")
def work(ctx: Context) -> None:
    runs.append(ctx.now)
    if len(runs) < 3:
        raise RuntimeError("not yet")
    ctx.tickets.open("hourly")


@hookimpl
def register_department():
    return department
"""


def test_one_that_fails_is_tried_again_and_counts_once(home: Any, centre_of: Any) -> None:
    from tests.records.conftest import desk_home

    desk_home(home, "greet:\n  - answer\n  - hangup\n").plugin("help", FAILING)
    centre = centre_of(home)
    centre.clock.advance("2s")
    centre.virtual.shift_wall(timedelta(minutes=59, seconds=50))
    centre.clock.advance("5m")
    assert len(centre.rows("tickets")) == 1
    kinds = [entry.kind for entry in centre.journal() if entry.kind.startswith("schedule")]
    assert kinds == ["schedule.failed", "schedule.failed", "schedule.done"]


def test_one_that_ends_while_the_rows_are_read_is_not_begun_again() -> None:
    """Its row said that it runs, and nobody ran it any more: as if its engine had died."""
    one, clock, ran = declared(every="10m"), VirtualClock(), []

    class Rows:
        def read(self, function: Any, timeout: float) -> list[Last]:
            schedules._busy.clear()  # it ends now, and its row was read before
            return [Last("shop.work", MONDAY, "running", 1, "", MONDAY)]

        def work(self, function: Any, timeout: float) -> None:
            ran.append("begun")

    schedules = Schedules(
        Rows(), clock, [one], zone=HOME, hours=Weekdays(), run=lambda one, key: ran.append(key)
    )  # type: ignore[arg-type]
    schedules._busy.add("shop.work")
    schedules.work()
    clock.advance(1)
    clock.close()
    assert ran == []
