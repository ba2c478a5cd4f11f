"""The five flows of ``tests/flows/admin``, walked by callers: what they hear, press and leave out."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.testing.home import Home
from tests.flows.administered import ADMIN, REPO

AGENTS = """\
grammar: 1
agents:
  201: {name: Agent One, phone: 1001, languages: [en, zh-CN], queues: [power, office], login: auto}
"""
QUEUES = """\
grammar: 1
queues:
  power: {title: {en: Power}, offer: 20s, wrap_up: 15s, longest: 10m, length: 50}
  office: {title: {en: Office}, offer: 20s, wrap_up: 15s, longest: 10m, length: 50}
"""
POWER, PAY, SHOP, OFFICE, SURVEY = "8001", "8002", "8003", "8004", "8005"
NUMBERS = {
    POWER: "power/main",
    PAY: "pay/main",
    SHOP: "shop/main",
    OFFICE: "office/main",
    SURVEY: "survey/after",
}


@pytest.fixture
def centre(tmp_path: Path, centre_of: Any) -> Any:
    home = Home(tmp_path / "home")
    shutil.copytree(ADMIN / "plugins", home.folder / "plugins", dirs_exist_ok=True)
    shutil.copytree(REPO / "prompts", home.folder / "prompts", dirs_exist_ok=True)
    home.write("conf/engine.yaml", "grammar: 1\nlanguages: [en, zh-CN]\n")
    home.write("conf/calendars.yaml", (ADMIN / "conf" / "calendars.yaml").read_text())
    home.write("conf/queues.yaml", QUEUES).write("conf/agents.yaml", AGENTS)
    for number, flow in NUMBERS.items():
        home.number(number, flow)
    return centre_of(home)


def at(centre: Any, moment: str) -> None:
    """An engine starts at that moment in Guangzhou."""
    centre.engine.kill()
    there = datetime.fromisoformat(f"{moment}+08:00").astimezone(UTC)
    centre.virtual.shift_wall(there - centre.virtual.now())
    centre.engine.start()


# -- power faults, counted by area -------------------------------------------------------------------------


def reports(centre: Any, meter: str, number: str = "+8613800000000") -> Any:
    return centre.caller(number=number).dials(POWER).hears("power/enter_meter").presses(meter)


def test_the_fifth_meter_of_an_area_reaches_a_person_and_a_meter_counts_once(centre: Any) -> None:
    for count, meter in enumerate(["10000001", "10000002", "10000003", "10000004"], start=1):
        reports(centre, meter).hears("power/counted", how_many=count).hears("power/what_next").presses(
            "2"
        ).hears("bye")
    again = reports(centre, "10000003")
    again.hears("power/counted", how_many=4).hears("power/what_next").presses("2").hears("bye")
    fifth = reports(centre, "10000005")
    fifth.hears("power/counted", how_many=5).hears_music()
    agent = centre.agent("201")
    assert agent.is_offered(fifth).view.id
    agent.answers()
    fifth.talks_to(agent)
    assert fifth.view.told == {"area": "East"}
    fifth.hangs_up()
    assert centre.journal(fifth, "flow.left")[0].data["step"].endswith("queue")


def test_a_known_fault_and_a_meter_that_there_is_not(centre: Any) -> None:
    caller = reports(centre, "20000001")
    caller.hears("power/what_next").presses("7").hears("wrong").hears("power/what_next").presses("2").hears(
        "bye"
    )
    assert caller.ended == "NORMAL_CLEARING"
    caller = reports(centre, "99000000")
    caller.hears("power/no_such_meter").hears("power/try_again").presses("1").hears("power/enter_meter")
    caller.presses("20000001").hears("power/what_next").stays_silent()
    caller.hears("silent").hears("power/what_next").hears("silent").hears("power/what_next").hears("bye")
    assert caller.ended == "NORMAL_CLEARING"


def test_who_types_no_meter_is_put_through(centre: Any) -> None:
    caller = centre.caller().dials(POWER).hears("power/enter_meter").presses("123")
    caller.hears("wrong").hears("power/enter_meter").hears("silent").hears("power/enter_meter")
    caller.hears_music()
    caller.hangs_up()
    assert centre.cdrs()[0].queue == "power"


# -- the salary of a month ---------------------------------------------------------------------------------


def test_the_pay_of_a_month_after_a_wrong_pin(centre: Any) -> None:
    caller = centre.caller().dials(PAY).hears("pay/enter_employee").presses("100001")
    caller.hears("pay/enter_pin").presses("9999")
    caller.hears("pay/wrong_pin").hears("pay/try_again").presses("1")
    caller.hears("pay/enter_employee").presses("100001").hears("pay/enter_pin").presses("4711")
    caller.hears("pay/enter_month").presses("202713")
    caller.hears("wrong").hears("pay/enter_month").presses("202610")
    for _ in range(2):
        caller.hears("pay/your_pay", **{"slip.net": "6431.50", "slip.gross": "8200.00"})
    caller.hears("pay/another").presses("1").hears("pay/enter_month").presses("202512")
    caller.hears("pay/no_slip").hears("bye")
    assert caller.ended == "NORMAL_CLEARING"
    assert centre.journal(caller, "flow.heard")[0].data == {"month": "2026-10-01"}
    for secret in ("6431.5", "8200.00", "9999"):
        centre.nowhere(secret)


@pytest.mark.parametrize("end", ["kill", "hang up"])
def test_nothing_of_the_pay_stays_when_the_engine_dies_or_the_caller_hangs_up(centre: Any, end: str) -> None:
    caller = centre.caller().dials(PAY).hears("pay/enter_employee").presses("100001")
    caller.hears("pay/enter_pin").presses("4711").hears("pay/enter_month").presses("202610")
    caller.hears("pay/your_pay").hears("pay/your_pay").hears("pay/another")
    if end == "hang up":
        caller.hangs_up()
    else:
        centre.engine.kill()
        centre.engine.start()
        caller.hears("silent").hears("pay/another").presses("*").hears("bye")
        assert caller.ended == "NORMAL_CLEARING"
    centre.nowhere("6431.5")
    centre.nowhere("8200.00")


def test_silence_ends_the_salary_line(centre: Any) -> None:
    caller = centre.caller().dials(PAY)
    for _ in range(2):
        caller.hears("pay/enter_employee").hears("silent")
    caller.hears("pay/enter_employee").hears("bye")
    assert caller.ended == "NORMAL_CLEARING"


# -- an order of several lines -----------------------------------------------------------------------------


def test_an_order_of_two_lines(centre: Any) -> None:
    caller = centre.caller().dials(SHOP).hears("shop/enter_article").presses("10010001")
    caller.hears("shop/enter_pieces").presses("0#").hears("wrong").hears("shop/enter_pieces").presses("10#")
    caller.hears("shop/line_added", pieces="10").hears("shop/what_now").presses("1")
    caller.hears("shop/enter_article").presses("00000000").hears("shop/no_article")
    caller.hears("shop/what_now").presses("1").hears("shop/enter_article").presses("10010002")
    caller.hears("shop/enter_pieces").presses("2#").hears("shop/line_added").hears("shop/what_now").presses(
        "2"
    )
    caller.hears("shop/order_total", lines="2", total="150.00").presses("2")
    caller.hears("shop/what_now").presses("2").hears("shop/order_total").presses("1")
    caller.hears("shop/ordered", number="20260017").hears("shop/ordered").hears("bye")
    assert caller.ended == "NORMAL_CLEARING"
    assert len(centre.journal(caller, "command.done")) == 3


def test_an_order_without_lines_and_one_that_is_not_confirmed_are_none(centre: Any) -> None:
    caller = centre.caller().dials(SHOP)
    for _ in range(2):
        caller.hears("shop/enter_article").hears("silent")
    caller.hears("shop/enter_article").hears("shop/what_now").presses("9").hears("wrong")
    caller.hears("shop/what_now").presses("2").hears("bye")
    caller = centre.caller().dials(SHOP).hears("shop/enter_article").presses("10010001")
    caller.hears("shop/enter_pieces").presses("1#").hears("shop/line_added").hears("shop/what_now").presses(
        "2"
    )
    caller.hears("shop/order_total").hangs_up()
    assert [entry.data["command"] for entry in centre.journal(caller, "command.done")] == ["shop.add"]


# -- an office with holidays, moved days and a closure -------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "heard"),
    [
        ("2026-11-23 09:00", "music"),  # a Monday
        ("2026-11-23 12:30", "office/message_or_end"),  # at noon
        ("2026-11-22 09:00", "office/message_or_end"),  # a Sunday
        ("2026-09-20 09:00", "music"),  # a Sunday that is worked
        ("2026-10-01 09:00", "office/national_day"),
        ("2026-06-22 15:00", "storm"),  # the closure
        ("2026-06-22 20:30", "office/message_or_end"),  # after it, and after hours
    ],
)
def test_when_the_office_is_open_and_why_not(centre: Any, moment: str, heard: str) -> None:
    at(centre, moment)
    centre.agent("201")
    caller = centre.caller().dials(OFFICE)
    if heard == "music":
        caller.hears_music()
    elif heard == "office/national_day":
        caller.hears(heard).hears("office/back_on").hears("office/message_or_end")
    else:
        caller.hears(heard)
    caller.hangs_up()


def test_a_number_is_left_after_hours(centre: Any) -> None:
    at(centre, "2026-11-22 09:00")
    caller = centre.caller().dials(OFFICE).hears("office/message_or_end").presses("3")
    caller.hears("wrong").hears("office/message_or_end").presses("1").hears("office/your_number").presses(
        "13800001111#"
    )
    caller.hears("bye")
    assert centre.journal(caller, "flow.call_back")[0].data == {"number": "13800001111"}
    caller = centre.caller().dials(OFFICE).hears("office/message_or_end").hears("silent")
    caller.hears("office/message_or_end").hears("bye")
    assert caller.ended == "NORMAL_CLEARING"


# -- a survey that asks on -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "mark", "reason", "sorry"),
    [
        ("1 2", "1", "2", True),
        ("2 1", "2", "none", False),
        ("2 2 3", "2", "3", False),
        ("3", "3", "none", False),
    ],
)
def test_the_survey_asks_on_where_the_mark_is_low(
    centre: Any, keys: str, mark: str, reason: str, sorry: bool
) -> None:
    questions = {
        "1 2": ["what_was_bad"],
        "2 1": ["was_it_solved"],
        "2 2 3": ["was_it_solved", "what_was_bad"],
        "3": [],
    }
    caller = centre.caller().dials(SURVEY)
    for question, key in zip(["how_was_it", *questions[keys]], keys.split(), strict=True):
        caller.hears(f"survey/{question}").presses(key)
    caller.hears("survey/thank_you")
    if sorry:
        caller.hears("survey/we_are_sorry")
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"
    assert centre.journal(caller, "flow.rated")[0].data == {"mark": mark, "reason": reason, "about": "orders"}


def test_a_silent_caller_is_asked_no_further(centre: Any) -> None:
    caller = centre.caller().dials(SURVEY).hears("survey/how_was_it").presses("5").hears("wrong")
    for _ in range(1):
        caller.hears("survey/how_was_it").hears("silent")
    caller.hears("survey/how_was_it").hears("bye")
    assert caller.ended == "NORMAL_CLEARING"
    assert not centre.journal(caller, "flow.rated")
