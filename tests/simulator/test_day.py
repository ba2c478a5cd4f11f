"""A long day in a moment: nothing is left behind, nobody is forgotten."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from engine.clock import VirtualClock
from engine.switch.simulator import Simulator

CALLS = 400
HOURS = 10


def test_hundreds_of_calls_of_a_ten_hour_day_all_end_and_leave_nothing(
    sim: Simulator, connect: Callable[..., Any], clock: VirtualClock
) -> None:
    client = connect("json CHANNEL_PARK CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE")

    def lead() -> None:
        for event in client.each():
            uuid = event["Unique-ID"]
            if event["Event-Name"] == "CHANNEL_PARK":
                client.api(f"sched_del {uuid}")
                client.execute(uuid, "answer")
                ask = "1 4 1 5000 # silence_stream://2000 silence_stream://10 dd \\d+ 2000"
                client.execute(uuid, "play_and_get_digits", ask, event_uuid="P", lock=True)
            elif event.get("Application-UUID") == "P" and "Hangup-Cause" not in event:
                client.execute(uuid, "hangup", "NORMAL_CLEARING")

    leader = clock.spawn(lead)
    draw = random.Random(1)

    def arrive() -> None:
        caller = sim.call("8004")
        clock.after(draw.uniform(0.5, 4), lambda: caller.ended or caller.press("12#"))

    for _ in range(CALLS):
        clock.after(draw.uniform(0, HOURS * 3600), arrive)
    clock.sleep(HOURS * 3600 + 60)
    leader.kill()
    assert len(sim.callers) == CALLS
    assert {caller.ended for caller in sim.callers} == {"NORMAL_CLEARING"}
    ends = [e for e in client.events if e["Event-Name"] == "CHANNEL_HANGUP_COMPLETE"]
    assert len(ends) == CALLS
    assert {e["variable_dd"] for e in ends} == {"12"}
    assert not sim.switch.channels
    assert not sim.switch.scheduler.tasks
