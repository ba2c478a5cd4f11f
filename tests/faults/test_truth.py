"""Events that never come, one by one: what they would have said is found out, within half a minute."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.tap import Tap
from tests.flows.shop import Shop

FLOW = """
greet:
  - answer
  - queue: {name: desk, full: end, too_long: end, no_agents: end}
  - go: end
end:
  - play: Thank you.
  - hangup
"""
LIMIT = 30.0


def mended(centre: Any) -> list[str]:
    return [row.data["what"] for row in centre.journal(kind="mended")]


def offered(centre: Any) -> tuple[Any, Any]:
    centre.agent("202").logs_out()
    caller = centre.caller().dials("8000")
    return caller, centre.agent("201").is_offered(caller)


def leg_of(centre: Any, caller: Any) -> str:
    (leg,) = [one.uuid for one in centre.app.calls.legs.values() if one.owner == caller.uuid]
    return leg


def test_the_answer_of_an_agent_that_nobody_told(shop: Shop) -> None:
    centre = shop(FLOW)
    caller, agent = offered(centre)
    Tap(centre).loses("CHANNEL_PARK", leg_of(centre, caller))
    agent.answers()
    centre.clock.advance(12)
    caller.talks_to(agent)
    assert mended(centre) == ["an answer was not told"]


def test_a_bridge_that_nobody_told(shop: Shop) -> None:
    centre = shop(FLOW)
    caller, agent = offered(centre)
    Tap(centre).loses("CHANNEL_BRIDGE")
    agent.answers()
    centre.clock.advance(2)
    caller.talks_to(agent)
    assert agent.state == "talking"
    assert mended(centre) == ["a bridge was not told"]


@pytest.mark.parametrize("who", ["agent", "caller"])
def test_a_hang_up_that_nobody_told(shop: Shop, who: str) -> None:
    centre = shop(FLOW)
    caller, agent = offered(centre)
    agent.answers()
    caller.talks_to(agent)
    tap = Tap(centre)
    tap.loses_all(("CHANNEL_HANGUP", "CHANNEL_UNBRIDGE", "CHANNEL_PARK"))
    if who == "agent":
        agent.phone.hang_up()
    else:
        caller.sim.hang_up()
    centre.clock.advance(1)
    tap.heals()
    assert agent.state == "talking"
    centre.clock.advance(LIMIT)
    assert agent.state in ("wrap_up", "ready")
    assert len(centre.cdrs()) == 1
    assert "a hang-up was not told" in mended(centre)


def test_a_caller_who_left_the_queue_and_nobody_told(shop: Shop) -> None:
    centre = shop(FLOW)
    for agent in ("201", "202"):
        centre.agent(agent).pauses("meal")
    caller = centre.caller().dials("8000").hears_music()
    Tap(centre).loses("CHANNEL_HANGUP", caller.uuid)
    caller.sim.hang_up()
    centre.clock.advance(LIMIT)
    assert centre.app.acd.queue("desk").waiting == ()
    (cdr,) = centre.cdrs()
    assert cdr.outcome == "abandoned"


def test_nothing_is_mended_while_every_event_comes(shop: Shop) -> None:
    centre = shop(FLOW)
    caller, agent = offered(centre)
    centre.clock.advance(11)
    agent.answers()
    caller.talks_to(agent)
    centre.clock.advance(60)
    agent.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    centre.clock.advance(60)
    assert mended(centre) == []
    assert (centre.app.acd.mended, centre.app.calls.mended) == (0, 0)


def test_what_is_asked_every_few_seconds_holds_up_no_command(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand channels take the switch long to list: whoever becomes free meanwhile is rung at once."""
    centre = shop(FLOW)
    centre.caller().dials("8000")
    line = centre.app.calls.line
    waited: list[str] = []
    aside: list[str] = []
    api, bgapi = line.api, line.bgapi
    monkeypatch.setattr(
        line, "api", lambda command, *more: waited.append(str(command)) or api(command, *more)
    )
    monkeypatch.setattr(
        line, "bgapi", lambda command, *more: aside.append(str(command)) or bgapi(command, *more)
    )
    centre.clock.advance(20)
    assert not [one for one in waited if "show channels" in one]
    assert len([one for one in aside if "show channels" in one]) >= 2
