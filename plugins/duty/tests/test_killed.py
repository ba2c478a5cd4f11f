"""Engines die at each command of the emergency line: the office is closed once, and the PIN is asked for again."""

from __future__ import annotations

from typing import Any

from engine.testing.killer import Killer
from plugins.duty.tests.test_duty import PIN, proved


def test_whenever_an_engine_dies_the_office_is_closed_once_and_opened_once(centre: Any) -> None:
    with Killer(centre) as killer:
        for _ in range(2):
            caller = centre.caller(number="+8613800000000").dials("*15")
            while (key := caller.hears_next().key) != "duty/which":
                caller.presses({"duty/enter_agent": "8013#", "duty/enter_pin": f"{PIN}#"}[key])
            caller.presses("2")
            if caller.hears_next().key == "duty/open_again":
                caller.presses("1")
                caller.hears("duty/opened")
            else:
                caller.presses("1730")
                caller.hears("duty/close_until").presses("1")
                proved(caller).hears("duty/closed_until")
            caller.hangs_up()
    assert killer.spared("duty") == []
    assert [entry.kind for entry in centre.journal(kind="calendar.")] == [
        "calendar.closed",
        "calendar.opened",
    ]
    centre.nowhere(PIN)
