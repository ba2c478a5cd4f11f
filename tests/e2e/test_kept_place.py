"""A call back that keeps its place, on a real FreeSWITCH: the caller waits, presses 1 and hangs up; the agent becomes
ready, is reserved and on the line; the caller is rung through the trunk; the two talk. kill -9 in the greeting."""

from __future__ import annotations

import pytest

from tests.e2e.house import House
from tests.sip.phone import Telephone

pytestmark = pytest.mark.switch

FLOW = """\
grammar: 1
flow: kept/main
revision: 1
title: Kept
owner: tests
languages: [en]
start: arrive
blocks:
  arrive:
    - answer
    - queue:
        name: logistics
        waiting: {keys: {1: call_me}}
        full: bye
        too_long: bye
        no_agents: bye
    - hangup
  call_me:
    - callback: {queue: logistics, keep_place: true, failed: bye}
    - go: bye
  bye:
    - play: Bye.
    - hangup
"""


@pytest.fixture
def carrier(house: House) -> Telephone:
    """The other end of the trunk."""
    phone = house.carrier("+861")
    house.add_department("kept", "8067", {"flows/main.yaml": FLOW})
    return phone


@pytest.mark.parametrize("killed", [False, True])
def test_a_virtual_caller_is_called_back_when_its_turn_comes(
    house: House, carrier: Telephone, killed: bool
) -> None:
    house.start("--switch", "freeswitch")
    agent = house.desk("1001")
    for other in ("8013", "8014"):
        house.command("agent", "logout", other)
    house.command("agent", "pause", "8012", "meal")
    caller = house.outside("13800138000").dial("8067").wait_answered(10)
    house.wait_state("queued")
    house.clock.sleep(1.0)
    caller.press("1")
    [owed] = house.wait_for(lambda: house.cli("callback", "list"), "nothing is owed")
    if not caller.over:
        caller.hang_up()
    house.wait_for(lambda: not house.calls(), "the first call did not end")

    # Its turn: the agent is reserved and rung first; nobody is dialled before it has answered.
    house.command("agent", "ready", "8012")
    at_desk = agent.wait_ring(20)
    at_desk.answer()
    out = carrier.wait_ring(20)
    assert "+8613800138000" in out.invite.uri
    [shown] = [one for one in house.cli("agent", "list") if one["id"] == "8012"]
    assert (shown["state"], shown["calling_back"]) == ("offered", "+8613800138000")
    house.clock.sleep(1.5)
    out.answer()
    if killed:
        house.wait_step("greet[1] play")
        house.clock.sleep(0.3)
        house.kill()
        house.clock.sleep(0.5)
        assert not out.over
        assert not at_desk.over
        house.start("--switch", "freeswitch")
    house.wait_state("talking")
    out.say_tone(440, 1.5)
    house.wait_for(lambda: at_desk.sound.hears(440) > 1000, "the agent does not hear the caller")
    at_desk.say_tone(660, 1.5)
    house.wait_for(lambda: out.sound.hears(660) > 1000, "the caller does not hear the agent")
    at_desk.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")
    [done] = house.wait_for(
        lambda: [one for one in house.cli("callback", "list", "--all") if one["state"] == "done"], "not done"
    )
    assert (done["id"], done["tries"]) == (owed["id"], 1)
    back = next(row for row in house.cli("cdr", "list") if row["data"]["direction"] == "out")
    assert (back["outcome"], back["agent"], back["data"]["owed_by"]) == ("talked", "8012", owed["call"])
    house.wait_for(
        lambda: '"row_count":0' in house.switch("show channels as json").replace(" ", ""), "channels are left"
    )
