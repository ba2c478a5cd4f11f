"""Agents on their own line: log in and out, ready, pause. The dialplan's numbers are *11 to *14, and *16."""

from __future__ import annotations

from typing import Any

import pytest

LOGIN, LOGOUT, READY, PAUSE, DISPOSITION = "*11", "*12", "*13", "*14", "*16"
PIN = "4812"  # of agent 8012, published in conf/agents.yaml


def from_desk(centre: Any, number: str, phone: str = "1001") -> Any:
    return centre.caller(number=phone, origin="internal").dials(number)


def test_an_agent_logs_in_by_phone_and_the_pin_is_nowhere(centre: Any) -> None:
    centre.agent("8012").logs_out()
    caller = from_desk(centre, LOGIN)
    caller.hears("desk/enter_agent").presses("8012#")
    caller.hears("desk/enter_pin").presses(f"{PIN}#")
    caller.hears("desk/logged_in", agent="8012")
    assert centre.agent("8012").state == "ready"
    centre.nowhere(PIN)


def test_a_wrong_pin_is_refused_as_an_unknown_agent_is(centre: Any) -> None:
    centre.agent("8012").logs_out()
    for agent in ("8012", "7777"):
        caller = from_desk(centre, LOGIN)
        caller.hears("desk/enter_agent").presses(f"{agent}#")
        caller.hears("desk/enter_pin").presses("0000#")
        caller.hears("desk/wrong_pin")
        caller.hears("desk/enter_agent").hangs_up()
    assert centre.agent("8012").state == "logged_out"


def test_a_phone_that_another_agent_holds_is_refused(centre: Any) -> None:
    centre.agent("8012").logs_out()
    caller = from_desk(centre, LOGIN, phone="1002")
    caller.hears("desk/enter_agent").presses("8012#")
    caller.hears("desk/enter_pin").presses(f"{PIN}#")
    caller.hears("desk/phone_taken")


def test_an_agent_takes_a_break_and_comes_back(centre: Any) -> None:
    caller = from_desk(centre, PAUSE)
    caller.hears("desk/pause_reasons").presses("2")
    caller.hears("desk/paused")
    agent = centre.agent("8012")
    assert (agent.state, agent.reason) == ("paused", "meal")
    from_desk(centre, READY).hears("desk/ready_again")
    assert centre.agent("8012").state == "ready"


def test_a_break_without_a_reason_changes_nothing(centre: Any) -> None:
    caller = from_desk(centre, PAUSE)
    caller.hears("desk/pause_reasons").stays_silent()
    caller.hears("silent")
    caller.hears("desk/pause_reasons").stays_silent()
    caller.hears("desk/nothing_changed")
    assert centre.agent("8012").state == "ready"


def test_an_agent_logs_out_and_the_phone_has_nobody(centre: Any) -> None:
    from_desk(centre, LOGOUT).hears("desk/logged_out")
    assert centre.agent("8012").state == "logged_out"
    from_desk(centre, LOGOUT).hears("desk/not_logged_in")
    from_desk(centre, READY).hears("desk/not_logged_in")


def test_a_call_from_outside_is_turned_away_whatever_number_it_shows(centre: Any) -> None:
    for number in (LOGIN, LOGOUT, READY, PAUSE):
        centre.caller(number="1001").dials(number).hears("desk/from_inside_only")
    assert centre.agent("8012").state == "ready"


def test_without_a_call_there_is_nothing_to_note(centre: Any) -> None:
    caller = from_desk(centre, DISPOSITION)
    caller.hears("desk/enter_disposition").presses("1#")
    caller.hears("desk/no_call")
    centre.agent("8012").logs_out()
    from_desk(centre, DISPOSITION).hears("desk/not_logged_in")


def test_what_came_of_a_call_stands_in_its_cdr(centre: Any) -> None:
    for other in ("8013", "8014"):
        centre.agent(other).logs_out()
    caller = centre.caller().dials("8004")
    agent = centre.agent("8012")
    centre.app.acd.config.queues["logistics"].dispositions.update({"1": "solved", "2": "ticket"})
    try:
        to_the_desk(caller)
        agent.is_offered(caller).answers()
        centre.clock.advance(5)
        agent.hangs_up()
        caller.hangs_up()
        assert agent.state == "wrap_up"
        phone = from_desk(centre, DISPOSITION)
        phone.hears("desk/enter_disposition").presses("7#")
        phone.hears("desk/unknown_disposition")
        phone.hears("desk/enter_disposition").presses("2#")
        phone.hears("desk/disposed")
        assert agent.state == "ready"
        (cdr,) = [cdr for cdr in centre.cdrs() if cdr.call == caller.uuid]
        assert cdr.disposition == "ticket"
    finally:
        centre.app.acd.config.queues["logistics"].dispositions.clear()


def to_the_desk(caller: Any) -> None:
    """Through the menus of the shipments' line to a person."""
    caller.hears("logistics/choose_language").presses("1")
    caller.hears("recorded_notice")
    caller.hears("logistics/main_menu").presses("0")


# -- what seldom happens ----------------------------------------------------------------------------------


def test_an_agent_who_types_nothing_at_the_login_is_let_go(centre: Any) -> None:
    centre.agent("8012").logs_out()
    caller = from_desk(centre, LOGIN)
    for _ in range(2):
        caller.hears("desk/enter_agent").stays_silent()
        caller.hears("silent")
    caller.hears("desk/enter_agent").stays_silent()
    assert caller.ended
    caller = from_desk(centre, LOGIN)
    caller.hears("desk/enter_agent").presses("8012#")
    caller.hears("desk/enter_pin").stays_silent()
    caller.hears("silent")
    caller.hears("desk/enter_pin").stays_silent()
    assert caller.ended
    assert centre.agent("8012").state == "logged_out"


def test_an_agent_who_guesses_at_the_pin_is_locked(centre: Any) -> None:
    centre.agent("8012").logs_out()
    caller = from_desk(centre, LOGIN)
    for _ in range(4):
        caller.hears("desk/enter_agent").presses("8012#")
        caller.hears("desk/enter_pin").presses("0000#")
        caller.hears("desk/wrong_pin")
    caller.hears("desk/enter_agent").presses("8012#")
    caller.hears("desk/enter_pin").presses("0000#")
    caller.hears("desk/locked")
    assert caller.ended


@pytest.mark.parametrize(("key", "reason"), [("1", "break"), ("3", "meeting"), ("4", "training")])
def test_every_reason_for_a_break_is_kept(centre: Any, key: str, reason: str) -> None:
    caller = from_desk(centre, PAUSE)
    caller.hears("desk/pause_reasons").presses(key)
    caller.hears("desk/paused")
    assert centre.agent("8012").reason == reason


def test_a_phone_that_nobody_sits_at_takes_no_break(centre: Any) -> None:
    centre.agent("8012").logs_out()
    from_desk(centre, PAUSE).hears("desk/not_logged_in")
