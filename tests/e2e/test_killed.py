"""kill -9 of the engine on a real FreeSWITCH, at every stage of a call: the caller notices nothing."""

from __future__ import annotations

import pytest

from tests.e2e.house import House
from tests.sip.phone import Call, Telephone

pytestmark = pytest.mark.switch


def in_main_menu(house: House) -> Call:
    caller = house.outside().dial("8004").wait_answered(10)
    house.wait_step("menu")
    caller.press("2")
    house.wait_for(lambda: (house.calls() or [{}])[0].get("flow") == "logistics/shipments", "no desk")
    call = house.wait_step("menu")
    house.wait_for(
        lambda: "play_and_get_digits" in house.switch(f"uuid_getvar {call['id']} current_application"),
        "the menu does not collect",
    )
    return caller


def restarted(house: House) -> None:
    house.kill()
    house.start("--switch", "freeswitch")


def finish(house: House, agent: Telephone) -> dict[str, object]:
    """The agent hangs up, the caller hears the goodbye, and there is one CDR."""
    for call in list(agent.calls.values()):
        call.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end", 30)
    (cdr,) = house.cli("cdr", "list")
    return dict(cdr)


def test_killed_in_a_menu_the_digits_pressed_meanwhile_count(house: House) -> None:
    house.start("--switch", "freeswitch")
    caller = in_main_menu(house)
    house.kill()
    caller.press("1")  # nobody is there to hear it but the switch
    house.start("--switch", "freeswitch")
    house.wait_step("collect")
    caller.press("44018004#")
    house.wait_step("say")
    caller.hang_up()
    house.wait_for(lambda: house.get("/cdrs"), "no CDR")
    (cdr,) = house.cli("cdr", "list")
    assert cdr["adopted"] == 1
    assert cdr["flow"] == "logistics/main"


def test_killed_in_a_menu_the_menu_goes_on(house: House) -> None:
    house.start("--switch", "freeswitch")
    caller = in_main_menu(house)
    restarted(house)
    house.wait_step("menu")
    caller.press("1")
    house.wait_step("collect")


def test_killed_in_the_queue_the_caller_keeps_the_place(house: House) -> None:
    house.start("--switch", "freeswitch")
    caller = in_main_menu(house)
    caller.press("0")
    house.wait_state("queued")
    entered = house.cli("queue", "show", "logistics")["waiting"][0]["since"]
    restarted(house)
    waiting = house.wait_for(lambda: house.get("/queues/logistics")["waiting"], "nobody waits")
    assert len(waiting) == 1
    assert abs(_seconds(waiting[0]["since"]) - _seconds(entered)) < 2
    agent = house.desk("1001")
    agent.wait_ring(20).answer()
    house.wait_state("talking")
    cdr = finish(house, agent)
    assert (cdr["outcome"], cdr["agent"], cdr["adopted"]) == ("talked", "8012", 1)


def test_killed_in_the_talk_they_go_on_talking_and_the_flow_goes_on_behind(house: House) -> None:
    house.start("--switch", "freeswitch")
    agent = house.desk("1001")
    caller = in_main_menu(house)
    caller.press("0")
    ring = agent.wait_ring(20)
    ring.answer()
    house.wait_state("talking")
    house.kill()
    caller.say_tone(440, 3.0)
    ring.wait_hears(440, 5.0)
    house.start("--switch", "freeswitch")
    caller.say_tone(660, 3.0)
    ring.wait_hears(660, 5.0)
    talk = house.wait_state("talking")
    assert talk["agent"] == "8012"
    states = {agent["id"]: agent["state"] for agent in house.cli("agent", "list")}
    assert states["8012"] == "talking"
    cdr = finish(house, agent)
    assert (cdr["outcome"], cdr["agent"], cdr["adopted"]) == ("talked", "8012", 1)
    assert float(str(cdr["talked"])) > 3  # of both engines together


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
