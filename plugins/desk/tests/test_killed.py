"""A PIN dies with the engine that asked for it: whoever typed it is asked again, and hears what he would have heard."""

from __future__ import annotations

from typing import Any

from engine.testing.killer import Killer

TYPED = {"desk/enter_agent": "8013#", "desk/enter_pin": "4813#", "desk/enter_heard": "8012#"}
LINES = {
    "*11": "desk/logged_in",
    "*17": "desk/no_messages",
    "*18": "desk/agent_not_talking",
    "*10": "desk/lead_top",
}


def test_whoever_typed_a_pin_is_asked_again_and_goes_on(centre: Any) -> None:
    with Killer(centre) as killer:
        for number, heard in LINES.items():
            caller = centre.caller(number="1002", origin="internal").dials(number)
            asked = []
            while (key := caller.hears_next().key) != heard:
                asked.append(key)
                caller.presses(TYPED[key])
            assert asked.count("desk/enter_pin") > 1, "no engine died"
            caller.hangs_up()
    assert killer.deaths == 12
    centre.nowhere("4813")
