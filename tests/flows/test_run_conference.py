"""The conference step in a running flow: in, out by key, by time, by a kick; who is invited; restarts."""

from __future__ import annotations

from typing import Any

import pytest

from engine.esl import commands
from engine.testing.home import Home
from tests.calls.test_adoption import killed
from tests.flows.shop import Shop

TRUNKS = """\
grammar: 1
trunks: [{name: pstn, host: 192.0.2.20}]
outbound: {allow: ["+8620"]}
"""


def blocks(more: str = "") -> str:
    return f"""
greet:
  - answer
  - conference: {{room: "4711", into: stay, failed: failed{", " + more if more else ""}}}
  - {{journal: {{event: note, data: {{room: "{{stay.room}}", seconds: "{{stay.seconds}}"}}}}}}
  - play: You left the room.
  - hangup
failed:
  - play: Failed.
  - hangup
"""


@pytest.fixture
def hall(home: Home, shop: Shop) -> Any:
    def make(more: str = "") -> Any:
        home.write("conf/trunks.yaml", TRUNKS)
        return shop(blocks(more))

    return make


def members(centre: Any) -> set[str]:
    room = centre.simulator.switch.conferences.rooms.get("shop.4711")
    return {channel.uuid for channel in room.members.values()} if room is not None else set()


def enters(centre: Any) -> Any:
    caller = centre.caller().dials("8000")
    centre.clock.advance(1)
    assert caller.uuid in members(centre)
    return caller


def test_two_callers_meet_and_leave_by_the_star(hall: Any) -> None:
    centre = hall()
    one, other = enters(centre), enters(centre)
    assert members(centre) == {one.uuid, other.uuid}
    assert one.view.state == "talking"
    centre.clock.advance(30)
    one.presses("5")
    centre.clock.advance(1)
    assert members(centre) == {one.uuid, other.uuid}
    one.presses("*").hears("You left the room.")
    assert members(centre) == {other.uuid}
    other.hangs_up()
    assert not members(centre)
    assert one.ended
    (note,) = centre.journal(one, "flow.note")
    assert note.data["room"] == "shop.4711"
    assert sorted(round(cdr.talked) for cdr in centre.cdrs()) == pytest.approx([31, 32], abs=2)


def test_a_stay_has_its_limit(hall: Any) -> None:
    centre = hall("longest: 1m")
    caller = enters(centre)
    centre.clock.advance("1m")
    caller.hears("You left the room.")


def test_who_is_kicked_goes_on_in_the_flow(hall: Any) -> None:
    centre = hall()
    caller = enters(centre)
    centre.app.connection.api(commands.conference("shop.4711", "kick", "all"))
    caller.hears("You left the room.")


def test_the_room_of_a_moderator_ends_with_the_moderator(hall: Any) -> None:
    centre = hall("moderator: yes")
    one, other = enters(centre), enters(centre)
    one.presses("*").hears("You left the room.")
    other.hears("You left the room.")


def test_an_agent_and_a_number_are_invited_and_the_room_ends_with_the_last_talk(hall: Any) -> None:
    centre = hall("invite: [202, 02038880000]")
    caller = enters(centre)
    ring = centre.simulator.phone("1002").wait_ring(3)
    ring.answer()
    centre.clock.advance(4)
    (line,) = centre.simulator.lines
    assert members(centre) == {caller.uuid, ring.uuid, line.uuid}
    line.hang_up()
    centre.clock.advance(1)
    assert members(centre) == {caller.uuid, ring.uuid}
    ring.hang_up()
    caller.hears("You left the room.")
    centre.clock.advance(1)
    assert not members(centre)


def test_a_caller_who_hangs_up_takes_those_invited_along(hall: Any) -> None:
    centre = hall("invite: [202, 201]")
    caller = enters(centre)
    answered, ringing = (
        centre.simulator.phone("1002").wait_ring(3),
        centre.simulator.phone("1001").wait_ring(3),
    )
    answered.answer()
    centre.clock.advance(1)
    caller.hangs_up()
    centre.clock.advance(1)
    assert (answered.ended, ringing.ended) == ("NORMAL_CLEARING", "ORIGINATOR_CANCEL")
    assert not centre.simulator.switch.channels


def test_who_can_not_be_invited_is_journalled_and_the_room_is_there(hall: Any) -> None:
    centre = hall("invite: [0900123456]")
    caller = enters(centre)
    (row,) = centre.journal(caller, "conference.not_invited")
    assert "allow" in row.data["why"]


def test_the_engine_is_killed_and_those_in_the_room_talk_on_and_leave(hall: Any) -> None:
    centre = hall()
    one, other = enters(centre), enters(centre)
    killed(centre, 5)
    centre.clock.advance(1)
    assert members(centre) == {one.uuid, other.uuid}
    assert one.view.state == "talking"
    one.presses("*").hears("You left the room.")
    assert members(centre) == {other.uuid}


def test_a_member_who_left_while_no_engine_was_there_goes_on(hall: Any) -> None:
    centre = hall()
    caller = enters(centre)
    centre.engine.kill()
    centre.simulator.switch.conferences.kick("shop.4711", "all")
    centre.clock.advance(1)
    centre.engine.start()
    caller.hears("You left the room.")
