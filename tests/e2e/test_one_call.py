"""One call, all the way, on a real FreeSWITCH: by SIP, with RFC 2833 digits, an agent's phone, and kill -9."""

from __future__ import annotations

import pytest

from tests.e2e.house import House
from tests.sip.sound import loudness, read_wav

pytestmark = pytest.mark.switch


def test_a_caller_tracks_waits_talks_and_is_recorded(house: House) -> None:
    house.start("--switch", "freeswitch")
    agent = house.desk("1001")
    caller = house.outside().dial("8004").wait_answered(10)
    house.wait_step("menu")
    caller.press("2")  # English
    house.wait_for(lambda: house._call_in("main") or house._call_in("menu"), "no main menu")
    house.wait_for(lambda: (house.calls() or [{}])[0].get("flow") == "logistics/shipments", "no shipments")
    house.wait_step("menu")
    caller.press("1")
    house.wait_step("collect")
    caller.press("44018011#")
    house.wait_step("confirm")
    caller.press("1")
    ring = agent.wait_ring(20)
    house.clock.sleep(1.0)
    ring.answer()
    talk = house.wait_state("talking")
    assert talk["agent"] == "8012"
    caller.say_tone(440, 2.0)
    ring.say_tone(880, 2.0)
    house.clock.sleep(2.5)
    ring.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end", 30)
    cdr = house.cli("cdr", "list")[0]
    assert (cdr["outcome"], cdr["agent"], cdr["queue"]) == ("talked", "8012", "logistics")
    assert cdr["talked"] > 2
    recording = house.wait_for(
        lambda: [r for r in house.cli("recording", "list") if r["seconds"]], "no recording"
    )[0]
    left, right = read_wav(house.home / "var" / "recordings" / recording["path"])
    assert loudness(left) > 100
    assert loudness(right) > 100
    kinds = [row["kind"] for row in house.cli("call", "show", cdr["call"])["journal"]]
    for kind in ("call.arrived", "queue.entered", "offer.made", "call.talking", "call.ended"):
        assert kind in kinds
    assert house.stop() == 0
