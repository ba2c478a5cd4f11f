"""A supervisor on a real FreeSWITCH: who hears what in each mode, over a hold, after the engine's death, taken over."""

from __future__ import annotations

import pytest

from tests.e2e.house import House
from tests.e2e.test_talks import FLOW, hears, hears_not, mode, state

pytestmark = pytest.mark.switch


def test_listen_whisper_barge_take_over(house: House) -> None:
    house.add_department("talks", "8056", {"flows/main.yaml": FLOW})
    house.start("--switch", "freeswitch")
    desk, lead_phone = house.desk("1001"), house.desk("1002")
    house.post("/agents/8013/pause", reason="meeting")  # 8013 is the supervisor
    house.wait_for(lambda: state(house, "8012") == "ready", "8012 is not ready", 30)
    caller = house.outside().dial("8056").wait_answered(10)
    one = desk.wait_ring(10)
    one.answer()
    house.wait_state("talking")

    house.post("/supervisions/8012", by="8013", phone="1002")
    lead = lead_phone.wait_ring(10)
    lead.answer()
    house.wait_for(lambda: (house.get("/supervisions") or [{}])[0].get("listens"), "does not listen", 5)
    house.clock.sleep(0.5)
    hears(house, caller, lead, 1013, "the supervisor does not hear the caller")
    hears(house, one, lead, 1237, "the supervisor does not hear the agent")
    hears_not(house, lead, one, 1571, "the agent hears who only listens")
    hears_not(house, lead, caller, 1571, "the caller hears who only listens")

    house.post("/supervisions/8012", by="8013", mode="whisper")
    house.clock.sleep(0.3)
    hears(house, lead, one, 1571, "the agent does not hear the whisper")
    hears_not(house, lead, caller, 1571, "the caller hears the whisper")

    lead.press("3")  # by the phone's own key
    house.wait_for(lambda: house.get("/supervisions")[0]["mode"] == "barge", "the key was not heard of", 5)
    hears(house, lead, one, 1571, "the agent does not hear the supervisor")
    hears(house, lead, caller, 1571, "the caller does not hear the supervisor")

    # The ear follows the agent's leg through a hold.
    assert mode(house, "hold") == "held"
    house.clock.sleep(0.5)
    assert not lead.over
    assert mode(house, "resume") == "talking"
    house.clock.sleep(0.5)
    hears(house, caller, lead, 1013, "the supervisor does not hear the caller after a hold")

    # Taken over: the caller talks to the supervisor, the agent is free.
    began = house.clock.monotonic()
    lead.press("9")
    house.wait_for(lambda: not house.get("/supervisions"), "the key was not heard of", 5)
    print(f"FIGURE take over: {(house.clock.monotonic() - began) * 1000:.0f} ms")
    house.wait_for(lambda: one.over, "the agent was not let go", 3)
    hears(house, lead, caller, 1571, "the caller does not hear who took over")
    hears(house, caller, lead, 1013, "who took over does not hear the caller")
    assert state(house, "8012") == "wrap_up"
    # He has the keys of an agent now, and another engine finds the two talking.
    house.kill()
    house.clock.sleep(1)
    house.start("--switch", "freeswitch")
    house.wait_state("talking")
    lead.hang_up()
    house.wait_step("menu")
    caller.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")
    house.wait_for(lambda: '"rows"' not in house.switch("show channels as json"), "channels are left", 10)
    assert house.stop() == 0
