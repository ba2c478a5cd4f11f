"""Faults #13: whoever dies between the confirming key and the spoken number, there is exactly one order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.testing.home import Home
from tests.faults.ordering import Desk, Points, order_desk


@pytest.fixture(params=["sql", "http"])
def desk(request: pytest.FixtureRequest, home: Home, centre_of: Callable[[Any], Any]) -> Iterator[Desk]:
    with order_desk(home, centre_of, over=request.param) as desk:
        yield desk


@pytest.fixture
def remote_desk(home: Home, centre_of: Callable[[Any], Any]) -> Iterator[Desk]:
    with order_desk(home, centre_of, over="http") as desk:
        yield desk


def redial(desk: Desk, draft: str) -> str:
    return desk.hears_number(desk.confirms(draft))


def test_an_order_is_placed_once_and_a_redial_hears_its_number(desk: Desk) -> None:
    first = desk.hears_number(desk.confirms("1001"))
    assert redial(desk, "1001") == first
    assert desk.orders("1001") == 1


@pytest.mark.parametrize("stays", [True, False], ids=["the caller stays", "the caller hangs up"])
def test_the_engine_may_die_at_every_point(desk: Desk, monkeypatch: pytest.MonkeyPatch, stays: bool) -> None:
    points = Points(desk.centre, desk.twin, monkeypatch)
    at, deaths = 0, 0
    while True:
        at += 1
        draft = f"{1000 + at}"
        caller = desk.centre.caller().dials("8000")
        caller.hears("Your draft?").presses(draft)
        caller.hears("To order, press 1.")
        heard = ""
        with points.armed(at):
            caller.presses("1")
            if not stays:
                caller.hangs_up()
            desk.centre.virtual.sleep(0.6)
        died = points.wait_dead()
        where = points.names[-1] if points.names else ""
        if died:
            deaths += 1
            desk.centre.engine.start()
        if stays:
            heard = desk.hears_number(caller)
            caller.hangs_up()
        again = redial(desk, draft)
        assert desk.orders(draft) == 1, f"died at {at} ({where}): {desk.orders(draft)} orders"
        assert heard in ("", again), f"died at {at} ({where}): heard {heard}, then {again}"
        if not died:
            break
    assert deaths >= 4, points.names


def test_hanging_up_right_after_the_confirming_key_leaves_one_order(desk: Desk) -> None:
    desk.confirms("1001").hangs_up()
    desk.centre.clock.advance(1)
    number = redial(desk, "1001")
    assert desk.orders("1001") == 1
    assert redial(desk, "1001") == number


def test_hanging_up_before_the_confirmation_leaves_none(desk: Desk) -> None:
    caller = desk.centre.caller().dials("8000")
    caller.hears("Your draft?").presses("1001")
    caller.hears("To order, press 1.").hangs_up()
    assert desk.orders("1001") == 0


def test_a_remote_that_accepts_and_then_is_silent_is_said_to_be_unknown_and_the_redial_hears_the_number(
    remote_desk: Desk,
) -> None:
    desk = remote_desk
    assert desk.twin is not None
    desk.twin.accepts_then_hangs(times=1)
    desk.confirms("1001").hears("We do not know yet.")
    desk.settles("1001", 30)
    assert redial(desk, "1001") == "90001"
    assert desk.orders("1001") == 1
    (told,) = desk.centre.journal(kind="command.settled")
    assert told.data["outcome"] == "done"
    assert told.call


@pytest.mark.parametrize("dies", [False, True], ids=["the engine lives", "the engine dies too"])
def test_a_remote_that_is_dead_for_a_minute_gets_one_order(remote_desk: Desk, dies: bool) -> None:
    desk = remote_desk
    assert desk.twin is not None
    desk.twin.dead()
    desk.confirms("1001").hears("We do not know yet.")
    if dies:
        desk.centre.engine.kill()
        desk.centre.engine.start()
    desk.centre.clock.advance(60)
    desk.twin.back()
    desk.centre.clock.advance(90)
    assert desk.orders("1001") == 1
    assert redial(desk, "1001") == "90001"
    assert desk.orders("1001") == 1


def test_a_refusal_is_heard(remote_desk: Desk) -> None:
    remote_desk.confirms("4001").hears("No credit.")
    assert remote_desk.centre.app.departments.outbox.rows() == []


def test_a_remote_that_fails_again_and_again_is_left_alone_and_status_says_so(remote_desk: Desk) -> None:
    desk = remote_desk
    assert desk.twin is not None
    desk.twin.fails(500)
    desk.confirms("1001").hears("We do not know yet.")
    desk.centre.clock.advance(20)
    caller = desk.confirms("1002")
    caller.hears("That did not work.")
    journal = desk.centre.journal(kind="breaker.changed")
    assert {(one.data["name"], one.data["state"]) for one in journal} >= {("orders.place", "open")}
    assert [one.name for one in desk.centre.app.parts.departments.breakers()] == [
        "orders.Orders",
        "orders.place",
    ]
