"""An agent hears a flow with the caller on hold (to look up a waybill), comes back, or sends the caller into it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing.home import Home
from tests.flows.shop import Shop
from tests.flows.test_talks import AGENTS, FLOW, QUEUES, hears_music_now, order, talking

TRACK = """
ask:
  - answer
  - collect: {into: waybill, as: digits, length: 4, prompt: Your number?, give_up: bye}
  - play: It is on its way.
  - play: Anything else?
  - music: {for: 60s}
  - go: bye
bye:
  - play: Goodbye.
  - hangup
"""


@pytest.fixture
def centre(home: Home, shop: Shop) -> Any:
    home.write("conf/agents.yaml", AGENTS)
    home.write("conf/queues.yaml", QUEUES)
    home.flow("shop/track", TRACK)
    home.number("8009", "shop/track")
    return shop(FLOW)


def inner(centre: Any, caller: Any) -> Any:
    """The call by which the flow is heard."""
    (found,) = [call for call in centre.app.calls if call.id != caller.uuid]
    return found


def hearing(centre: Any, by: str = "command") -> tuple[Any, Any, Any]:
    caller, one, _ = talking(centre)
    if by == "command":
        order(centre, caller, "consult", "flow:shop/track")
    else:
        one.phone.press("*58009#")
    centre.clock.advance(1.5)
    assert mode(centre, caller) == "consulting"
    return caller, one, inner(centre, caller)


def mode(centre: Any, caller: Any) -> str:
    return str(centre.app.calls.get(caller.uuid).talk.mode)


def nothing_left(centre: Any, one: Any) -> None:
    centre.clock.advance(3)
    assert not centre.calls()
    assert one.phone.state == "idle"
    assert not centre.simulator.switch.channels


@pytest.mark.parametrize("by", ["command", "key"])
def test_the_agent_hears_the_flow_and_its_keys_go_there_while_the_caller_hears_music(
    centre: Any, by: str
) -> None:
    caller, one, call = hearing(centre, by)
    assert hears_music_now(centre, caller)
    assert one.state == "hold"
    assert (call.flow, call.step, call.number) == ("shop/track", "ask[2] collect", caller.view.number)
    one.phone.press("4711")
    centre.clock.advance(4)
    assert call.step.startswith("ask[")
    assert call.step not in ("ask[1] answer", "ask[2] collect")
    assert caller.sim.keys_heard == ""
    assert order(centre, caller, "back") == "talking"
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert len(centre.calls()) == 1
    one.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    nothing_left(centre, one)
    heard = next(cdr for cdr in centre.cdrs() if cdr.call == call.id)
    assert heard.data["direction"] == "asked"
    assert (heard.data["asked_for"], heard.data["asked_by"]) == (caller.uuid, "201")
    mine = next(cdr for cdr in centre.cdrs() if cdr.call == caller.uuid)
    assert mine.data["asked"][0]["to"] == "flow shop/track"


def test_the_flow_ends_and_the_two_are_together(centre: Any) -> None:
    caller, one, call = hearing(centre)
    centre.clock.advance(120)
    assert call.leg.gone is not None
    assert mode(centre, caller) == "talking"
    assert caller.sim.bridged_to == one.phone.ring.uuid


@pytest.mark.parametrize("where", ["consulting", "aside", "three"])
def test_the_caller_is_sent_into_the_flow_from_its_start_in_its_own_call(centre: Any, where: str) -> None:
    caller, one, call = hearing(centre)
    one.phone.press("4711")
    centre.clock.advance(3)
    if where != "consulting":
        assert order(centre, caller, {"aside": "resume", "three": "conference"}[where]) == where
    order(centre, caller, "complete")
    caller.hears("Your number?")
    assert call.leg.gone is not None
    assert (one.state, one.phone.state) == ("wrap_up", "idle")
    assert caller.view.flow == "shop/track"
    caller.hangs_up()
    nothing_left(centre, one)
    cdr = next(cdr for cdr in centre.cdrs() if cdr.call == caller.uuid)
    assert [(move["how"], move["to"]) for move in cdr.data["moves"]][-1] == ("blind", "flow shop/track")


@pytest.mark.parametrize("who", ["caller", "first"])
def test_hang_ups(centre: Any, who: str) -> None:
    caller, one, call = hearing(centre)
    if who == "caller":
        caller.hangs_up()
    else:
        one.phone.hang_up()
    centre.clock.advance(2)
    assert call.leg.gone is not None
    if who == "first":
        # A flow is nobody to be handed over to by a hang-up: the front of the queue.
        assert caller.view.state == "queued"
        caller.hangs_up()
    nothing_left(centre, one)


@pytest.mark.parametrize("then", ["back", "complete"])
def test_another_engine_goes_on(centre: Any, then: str) -> None:
    caller, one, call = hearing(centre)
    centre.engine.kill()
    centre.clock.advance(1)
    centre.engine.start()
    centre.clock.advance(2)
    assert mode(centre, caller) == "consulting"
    again = inner(centre, caller)
    assert (again.id, again.flow) == (call.id, "shop/track")
    order(centre, caller, then)
    if then == "back":
        assert caller.sim.bridged_to == one.phone.ring.uuid
    else:
        caller.hears("Your number?")
    caller.hangs_up()
    nothing_left(centre, one)
    heard = next(cdr for cdr in centre.cdrs() if cdr.call == call.id)
    assert (heard.data["direction"], heard.data["asked_for"]) == ("asked", caller.uuid)


def test_what_ended_while_no_engine_was_there_has_its_cdrs(centre: Any) -> None:
    caller, one, call = hearing(centre)
    number, began = caller.view.number, call.arrived
    centre.clock.advance(1)
    centre.engine.kill()
    one.phone.hang_up()
    caller.sim.hang_up()
    centre.clock.advance(60)  # the switch's own fallback ends the flow that nobody hears
    assert not centre.simulator.switch.channels
    centre.engine.start()
    centre.clock.advance(3)
    cdrs = {cdr.call: cdr for cdr in centre.cdrs()}
    assert set(cdrs) == {caller.uuid, call.id}
    mine, heard = cdrs[caller.uuid], cdrs[call.id]
    assert (mine.outcome, mine.data["direction"]) == ("lost", "in")
    assert (heard.outcome, heard.flow, heard.number, heard.dialled) == ("lost", "shop/track", number, "8000")
    assert heard.data == {"direction": "asked", "asked_for": caller.uuid, "asked_by": "201"}
    assert abs((heard.arrived - began).total_seconds()) < 1


def test_nothing_is_recorded_of_it_and_a_hidden_caller_stays_hidden(home: Home, shop: Shop) -> None:
    home.write("conf/agents.yaml", AGENTS)
    home.write("conf/queues.yaml", QUEUES)
    home.flow("shop/track", TRACK.replace("- answer", "- answer\n  - record: service", 1))
    home.number("8007", "shop/main", "identity: deferred")
    centre = shop(FLOW)
    caller = centre.caller(number="+8613802880061").dials("8007").hears_music()
    one = centre.agent("201").is_offered(caller).answers()
    caller.talks_to(one)
    order(centre, caller, "consult", "flow:shop/track")
    centre.clock.advance(1.5)
    call = inner(centre, caller)
    assert (call.number, call.name, call.recording) == ("", "", "")
    order(centre, caller, "back")
    caller.hangs_up()
    centre.clock.advance(2)
    centre.nowhere("13802880061")
