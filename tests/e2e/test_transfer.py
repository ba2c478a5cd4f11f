"""The transfer step on a real FreeSWITCH: to a desk's phone, to a number through the trunk, and hang-ups in between."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.house import House
from tests.sip.phone import Telephone

pytestmark = pytest.mark.switch

FLOW = """\
grammar: 1
flow: moves/main
revision: 1
title: Transfers
owner: tests
languages: [en]
start: arrive
blocks:
  arrive:
    - answer
    - menu:
        prompt: One for the desk, two for the outside.
        options: {1: desk, 2: outside}
        give_up: bye
  desk:
    - transfer: {extension: 1002, ring: 20s, busy: bye, failed: bye, after: again}
  outside:
    - transfer: {to: 02038880000, ring: 2m, busy: bye, failed: bye, after: again}
  again:
    - play: That was the talk. Now something else.
    - menu: {prompt: Press one to leave., options: {1: bye}, give_up: bye}
  bye:
    - play: Bye.
    - hangup
"""


@pytest.fixture
def carrier(house: House) -> Telephone:
    """The other end of the trunk."""
    phone = house.carrier("+8620", caller="+862088886600")
    house.add_department("moves", "8055", {"flows/main.yaml": FLOW})
    return phone


def at_menu(house: House, key: str) -> Any:
    caller = house.outside().dial("8055").wait_answered(10)
    house.wait_step("menu")
    caller.press(key)
    return caller


def nothing_left(house: House) -> None:
    look = "show channels as json"
    house.wait_for(lambda: '"rows"' not in house.switch(look), f"left: {house.switch(look)}", 10)


def test_transfers_to_a_phone_and_through_the_trunk(house: House, carrier: Telephone) -> None:
    house.start("--switch", "freeswitch")
    desk = house.desk("1002")

    # To a desk's phone: ring, talk both ways, the desk hangs up, the flow goes on.
    caller = at_menu(house, "1")
    ring = desk.wait_ring(10)
    house.wait_for(lambda: caller.sound.hears(450) > 500, "no ringing is heard")
    ring.answer()
    house.wait_state("talking")
    caller.say_tone(440, 1.5)
    ring.say_tone(880, 1.5)
    house.wait_for(lambda: ring.sound.hears(440) > 1000, "the desk does not hear the caller")
    house.wait_for(lambda: caller.sound.hears(880) > 1000, "the caller does not hear the desk")
    ring.hang_up()
    house.wait_step("again")
    caller.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")

    # Through the trunk, killed with -9 in the ring and in the talk: nobody notices.
    caller = at_menu(house, "2")
    out = carrier.wait_ring(10)
    assert "+862038880000" in out.invite.uri
    house.kill()
    house.clock.sleep(1)
    house.start("--switch", "freeswitch")
    out.answer()
    house.wait_state("talking")
    house.kill()
    house.clock.sleep(1)
    assert not out.over
    assert not caller.over
    house.start("--switch", "freeswitch")
    house.wait_state("talking")
    house.clock.sleep(1)
    out.hang_up()
    house.wait_step("again")
    caller.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")

    # The caller hangs up while it rings, and at the answer, sooner and later: nobody is left in limbo.
    caller = at_menu(house, "2")
    out = carrier.wait_ring(10)
    began = house.clock.monotonic()
    caller.hang_up()
    house.wait_for(lambda: out.over, "the ring went on", 3)
    cancelled = house.clock.monotonic() - began
    print(f"FIGURE ring cancelled {cancelled * 1000:.0f} ms after the caller's hang-up")
    assert cancelled < 1.0
    for pause in (0.0, 0.02, 0.05, 0.08, 0.12):
        caller = at_menu(house, "2")
        out = carrier.wait_ring(10)
        out.answer()
        house.clock.sleep(pause)
        caller.hang_up()
        house.wait_for(lambda out=out: out.over, f"limbo after {pause} s", 4)
        house.wait_for(lambda: not house.calls(), "the call did not end")
    nothing_left(house)

    # Busy.
    carrier.auto = 486
    caller = at_menu(house, "2")
    house.wait_step("bye")
    house.wait_for(lambda: not house.calls(), "the call did not end")
    cdrs = house.cli("cdr", "list")
    assert [cdr["outcome"] for cdr in cdrs][-2:] == ["talked", "talked"]
    assert cdrs[-2]["data"]["transferred"] == "+862038880000"
    assert house.stop() == 0
