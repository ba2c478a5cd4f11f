"""An agent hears a flow with its caller on hold, on a real FreeSWITCH: keys, words, back, the caller sent into it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.test_talks import FLOW, Scene, hears, hears_not, state
from tests.sip.sound import loudness, pcm

pytestmark = pytest.mark.switch

TRACK = """\
grammar: 1
flow: track/main
revision: 1
title: Track
owner: tests
languages: [en]
start: ask
blocks:
  ask:
    - answer
    - collect: {into: waybill, as: digits, length: 4, prompt: Your number please., give_up: bye}
    - play: It is on its way.
    - menu: {prompt: Press one to leave., options: {1: bye}, give_up: bye}
  bye:
    - hangup
"""


@pytest.fixture
def scene(house: House) -> Any:
    house.add_department("talks", "8056", {"flows/main.yaml": FLOW})
    house.add_department("track", "8973", {"flows/main.yaml": TRACK})
    house.start("--switch", "freeswitch")
    return Scene(house)


def test_hearing_a_flow(house: House, scene: Scene) -> None:
    caller, one = scene.begin()
    mine = house.calls()[0]["id"]
    house.clock.sleep(0.7)

    def heard() -> dict[str, Any]:
        return next((call for call in house.calls() if call["id"] != mine), {})

    def talk() -> str:
        return str(house.get(f"/calls/{mine}/talk").get("talk", ""))

    def hear_it(keys: str) -> None:
        one.press(keys)
        house.wait_for(lambda: talk() == "consulting", "the flow is not heard", 15)

    began = house.clock.monotonic()
    hear_it("*58973#")
    print(f"FIGURE flow heard after {(house.clock.monotonic() - began) * 1000:.0f} ms")
    house.wait_for(lambda: "collect" in heard().get("step", ""), "the flow does not ask", 10)
    assert state(house, "8012") == "hold"
    house.wait_for(
        lambda: loudness(pcm(bytes(one.sound.heard[-8000:]))) > 300, "the agent hears nothing of the flow", 8
    )
    one.press("4711")
    house.wait_for(lambda: "menu" in heard().get("step", ""), "the agent's keys do not come to the flow", 20)
    assert caller.sound.digits == []
    hears_not(house, one, caller, 1237, "the caller hears the agent")
    one.press("*4")
    house.wait_for(lambda: talk() == "talking", "not back", 5)
    house.wait_for(lambda: not heard(), "the flow runs on", 5)
    hears(house, one, caller, 1237, "no talk after the flow")
    # Killed with -9 while it is heard; then the caller is sent into it.
    hear_it("*58973#")
    house.wait_for(lambda: "collect" in heard().get("step", ""), "the flow does not ask again", 10)
    house.kill()
    house.clock.sleep(1)
    house.start("--switch", "freeswitch")
    house.wait_for(lambda: talk() == "consulting", "not taken up", 10)
    one.press("*2")
    house.wait_for(lambda: one.over, "the first was not let go", 5)
    house.wait_for(lambda: not heard(), "the flow that was heard runs on", 5)
    call = house.wait_step("collect")
    assert (call["id"], call["flow"]) == (mine, "track/main")
    house.clock.sleep(2)
    caller.press("4711")
    house.wait_step("menu")
    scene.over(caller)
    cdrs = {cdr["call"]: cdr for cdr in house.cli("cdr", "list")}
    print("FIGURE cdr:", [(cdr["data"].get("direction"), cdr["data"].get("moves")) for cdr in cdrs.values()])
    assert [cdr["data"].get("direction") for cdr in cdrs.values()].count("asked") == 2
    assert house.stop() == 0
