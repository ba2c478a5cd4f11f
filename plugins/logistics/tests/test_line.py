"""Conversations with the shipments line (sample company, a working Monday, nine in the morning)."""

from __future__ import annotations

from typing import Any

import pytest

LINE = "8004"


def opened(centre: Any, language: str = "zh-CN") -> Any:
    """A caller who chose a language and hears the main menu."""
    caller = centre.caller(number="+8613800000000").dials(LINE)
    caller.hears("logistics/choose_language").presses("1" if language == "zh-CN" else "2")
    caller.hears("recorded_notice")
    caller.hears("logistics/main_menu")
    return caller


def tracked(centre: Any, number: str, language: str = "zh-CN") -> Any:
    """A caller who typed a waybill number."""
    caller = opened(centre, language).presses("1")
    return caller.hears("logistics/enter_waybill").presses(f"{number}#")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(
    ("number", "prompts"),
    [
        ("44018001", ["accepted_text", "due_text"]),
        ("44018002", ["collected_text", "due_text", "service_done_text", "service_open_text"]),
        ("44018003", ["collected_text", "due_text"]),
        (
            "44018004",
            ["departed_text", "window_text", *["service_done_text"] * 3, "service_open_text"],
        ),
        ("44018005", ["transit_text", "due_text"]),
        ("44018006", ["arrived_text", "due_text", "service_done_text", "service_open_text"]),
        ("44018007", ["delivering_text", "due_text"]),
        ("44018008", ["delivered_text", "service_done_text", "service_done_text", "service_open_text"]),
        ("44018009", ["late_apology", "transit_text", "service_open_text"]),
        ("80010440180016", ["departed_text", "window_text"]),
    ],
)
def test_a_caller_hears_where_the_shipment_is(
    centre: Any, language: str, number: str, prompts: list[str]
) -> None:
    caller = tracked(centre, number, language)
    for prompt in prompts:
        caller.hears(f"logistics/{prompt}")
    caller.hears("logistics/anything_else").stays_silent()
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"


def test_the_place_and_the_day_are_those_of_the_waybill(centre: Any) -> None:
    said = tracked(centre, "44018008").hears("logistics/delivered_text")
    assert said.text.startswith("您的运单四四零幺 八零零八已于十一月二十二日下午两点二十二分在成都签收")


@pytest.mark.parametrize(
    ("number", "prompt"),
    [
        ("44018010", "held_text"),
        ("44018011", "damaged_text"),
        ("44018012", "short_text"),
        ("44018013", "refused_text"),
        ("44018014", "readdressed_text"),
    ],
)
def test_what_stands_in_the_way_is_said_and_the_desk_is_offered(
    centre: Any, number: str, prompt: str
) -> None:
    caller = tracked(centre, number)
    caller.hears(f"logistics/{prompt}")
    caller.hears("logistics/speak_to_desk").presses("2")
    caller.hears("logistics/anything_else").hangs_up()


def test_an_unknown_number_may_be_typed_again(centre: Any) -> None:
    caller = tracked(centre, "99999999")
    caller.hears("logistics/no_such_waybill")
    caller.hears("logistics/try_again").presses("1")
    caller.hears("logistics/enter_waybill").presses("44018004#")
    caller.hears("logistics/departed_text")


def test_star_leads_back_to_the_main_menu(centre: Any) -> None:
    caller = tracked(centre, "44018011")
    caller.hears("logistics/damaged_text")
    caller.hears("logistics/speak_to_desk").stays_silent()
    caller.hears("silent")
    caller.hears("logistics/speak_to_desk").presses("2")
    caller.hears("logistics/anything_else").presses("*")
    caller.hears("logistics/main_menu").presses("*")
    caller.hears("logistics/main_menu").hangs_up()


def test_a_number_that_is_too_short_is_asked_for_again_and_then_the_desk_helps(centre: Any) -> None:
    caller = opened(centre).presses("1")
    for attempt in range(3):
        caller.hears("logistics/enter_waybill").presses("123#")
        if attempt < 2:
            caller.hears("logistics/wrong_waybill")
    caller.hears("connecting")


def test_a_caller_who_presses_nothing_is_led_to_the_desk(centre: Any) -> None:
    caller = centre.caller(number="+8613800000000").dials(LINE)
    caller.hears("logistics/choose_language").stays_silent()
    caller.hears("silent")
    caller.hears("logistics/choose_language").stays_silent()
    caller.hears("recorded_notice")
    for attempt in range(3):
        caller.hears("logistics/main_menu").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("connecting")


def test_an_agent_answers_and_sees_the_waybill(centre: Any) -> None:
    agent = centre.agent("8012").ready()
    caller = tracked(centre, "44018011")
    caller.hears("logistics/damaged_text")
    caller.hears("logistics/speak_to_desk").presses("1")
    caller.hears("connecting")
    agent.is_offered(caller).sees(waybill="44018011").answers()
    agent.hangs_up()
    caller.hears("bye")


def test_a_waiting_caller_hears_the_position_every_forty_seconds(centre: Any) -> None:
    centre.agent("8012").ready()
    first, second = opened(centre).presses("0"), opened(centre).presses("0")
    first.hears("connecting")
    second.hears("connecting")
    second.hears("position", position=2)
    centre.clock.advance(40)
    second.hears("position", position=2)


def test_without_an_agent_the_caller_hears_an_apology(centre: Any) -> None:
    for agent in ("8012", "8013", "8014"):
        centre.agent(agent).logs_out()
    caller = opened(centre).presses("0")
    caller.hears("connecting")
    caller.hears("no_agents")
    caller.hears("bye")


def test_when_the_waybill_system_does_not_answer_the_desk_helps(centre: Any) -> None:
    centre.adapter("logistics.WaybillSystem").hangs()
    caller = tracked(centre, "44018004")
    caller.hears("logistics/waybills_unreachable")
    caller.hears("connecting")


def test_when_the_desk_is_closed_tracking_goes_on(centre: Any) -> None:
    centre.closes("desk", "1h", "closed")
    caller = tracked(centre, "44018004")
    caller.hears("logistics/departed_text")
    caller.hears("logistics/window_text")
    for _ in range(4):
        caller.hears_next()
    caller.hears("logistics/anything_else").presses("0")
    caller.hears("logistics/closed")
    caller.hears("bye")


JOURNEY = [
    ("logistics/choose_language", "1"),
    ("recorded_notice", ""),
    ("logistics/main_menu", "1"),
    ("logistics/enter_waybill", "44018011#"),
    ("logistics/damaged_text", ""),
    ("logistics/speak_to_desk", "1"),
    ("connecting", ""),
]


@pytest.mark.parametrize("steps", range(len(JOURNEY)), ids=[prompt for prompt, _ in JOURNEY])
def test_a_caller_may_hang_up_at_any_step_and_leaves_one_cdr(centre: Any, steps: int) -> None:
    caller = centre.caller(number="+8613800000000").dials(LINE)
    for prompt, keys in JOURNEY[:steps]:
        caller.hears(prompt)
        if keys:
            caller.presses(keys)
    caller.hears(JOURNEY[steps][0]).hangs_up()
    assert centre.calls() == []
    assert [row.number for row in centre.cdrs()] == ["+8613800000000"]
