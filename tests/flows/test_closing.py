"""Emergency closures: made and ended while calls come, kept in the store, those of the file among them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.errors import NotFound, WrongState
from engine.testing.home import Home

CALENDARS = """\
grammar: 1
calendars:
  always: {timezone: Asia/Shanghai, week: {mon-sun: "00:00-24:00"}}
  berlin: {timezone: Europe/Berlin, week: {mon-sun: "00:00-24:00"}}
closures:
  - {calendar: berlin, from: "2026-11-23 01:00", until: "2026-11-23 20:00", by: li.na, why: flood}
"""
BLOCKS = """
greet:
  - answer
  - open_hours: {calendar: always, closed: shut}
  - play: We are open.
  - hangup
shut:
  - play: We are closed.
  - hangup
"""


@pytest.fixture
def centre(home: Home, centre_of: Any) -> Any:
    home.write("conf/calendars.yaml", CALENDARS).flow("shop/main", BLOCKS).number("8000", "shop/main")
    home.prompts(storm="There is a storm.")
    home.rule('{to: "8001", during: always, flow: shop/main}')
    return centre_of(home)


def in_(centre: Any, hours: float) -> Any:
    return centre.virtual.now() + timedelta(hours=hours)


def test_a_closure_holds_for_the_next_call_and_is_over_by_itself(centre: Any) -> None:
    centre.caller().dials("8000").hears("We are open.")
    view = centre.app.closing.close("always", in_(centre, 0.1), by="li.na", why="storm", prompt="storm")
    assert (view.open, view.why) == (False, "closed by li.na: storm")
    caller = centre.caller().dials("8000")
    caller.hears("storm")
    caller.hears("We are closed.")
    centre.clock.advance("7m")
    centre.caller().dials("8000").hears("We are open.")


def test_rules_of_the_dialplan_see_it_too(centre: Any) -> None:
    centre.caller().dials("8001").hears("We are open.")
    centre.closes("always")
    centre.caller().dials("8001").hears("There is no such number.")


def test_who_closed_and_opened_and_why_stands_in_the_journal(centre: Any) -> None:
    centre.app.closing.close("always", in_(centre, 2), by="li.na", why="storm")
    centre.app.closing.open("always", by="wang.wu", why="it is over")
    told = [(row.kind, row.data["by"], row.data["why"]) for row in centre.journal() if "calendar" in row.kind]
    assert sorted(told) == [
        ("calendar.closed", "li.na", "storm"),
        ("calendar.opened", "wang.wu", "it is over"),
    ]
    row = centre.one("closures")
    assert (row["by"], row["why"], row["how"], row["ended_by"]) == ("li.na", "storm", "command", "wang.wu")


def test_a_closure_that_is_to_come_holds_from_its_time(centre: Any) -> None:
    centre.app.closing.close("always", in_(centre, 3), begin=in_(centre, 0.1), by="li.na")
    assert centre.app.closing.state("always").open
    with pytest.raises(WrongState, match="no closure that could be ended"):
        centre.app.closing.open("always", by="li.na")
    centre.clock.advance("7m")
    assert not centre.app.closing.state("always").open


def test_a_closure_of_the_file_is_ended_and_stays_so(centre: Any) -> None:
    assert centre.app.closing.state("berlin").why == "closed by li.na: flood"
    centre.app.closing.open("berlin", by="wang.wu")
    assert centre.app.closing.state("berlin").open
    centre.engine.kill()
    centre.engine.start()
    assert centre.app.closing.state("berlin").open
    assert centre.app.closing.state("always").open


def test_it_survives_the_engine(centre: Any) -> None:
    centre.app.closing.close("always", in_(centre, 2), by="li.na", prompt="storm")
    centre.engine.kill()
    centre.engine.start()
    centre.caller().dials("8000").hears("storm")


def test_times_without_a_zone_are_the_calendars_own(centre: Any) -> None:
    naive = in_(centre, 0).replace(tzinfo=None)  # nine in Guangzhou is one at night in UTC, two in Berlin
    with pytest.raises(WrongState, match="over already"):
        centre.app.closing.close("berlin", naive, by="li.na")
    closed = centre.app.closing.close("always", naive.replace(hour=20, second=0), by="li.na")
    assert closed.closures[0].until.isoformat() == "2026-11-23T20:00:00+08:00"


def test_what_makes_no_sense_is_refused_and_nothing_is_kept(centre: Any) -> None:
    closing = centre.app.closing
    with pytest.raises(NotFound, match="no calendar ofice"):
        closing.close("ofice", in_(centre, 1), by="x")
    with pytest.raises(NotFound, match="no prompt strom in en"):
        closing.close("always", in_(centre, 1), by="x", prompt="strom")
    with pytest.raises(WrongState, match="over already"):
        closing.close("always", in_(centre, -1), by="x")
    with pytest.raises(WrongState, match="before it begins"):
        closing.close("always", in_(centre, 1), begin=in_(centre, 2), by="x")
    with pytest.raises(WrongState, match="within a year"):
        closing.close("always", in_(centre, 24 * 400), by="x")
    with pytest.raises(NotFound):
        closing.open("ofice", by="x")
    assert centre.rows("closures") == []


def test_one_key_is_one_closure_and_another_may_take_its_place(centre: Any) -> None:
    closing = centre.app.closing
    for _ in range(2):
        closing.close("always", in_(centre, 5), by="x", key="call:1")
    closing.close("always", in_(centre, 0.1), by="x", key="call:2", instead=True)
    assert [row["ended"] is None for row in centre.rows("closures")] == [False, True]
    centre.clock.advance("7m")
    assert closing.state("always").open
