"""Places in which an agent waits to ask somebody: whose turn it is, how it is brought together, how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from engine.acd.places import Leaving, Left, Moved, Place, Request, Stage, Talking
from engine.clock import VirtualClock
from engine.types import AgentState
from tests.acd.desk import Desk, queue


@pytest.fixture
def desk(clock: VirtualClock) -> Desk:
    return Desk(
        clock,
        ("8012", {"queues": {"desk": "1", "other": "2"}}),
        queues={"desk": queue(length="1"), "other": queue()},
        rules={"failed_again": "30s"},
    )


def asks(desk: Desk, call: str = "asked", *, still: Any = lambda: True, **values: Any) -> Place:
    """An agent of somewhere else asks; ``still``: whether it does when somebody has answered."""

    def join(ring: Any) -> bool | None:
        return ring.connect() if still() else None

    return desk.enter(call, **{"asks": "9001", "join": join, "priority": 200, **values})


def test_whoever_asks_is_ahead_of_those_who_came_long_before(desk: Desk, clock: VirtualClock) -> None:
    desk.acd.pause("8012", "tea")
    desk.enter("first")
    clock.advance(60)
    place = asks(desk, max_length=9)
    assert place.position() == 1
    desk.acd.ready("8012")
    desk.settle()
    assert desk.offered() == [("8012", "asked")]


def test_who_answers_is_brought_to_who_asks_and_not_to_the_caller(desk: Desk) -> None:
    joined: list[Any] = []

    def join(ring: Any) -> bool:
        joined.append(ring)
        return bool(ring.connect())

    place = desk.enter("asked", asks="9001", join=join)
    ring = desk.answer()
    assert joined == [ring]
    assert [type(news) for news in desk.news(place)][-1] is Talking
    assert desk.state("8012") is AgentState.TALKING


def test_who_went_back_in_the_moment_of_the_answer_costs_the_agent_nothing(desk: Desk) -> None:
    place = asks(desk, still=lambda: False)
    desk.floor.ringing("8012").answer()
    desk.settle()
    assert desk.news(place)[-1] == Left(Leaving.BACK)
    assert desk.state("8012") is AgentState.READY  # and no pause: it did nothing wrong
    assert not desk.rows("offer.missed")
    assert desk.acd.queue("desk").abandoned == 0


def test_a_bridge_that_is_not_made_brings_the_next_one(desk: Desk) -> None:
    place = asks(desk)
    ring = desk.floor.ringing("8012")
    ring.bridges = False
    ring.answer()
    desk.settle()
    assert place.stage is Stage.WAITING
    assert (desk.state("8012"), desk.acd.agent("8012").reason) == (AgentState.PAUSED, "failed")


def test_a_place_is_handed_to_its_caller_with_its_turn_and_its_unread_news(desk: Desk) -> None:
    desk.acd.pause("8012", "tea")
    place = asks(desk)
    desk.enter("later", max_length=9)
    desk.acd.move("asked", "other")
    desk.acd.move("asked", "desk")
    turn = place.ticket.turn
    news: Any = desk.clock.queue()
    desk.acd.hand(place, news, tell={"article": "4711"})
    assert (place.ticket.turn, place.position()) == (turn, 1)
    assert [news.get(0), news.get(0)] == [Moved("other"), Moved("desk")]
    (row,) = desk.rows("queue.handed")
    assert (row.call, row.data["by"], row.data["position"]) == ("asked", "9001", 1)
    desk.acd.ready("8012")
    desk.settle()
    ring = desk.answer()
    assert (ring.call_id, place.request.join) == ("asked", None)


@pytest.mark.parametrize("why", ["closed", "full", "no_agents", ""])
def test_a_queue_says_beforehand_whom_it_would_not_take(desk: Desk, why: str) -> None:
    if why == "closed":
        desk.acd.close_queue("desk", "fire")
    if why == "full":
        desk.acd.pause("8012", "tea")
        desk.enter("before")
    if why == "no_agents":
        desk.acd.logout("8012")
    assert desk.acd.refuses(Request("asked", "", "desk", asks="9001")) == why


def test_a_transfer_s_work_after_it_is_as_long_as_the_queue_says_that_it_came_from(
    clock: VirtualClock,
) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="10s"), "other": queue(wrap_up="60s")})
    engaged = desk.acd.engage("8012", "call", "other")
    engaged.answered()
    clock.advance(5)
    engaged.over(wrap_up=True)
    assert desk.state("8012") is AgentState.WRAP_UP
    clock.advance(59)
    assert desk.state("8012") is AgentState.WRAP_UP
    clock.advance(2)
    assert desk.state("8012") is AgentState.READY
