"""What is owed, on a real FreeSWITCH: a call back through the trunk (kill -9 in its menu), a notice by telephone."""

from __future__ import annotations

import pytest

from tests.e2e.house import House, beside_the_shipped
from tests.sip.phone import Telephone

pytestmark = pytest.mark.switch

FLOW = """\
grammar: 1
flow: owed/main
revision: 1
title: Owed
owner: tests
languages: [en]
start: arrive
blocks:
  arrive:
    - answer
    - ticket: {kind: complaint, group: exceptions, into: ticket, failed: bye}
    - tally: {name: faults, by: {area: "0201"}, into: tally}
    - alert: {to: leads, text: noticed, values: {area: "0201"}}
    - callback: {queue: logistics, failed: bye}
    - go: bye
  bye:
    - play: Bye.
    - hangup
"""
NOTIFY = """\
grammar: 1
groups:
  leads:
    language: en
    acknowledge: 1m
    ways:
      - {phone: "1002", rings: 20s, tries: 2, every: 10s}
"""


@pytest.fixture
def carrier(house: House) -> Telephone:
    """The other end of the trunk."""
    phone = house.carrier("+861")
    beside_the_shipped(house.home / "conf" / "notify.yaml", "groups", NOTIFY)
    prompts = {"noticed": "There is a fault in area {area:digits}."}
    house.add_department(
        "owed",
        "8066",
        {
            "flows/main.yaml": FLOW,
            "prompts/en.yaml": "".join(f'{key}: "{text}"\n' for key, text in prompts.items()),
        },
    )
    return phone


def test_a_caller_is_called_back_and_a_lead_is_told_by_telephone(house: House, carrier: Telephone) -> None:
    house.start("--switch", "freeswitch")
    lead, agent = house.desk("1002"), house.desk("1001")
    for other in ("8013", "8014"):
        house.command("agent", "logout", other)
    caller = house.outside("13800138000").dial("8066").wait_answered(10)

    # The lead's phone says it, and the key 1 acknowledges.
    ring = lead.wait_ring(20)
    ring.answer()
    notice = house.wait_for(lambda: house.get("/notices"), "no notice")[0]
    house.wait_for(lambda: "play_and_get_digits" in house.switch("show channels as json"), "no question")
    house.clock.sleep(1.0)
    ring.press("1")
    house.wait_for(
        lambda: [one for one in house.get("/notices") if one["state"] == "acknowledged"], "not acknowledged"
    )
    assert notice["text"] == "There is a fault in area 0201."
    if not caller.over:
        caller.hang_up()

    # The call back: dialled through the trunk, killed with -9 in its menu, taken up, put through to the desk.
    out = carrier.wait_ring(30)
    assert "+8613800138000" in out.invite.uri
    out.answer()
    house.wait_step("greet[1] menu")
    house.clock.sleep(1.0)
    house.kill()
    house.clock.sleep(1.0)
    assert not out.over
    house.start("--switch", "freeswitch")
    call = house.wait_step("greet[1] menu")
    assert (call["number"], call["flow"]) == ("+8613800138000", "owed/callback_logistics")
    house.wait_for(
        lambda: "play_and_get_digits" in house.switch(f"uuid_getvar {call['id']} current_application"),
        "no question",
    )
    house.clock.sleep(0.3)
    out.press("1")
    at_desk = agent.wait_ring(30)
    at_desk.answer()
    house.wait_state("talking")
    out.say_tone(440, 1.5)
    house.wait_for(lambda: at_desk.sound.hears(440) > 1000, "the agent does not hear the caller")
    at_desk.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")
    [owed] = house.wait_for(
        lambda: [one for one in house.cli("callback", "list", "--all") if one["state"] == "done"], "not done"
    )
    assert (owed["number"], owed["tries"]) == ("+8613800138000", 1)
    back = next(row for row in house.cli("cdr", "list") if row["data"]["direction"] == "out")
    assert (back["outcome"], back["agent"], back["adopted"]) == ("talked", "8012", 1)
    [ticket] = house.cli("ticket", "list")
    house.command("ticket", "assign", ticket["number"], "li.na")
    house.command("ticket", "solve", ticket["number"], "a new lamp")
    assert house.cli("ticket", "show", ticket["number"])["ticket"]["state"] == "solved"
    assert house.cli("tally", "list")[0]["count"] == 1
    house.wait_for(
        lambda: '"row_count":0' in house.switch("show channels as json").replace(" ", ""), "channels are left"
    )
