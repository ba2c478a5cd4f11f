"""The main number, in both languages: departments, colleagues by extension, the operator, messages."""

from __future__ import annotations

from typing import Any

import pytest

MAIN = "8800"
LANGUAGES = {"1": "zh-CN", "2": "en"}


def at_the_menu(centre: Any, language: str = "2") -> Any:
    caller = centre.caller(number="+8613800000000").dials(MAIN)
    assert caller.hears("reception/choose_language").language == "zh-CN"
    caller.presses(language)
    assert caller.hears("reception/main_menu").language == LANGUAGES[language]
    return caller


def test_an_unknown_number_is_apologised_for_in_both_languages(centre: Any) -> None:
    caller = centre.caller(number="+8613800000000").dials("8999")
    first = caller.hears("unknown_number")
    second = caller.hears("unknown_number")
    assert (first.language, second.language) == ("zh-CN", "en")
    assert caller.ended == "NORMAL_CLEARING"


@pytest.mark.parametrize(("key", "heard"), [("1", "logistics/main_menu"), ("3", "orders/who_calls")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_chooses_the_language_and_another_the_department(
    centre: Any, language: str, key: str, heard: str
) -> None:
    caller = at_the_menu(centre, language).presses("*")
    caller.hears("reception/main_menu").presses(key)
    caller.hears("recorded_notice")
    assert caller.hears(heard).language == LANGUAGES[language]


def test_a_silent_caller_is_greeted_in_chinese_and_led_to_the_operator(centre: Any) -> None:
    caller = centre.caller().dials(MAIN)
    caller.hears("reception/choose_language").stays_silent()
    caller.hears("silent")
    caller.hears("reception/choose_language").stays_silent()
    assert caller.hears("reception/main_menu").language == "zh-CN"
    for _ in range(2):
        caller.stays_silent()
        caller.hears("silent")
        caller.hears("reception/main_menu")
    caller.hears("reception/to_operator")


def test_a_wrong_key_is_told_and_asked_again(centre: Any) -> None:
    caller = at_the_menu(centre).presses("7")
    caller.hears("wrong_key")
    caller.hears("reception/main_menu").presses("1")
    caller.hears("recorded_notice")


def test_the_extension_of_a_colleague_rings_that_phone(centre: Any) -> None:
    caller = at_the_menu(centre).presses("2")
    caller.hears("reception/enter_extension").presses("1002#")
    caller.hears("one_moment")
    phone = centre.simulator.phone("1002")
    assert phone.wait_ring(20) is not None
    phone.answer()
    assert caller.sim.wait_bridged(5)
    centre.clock.advance("10s")
    phone.hang_up()
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"
    assert centre.cdrs()[0].talked >= 10


def test_an_extension_that_nobody_has_is_told_and_another_may_be_typed(centre: Any) -> None:
    caller = at_the_menu(centre).presses("2")
    caller.hears("reception/enter_extension").presses("7777#")
    caller.hears("one_moment")
    caller.hears("reception/no_such_extension", wanted="7777")
    caller.hears("reception/another_extension").presses("1")
    caller.hears("reception/enter_extension").presses("1003#")
    caller.hears("one_moment")
    assert centre.simulator.phone("1003").wait_ring(20) is not None
    caller.hangs_up()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_colleague_who_does_not_answer_gets_a_message(centre: Any, language: str) -> None:
    caller = at_the_menu(centre, language).presses("2")
    caller.hears("reception/enter_extension").presses("1002#")
    caller.hears("one_moment")
    caller.hears("reception/extension_silent", wanted="1002")
    caller.hears("reception/leave_one").says("5s").presses("1")
    caller.hears("leave_message")
    caller.hears_beep()
    assert caller.hears("reception/message_kept").language == LANGUAGES[language]
    caller.hears("bye")
    assert centre.one("messages")["box"] == "1002"


def test_a_colleague_who_declines_is_told_as_engaged(centre: Any) -> None:
    caller = at_the_menu(centre).presses("2")
    caller.hears("reception/enter_extension").presses("1001#")
    caller.hears("one_moment")
    phone = centre.simulator.phone("1001")
    assert phone.wait_ring(20) is not None
    phone.reject()
    caller.hears("reception/extension_busy", wanted="1001")
    caller.hears("reception/leave_one").presses("2")
    caller.hears("reception/another_extension").presses("2")
    caller.hears("bye")


def test_nobody_who_types_nothing_is_left_in_the_directory(centre: Any) -> None:
    caller = at_the_menu(centre).presses("2")
    caller.hears("reception/enter_extension").stays_silent()
    caller.hears("silent")
    caller.hears("reception/enter_extension").presses("1#")
    caller.hears("reception/to_operator")


def test_the_operator_answers_in_hours(centre: Any) -> None:
    agent = centre.agent("8012").ready()
    for other in ("8013", "8014"):
        centre.agent(other).pauses("meal")
    caller = at_the_menu(centre, "1").presses("0")
    caller.hears("reception/to_operator")
    agent.is_offered(caller).answers()
    caller.talks_to(agent)
    agent.hangs_up()
    caller.hears("bye")


@pytest.mark.parametrize("language", LANGUAGES)
def test_after_hours_the_operator_takes_a_message(centre: Any, language: str) -> None:
    centre.closes("desk", "2h", prompt="storm")
    caller = at_the_menu(centre, language).says("4s").presses("0")
    assert caller.hears("storm").language == LANGUAGES[language]
    caller.hears("reception/leave_after_hours")
    caller.hears_beep()
    caller.hears("reception/message_kept")
    caller.hears("bye")
    assert centre.one("messages")["box"] == "reception"


def test_a_caller_who_waits_may_leave_a_message_instead(centre: Any) -> None:
    for agent in ("8012", "8013", "8014"):
        centre.agent(agent).pauses("meal")
    caller = at_the_menu(centre).presses("0")
    caller.hears("reception/to_operator")
    caller.hears("position").says("3s").presses("1")
    caller.hears("reception/leave_after_hours")
    caller.hears_beep()
    caller.hears("reception/message_kept")


def test_nobody_logged_in_leads_to_a_message(centre: Any) -> None:
    for agent in ("8012", "8013", "8014"):
        centre.agent(agent).logs_out()
    caller = at_the_menu(centre).presses("0")
    caller.hears("reception/to_operator")
    caller.hears("reception/nobody_free")
    caller.hears("reception/leave_after_hours").hangs_up()
