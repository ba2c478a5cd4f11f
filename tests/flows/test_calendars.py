from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import NotFound
from engine.flows.calendars import Calendars, Closure, load_calendars
from engine.schema.faults import Faults
from tests.flows.checking import KNOWN, marked

REPO = Path(__file__).parents[2]
ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 6, 1)
TEXT = """\
grammar: 1
calendars:
  office:
    timezone: Asia/Shanghai
    week: {mon-fri: ["08:30-12:00", "13:30-17:30"], sat-sun: closed}
    holidays: {country: CN, workdays_moved: true, prompt: holiday}
    prompt: closed
    days:
      "2026-12-24..2026-12-26": {closed: true, prompt: storm}
      "2026-12-27": {as: mon}
      "2026-10-02": {hours: ["10:00-11:00"]}
      "2026-12-31": {hours: "08:30-12:00"}
  always:
    timezone: Europe/Berlin
    week: {mon-sun: "00:00-24:00"}
  night:
    timezone: Asia/Shanghai
    week: {mon-sun: ["22:00-24:00", "00:00-06:00"]}
closures:
  - {calendar: office, from: "2026-11-23 09:00", until: "2026-11-23 10:00", prompt: storm, by: li.na, why: red warning}
"""


def load(tmp_path: Path, text: str, today: date = TODAY) -> tuple[Calendars | None, Faults]:
    path = tmp_path / "calendars.yaml"
    path.write_text(text, encoding="utf-8")
    return load_calendars(path, today=today, name="calendars.yaml")


@pytest.fixture
def calendars(tmp_path: Path) -> Calendars:
    found, faults = load(tmp_path, TEXT)
    assert found is not None, faults.pretty()
    assert not len(faults)
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("when", "is_open", "why", "prompt", "until"),
    [
        ("2026-11-24 08:29", False, "tue, outside its hours", "closed", "2026-11-24 08:30"),
        ("2026-11-24 08:30", True, "tue", "", "2026-11-24 12:00"),
        ("2026-11-24 12:00", False, "tue, outside its hours", "closed", "2026-11-24 13:30"),
        ("2026-11-24 17:29:59", True, "tue", "", "2026-11-24 17:30"),
        ("2026-11-28 10:00", False, "sat", "closed", "2026-11-30 08:30"),
        # A public holiday, a working day moved to a Saturday, a special day on a holiday.
        ("2026-10-01 10:00", False, "National Day", "holiday", "2026-10-02 10:00"),
        ("2026-10-02 10:30", True, "special day 2026-10-02", "", "2026-10-02 11:00"),
        (
            "2026-10-02 11:30",
            False,
            "special day 2026-10-02, outside its hours",
            "closed",
            "2026-10-08 08:30",
        ),
        ("2026-10-10 10:00", True, "moved working day 2026-10-10", "", "2026-10-10 12:00"),
        # Special days: closed, and a Sunday like a Monday.
        ("2026-12-25 10:00", False, "special day 2026-12-25", "storm", "2026-12-27 08:30"),
        ("2026-12-27 10:00", True, "2026-12-27, like mon", "", "2026-12-27 12:00"),
        (
            "2026-12-31 13:45",
            False,
            "special day 2026-12-31, outside its hours",
            "closed",
            "2027-01-04 08:30",
        ),
        # A closure comes before everything.
        ("2026-11-23 08:59", True, "mon", "", "2026-11-23 09:00"),
        ("2026-11-23 09:00", False, "closed by li.na: red warning", "storm", "2026-11-23 10:00"),
        ("2026-11-23 10:00", True, "mon", "", "2026-11-23 12:00"),
    ],
)
def test_what_holds_at_a_moment(
    calendars: Calendars, when: str, is_open: bool, why: str, prompt: str, until: str
) -> None:
    opening = calendars.at("office", at(when))
    assert (opening.open, opening.why, opening.prompt) == (is_open, why, prompt)
    assert opening.until == at(until)


def test_hours_past_midnight_are_one_opening(calendars: Calendars) -> None:
    assert calendars.at("night", at("2026-11-23 23:00")).until == at("2026-11-24 06:00")


def test_a_calendar_that_never_closes_has_no_next_change(calendars: Calendars) -> None:
    opening = calendars.at("always", at("2026-11-23 23:00"))
    assert opening.open
    assert opening.until is None


def test_a_calendar_has_its_own_time_zone(calendars: Calendars) -> None:
    moment = at("2026-11-24 08:30").astimezone(ZoneInfo("UTC"))
    assert calendars.at("office", moment).open
    assert not calendars.at("office", moment - timedelta(seconds=1)).open


def test_a_closure_made_while_running_counts_at_once(calendars: Calendars) -> None:
    closure = Closure("office", at("2026-11-24 09:00"), at("2026-11-26 09:00"), "storm", "li.na", "typhoon")
    closed = calendars.with_closures([closure])
    assert closed.at("office", at("2026-11-24 09:30")).until == at("2026-11-26 09:00")
    assert closed.at("always", at("2026-11-24 09:30")).open
    assert calendars.at("office", at("2026-11-24 09:30")).open


def test_an_unknown_calendar_is_an_error(calendars: Calendars) -> None:
    with pytest.raises(NotFound):
        calendars.at("ofice", at("2026-11-24 09:30"))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2 * 365 * 1440))
def test_the_next_change_is_the_first_one(minutes: int) -> None:
    calendars, _ = load_calendars(REPO / "conf" / "calendars.yaml", today=TODAY)
    assert calendars is not None
    when = at("2026-01-01 00:00") + timedelta(minutes=minutes)
    opening = calendars.at("office", when)
    assert opening.until is not None
    assert when < opening.until
    assert calendars.at("office", opening.until).open != opening.open
    step = (opening.until - when) / 7
    assert all(calendars.at("office", when + step * number).open == opening.open for number in range(7))


BROKEN = {
    "a zone that is none": (
        "timezone: Asia/Shanghai\n    week: {mon-fri",
        "timezone: »Asia/Shangai\n    week: {mon-fri",
        "timezone",
    ),
    "a day that is none": ("sat-sun: closed", "»sat-son: closed", "week-day"),
    "a day twice": ("sat-sun: closed", "fri-sun: closed", "week"),
    "a day left out": (", sat-sun: closed", "", "week"),
    "hours that overlap": ('"13:30-17:30"]', '"11:30-17:30"]', "hours"),
    "hours backwards": ('"08:30-12:00", "13', '»"12:30-12:00", "13', "hours"),
    "a country that is none": ("country: CN", "country: »ZZ", "country"),
    "a region that is none": ("country: CN", "country: CN, region: »GD", "region"),
    "a date that is none": ('"2026-12-27": {as', '»"2026-02-30": {as', "date"),
    "days backwards": ('"2026-12-24..2026-12-26"', '»"2026-12-26..2026-12-24"', "date"),
    "a special day twice": ('"2026-12-27": {as', '"2026-12-26": {as', "days"),
    "a special day that says two things": ("{as: mon}", "{as: mon, closed: true}", "day"),
    "a closure of no calendar": ("calendar: office", "calendar: »ofice", "unknown-calendar"),
    "a closure backwards": ('until: "2026-11-23 10:00"', 'until: »"2026-11-23 08:00"', "closure"),
    "a moment that is none": ('until: "2026-11-23 10:00"', 'until: »"2026-11-23"', "date"),
    "a misspelt key": ("workdays_moved", "»workdays_move", "unknown-key"),
}
ELSEWHERE = {
    "a day twice": "week: »{mon-fri",
    "a day left out": "week: »{mon-fri",
    "hours that overlap": 'mon-fri: »["08:30',
    "a special day twice": '»"2026-12-24..2026-12-26":',
    "a special day that says two things": '"2026-12-27": »{as',
}


@pytest.mark.parametrize(("written", "instead", "code"), BROKEN.values(), ids=BROKEN)
def test_a_broken_calendar_is_reported_at_its_place(
    tmp_path: Path, request: pytest.FixtureRequest, written: str, instead: str, code: str
) -> None:
    assert TEXT.count(written) == 1
    text = TEXT.replace(written, instead)
    if (place := ELSEWHERE.get(request.node.callspec.id)) is not None:
        text = text.replace(place.replace("»", ""), place)
    text, line, column = marked(text)
    calendars, faults = load(tmp_path, text)
    assert calendars is None
    assert (line, column, code) in [(fault.line, fault.column, fault.code) for fault in faults], (
        faults.pretty()
    )


def test_a_fault_under_some_days_is_told_at_these_days(tmp_path: Path) -> None:
    text = """\
grammar: 1
calendars:
  office:
    timezone: Asia/Shanghai
    week: {mon-sun: "08:30-17:30"}
    days:
      "2027-02-06": {closed: true}
      "2027-02-07 .. 2027-02-12": {closed: true, prompt: »no_such_prompt}
      "2027-02-20": {as: mon-fri, prompt: »no_such_prompt}
"""
    places = [(text.split("\n")[at].replace("»", "").index("no_such_prompt") + 1, at + 1) for at in (7, 8)]
    path = tmp_path / "calendars.yaml"
    path.write_text(text.replace("»", ""))
    _, faults = load_calendars(path, today=TODAY, known=KNOWN)
    assert [(fault.column, fault.line) for fault in faults] == places, faults.pretty()


def test_prompts_are_looked_up_in_every_language(tmp_path: Path) -> None:
    path = tmp_path / "calendars.yaml"
    path.write_text(TEXT)
    _, faults = load_calendars(path, today=TODAY, known=KNOWN)
    assert [(fault.line, fault.code) for fault in faults] == [(line, "unknown-prompt") for line in (6, 9, 20)]


def test_a_year_whose_moved_days_are_not_announced_warns_from_november(tmp_path: Path) -> None:
    for today, warned in ((date(2026, 10, 31), 0), (date(2031, 11, 1), 2), (date(2031, 6, 1), 1)):
        calendars, faults = load(tmp_path, TEXT, today)
        assert calendars is not None
        assert [fault.code for fault in faults.warnings] == ["holidays"] * warned


def test_the_calendars_of_the_sample_company_are_good() -> None:
    calendars, faults = load_calendars(REPO / "conf" / "calendars.yaml", today=TODAY)
    assert calendars is not None, faults.pretty()
    assert calendars.names == {"office", "desk", "always"}
