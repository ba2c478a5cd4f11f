"""Closing the office by phone, and opening it again: *15, agent number, PIN, calendar, time."""

from __future__ import annotations

from typing import Any

import pytest

NUMBER = "*15"
PIN = "4813"  # of agent 8013, a supervisor, published in conf/agents.yaml
AGENTS_PIN = "4812"  # of agent 8012, who is none


def signed_in(centre: Any, agent: str = "8013", pin: str = PIN) -> Any:
    caller = centre.caller(number="+8613800000000").dials(NUMBER)
    caller.hears("duty/enter_agent").presses(f"{agent}#")
    caller.hears("duty/enter_pin").presses(f"{pin}#")
    return caller


def closed_until(centre: Any, typed: str, *, key: str = "2") -> Any:
    """A supervisor closes a calendar (2: the desk) until the typed time; the caller, who then hears `closed_until`."""
    caller = signed_in(centre)
    caller.hears("duty/which").presses(key)
    caller.hears("duty/enter_time").presses(typed)
    caller.hears("duty/close_until").presses("1")
    return proved(caller)


def proved(caller: Any) -> Any:
    """The supervisor types the two digits that are read out."""
    said = caller.hears("duty/type_digits")
    return said.presses(said.values["code"])


def test_a_supervisor_closes_the_desk_and_the_next_caller_hears_it(centre: Any) -> None:
    before = centre.caller(number="+8613800000001").dials("8800")
    before.hears("reception/choose_language").presses("2")
    before.hears("reception/main_menu")
    caller = closed_until(centre, "1730")
    assert str(caller.hears("duty/closed_until").values["until"]).startswith("2026-11-23 17:30")
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"
    before.presses("0")  # also a call that was there already
    before.hears("reception/leave_after_hours")
    (entry,) = centre.journal(kind="calendar.closed")
    assert (entry.data["calendar"], entry.data["by"], entry.data["how"]) == ("desk", "8013", "phone")
    row = centre.one("closures")
    assert (row["calendar"], row["by"], row["how"], row["ended"]) == ("desk", "8013", "phone", None)
    centre.nowhere(PIN)


def test_a_time_that_is_past_means_tomorrow(centre: Any) -> None:
    caller = closed_until(centre, "0800")  # it is nine in the morning
    assert str(caller.hears("duty/closed_until").values["until"]).startswith("2026-11-24 08:00")


def test_a_closure_is_over_by_itself(centre: Any) -> None:
    closed_until(centre, "0910").hears("duty/closed_until").hangs_up()
    assert not centre.app.closing.state("desk").open
    centre.clock.advance("10m")
    assert centre.app.closing.state("desk").open


def test_a_closure_survives_the_engine(centre: Any) -> None:
    closed_until(centre, "1730").hears("duty/closed_until").hangs_up()
    centre.engine.kill()
    centre.engine.start()
    assert not centre.app.closing.state("desk").open


def test_the_supervisor_opens_again(centre: Any) -> None:
    closed_until(centre, "1730").hears("duty/closed_until").hangs_up()
    caller = signed_in(centre)
    caller.hears("duty/which").presses("2")
    caller.hears("duty/open_again").presses("1")
    caller.hears("duty/opened")
    assert centre.app.closing.state("desk").open
    (entry,) = centre.journal(kind="calendar.opened")
    assert (entry.data["calendar"], entry.data["by"]) == ("desk", "8013")


def test_the_supervisor_moves_the_end(centre: Any) -> None:
    closed_until(centre, "1730").hears("duty/closed_until").hangs_up()
    caller = signed_in(centre)
    caller.hears("duty/which").presses("2")
    caller.hears("duty/open_again").presses("2")
    caller.hears("duty/enter_time").presses("1000")
    caller.hears("duty/close_until").presses("1")
    proved(caller).hears("duty/closed_until").hangs_up()
    state = centre.app.closing.state("desk")
    assert not state.open
    assert f"{state.until:%H:%M}" == "10:00"


def test_a_mistyped_time_is_typed_again(centre: Any) -> None:
    caller = signed_in(centre)
    caller.hears("duty/which").presses("1")
    caller.hears("duty/enter_time").presses("2575#")
    caller.hears("wrong")
    caller.hears("duty/enter_time").presses("1700")
    caller.hears("duty/close_until").presses("2")
    caller.hears("duty/enter_time").presses("1800")
    caller.hears("duty/close_until").presses("1")
    assert str(proved(caller).hears("duty/closed_until").values["until"]).startswith("2026-11-23 18:00")
    assert not centre.app.closing.state("office").open
    assert centre.app.closing.state("desk").open


def test_an_agent_who_is_no_supervisor_may_not(centre: Any) -> None:
    caller = signed_in(centre, "8012", AGENTS_PIN)
    caller.hears("duty/not_allowed")
    caller.hears("bye")
    assert centre.rows("closures") == []


def test_wrong_pins_lock_and_an_unknown_agent_is_told_apart_by_nothing(centre: Any) -> None:
    for agent in ("8013", "7777"):
        caller = signed_in(centre, agent, "0000")
        caller.hears("duty/wrong_pin")
        caller.hears("duty/enter_agent").hangs_up()
    for _ in range(2):
        signed_in(centre, "8013", "0000").hears("duty/wrong_pin").hangs_up()
    signed_in(centre, "8013", "0000").hears("duty/locked").hangs_up()
    signed_in(centre).hears("duty/locked")  # by now also with the right one
    assert centre.rows("closures") == []


def test_the_digits_are_asked_for_once_more_and_then_nothing_is_closed(centre: Any) -> None:
    caller = signed_in(centre)
    caller.hears("duty/which").presses("2")
    caller.hears("duty/enter_time").presses("1730")
    caller.hears("duty/close_until").presses("1")
    first = caller.hears("duty/type_digits").presses("00").hears("duty/type_digits")
    first.presses("00").hears("duty/nothing_changed")
    assert centre.rows("closures") == []
    assert [one.data["attempt"] for one in centre.journal(kind="duty_challenge.wrong")] == [1, 2]


def test_a_restart_while_the_digits_are_asked_for_asks_again(centre: Any) -> None:
    caller = signed_in(centre)
    caller.hears("duty/which").presses("2")
    caller.hears("duty/enter_time").presses("1730")
    caller.hears("duty/close_until").presses("1")
    caller.hears("duty/type_digits")
    centre.engine.kill()
    centre.engine.start()
    proved(caller).hears("duty/closed_until")


@pytest.mark.parametrize("silent_at", ["which", "enter_time", "close_until", "type_digits"])
def test_whoever_stays_silent_changes_nothing(centre: Any, silent_at: str) -> None:
    caller = signed_in(centre)
    typed = {"which": "2", "enter_time": "1730", "close_until": "1"}
    for prompt in ("which", "enter_time", "close_until", "type_digits"):
        caller.hears(f"duty/{prompt}")
        if prompt == silent_at:
            break
        caller.presses(typed[prompt])
    caller.stays_silent()
    assert caller.ended == "NORMAL_CLEARING"
    assert centre.rows("closures") == []
