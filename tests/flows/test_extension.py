"""Straight to a person: a number of the dialplan that is a phone, also when the engine dies meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing.home import Home


@pytest.fixture
def centre(home: Home, centre_of: Any) -> Any:
    home.rule('{to: "86xx", extension: "10{1}"}').prompts(unknown_number="There is no such number.")
    return centre_of(home)


def test_the_phone_rings_and_the_two_talk(centre: Any) -> None:
    caller = centre.caller().dials("8601")
    phone = centre.simulator.phone("1001")
    assert phone.wait_ring(10) is not None
    phone.answer()
    assert caller.sim.wait_bridged(5)
    centre.clock.advance("20s")
    phone.hang_up()
    assert caller.ended == "NORMAL_CLEARING"
    assert centre.cdrs()[0].talked == pytest.approx(20, abs=1)


def test_nobody_answers_and_the_caller_is_told(centre: Any) -> None:
    caller = centre.caller().dials("8602")
    assert centre.simulator.phone("1002").wait_ring(10) is not None
    caller.hears("all_busy")
    assert caller.ended == "NORMAL_CLEARING"


def test_a_phone_that_is_off_and_one_that_there_is_not_are_told_apart(centre: Any) -> None:
    centre.simulator.phone("1002").unregister()
    caller = centre.caller().dials("8602")
    caller.hears("all_busy")
    caller = centre.caller().dials("8609")
    caller.hears("unknown_number")
    assert caller.ended == "NORMAL_CLEARING"


def test_a_ring_outlives_the_engine(centre: Any) -> None:
    caller = centre.caller().dials("8601")
    phone = centre.simulator.phone("1001")
    assert phone.wait_ring(10) is not None
    centre.engine.kill()
    centre.engine.start()
    phone.answer()
    assert caller.sim.wait_bridged(5)
    phone.hang_up()
    assert caller.ended == "NORMAL_CLEARING"


def test_the_talk_outlives_the_engine(centre: Any) -> None:
    caller = centre.caller().dials("8601")
    phone = centre.simulator.phone("1001")
    assert phone.wait_ring(10) is not None
    phone.answer()
    assert caller.sim.wait_bridged(5)
    centre.engine.kill()
    centre.clock.advance("2s")
    centre.engine.start()
    centre.clock.advance("20s")
    assert caller.sim.bridged_to is not None
    phone.hang_up()
    assert caller.ended == "NORMAL_CLEARING"
    heard = [said.key for sound in caller.sim.played if (said := centre.describe(sound.path)) is not None]
    assert heard == []  # no apology: the talk was all that the call was for
    (cdr,) = centre.cdrs()
    assert cdr.adopted == 1
