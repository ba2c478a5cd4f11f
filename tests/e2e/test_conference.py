"""The conference step on a real FreeSWITCH: callers hear each other, leave by star, and stay while the engine dies."""

from __future__ import annotations

import pytest

from tests.e2e.house import House

pytestmark = pytest.mark.switch

FLOW = """\
grammar: 1
flow: hall/main
revision: 1
title: A hall
owner: tests
languages: [en]
start: enter
blocks:
  enter:
    - answer
    - conference: {room: "4711", invite: [1002], failed: bye}
    - menu: {prompt: You left. Press one to leave., options: {1: bye}, give_up: bye}
  bye:
    - play: Bye.
    - hangup
"""


def test_callers_and_an_invited_phone_hear_each_other(house: House) -> None:
    house.add_department("hall", "8077", {"flows/main.yaml": FLOW})
    plan = house.home / "dialplans" / "main.yaml"
    rule = 'numbers:\n  - {to: "1002", extension: "1002"}\n'
    plan.write_text(plan.read_text(encoding="utf-8").replace("numbers:\n", rule, 1), encoding="utf-8")
    house.start("--switch", "freeswitch")
    desk = house.desk("1002")
    one = house.outside("13800138001").dial("8077").wait_answered(10)
    ring = desk.wait_ring(10)
    ring.answer()
    other = house.outside("13800138002").dial("8077").wait_answered(10)
    desk.wait_ring(10).reject(486)

    def inside() -> int:
        return sum(len(room["members"]) for room in house.get("/conferences") or [])

    house.wait_for(lambda: inside() == 3, "three are not in the room")
    one.say_tone(440, 3.0)
    house.wait_for(
        lambda: other.sound.hears(440) > 1000 and ring.sound.hears(440) > 1000, "440 Hz is not heard"
    )
    house.clock.sleep(3.0)
    ring.say_tone(880, 3.0)
    house.wait_for(lambda: one.sound.hears(880) > 1000, "880 Hz is not heard")
    print("FIGURE heard:", round(one.sound.hears(880)))

    # The engine dies; nobody in the room notices.
    house.kill()
    house.clock.sleep(3.0)
    assert not any(leg.over for leg in (one, other, ring))
    house.start("--switch", "freeswitch")
    house.wait_for(lambda: inside() == 3, "somebody was lost")
    house.wait_for(lambda: [c["state"] for c in house.calls()] == ["talking"] * 2, "not taken up")

    # Out by the star: the flow goes on.
    one.press("*")
    house.wait_for(lambda: house._call_in("menu"), "the star does not lead out")
    house.wait_for(lambda: inside() == 2, "still in the room")
    one.hang_up()
    other.hang_up()
    house.wait_for(lambda: not house.calls(), "the calls did not end")
    house.wait_for(lambda: ring.over, "the invited one is left alone", 10)
    look = "show channels as json"
    house.wait_for(lambda: '"rows"' not in house.switch(look), f"left: {house.switch(look)}", 10)
    assert house.stop() == 0
