"""What a queue tells about itself: the expected wait, and how far its promise is kept."""

from __future__ import annotations

from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.types import TalkEnd
from tests.acd.desk import Desk, queue

BOTH: dict[str, Any] = {"queues": {"desk": "1", "other": "1"}}


def talks(desk: Desk, count: int, seconds: float = 60.0, **values: Any) -> None:
    for number in range(count):
        desk.enter(f"past-{number}-{desk.clock.monotonic()}", **values)
        ring = desk.answer()
        desk.clock.advance(seconds)
        ring.end_talk(TalkEnd.AGENT)
        desk.settle()


def test_the_work_after_a_call_counts_as_long_as_it_took(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="100s")})
    for number in range(5):
        desk.enter(f"past-{number}")
        ring = desk.answer()
        clock.advance(60)
        ring.end_talk(TalkEnd.AGENT)
        desk.settle()
        clock.advance(10)
        desk.acd.end_wrap_up("8012")
    assert desk.acd.queue("desk").handling == pytest.approx(70, abs=1)
    desk.enter("busy")
    desk.answer()
    assert desk.enter("a").expected_wait() == pytest.approx(70, abs=1)


def test_an_agent_of_two_crowded_queues_counts_half_in_each(clock: VirtualClock) -> None:
    desk = Desk(clock, ("8012", BOTH), queues={"desk": queue(), "other": queue()})
    talks(desk, 5)
    desk.enter("busy")
    desk.answer()
    place = desk.enter("a")
    assert place.expected_wait() == pytest.approx(60, abs=1), "nobody waits in the other queue"
    desk.enter("b", queue="other")
    assert place.expected_wait() == pytest.approx(120, abs=1)


def test_an_agent_who_goes_to_a_nearer_queue_first_is_not_counted_on(clock: VirtualClock) -> None:
    far = {"queues": {"desk": "2", "other": "1"}}
    desk = Desk(clock, ("8012", far), queues={"desk": queue(), "other": queue()})
    talks(desk, 5)
    desk.enter("busy")
    desk.answer()
    place = desk.enter("a")
    desk.enter("b", queue="other")
    assert place.expected_wait() is None, "nobody can say how long the other queue will be"


def test_nobody_at_work_is_no_figure(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    talks(desk, 5)
    desk.acd.pause("8012", "lunch")
    assert desk.enter("a").expected_wait() is None


def test_the_promise_is_kept_by_those_answered_in_time_out_of_all_who_were_answered_or_gave_up(clock) -> None:
    promise = {"within": "20s", "share": "80%"}
    desk = Desk(clock, "8012", queues={"desk": queue(service_level=promise, length="1")})
    view = desk.acd.queue("desk")
    assert (view.target, view.within, view.in_time) == (0.8, 20.0, None)
    talks(desk, 2, 5)
    desk.enter("busy")
    desk.answer()
    desk.enter("late")
    desk.enter("no room")
    clock.advance(30)
    desk.floor.rings[-1].end_talk(TalkEnd.CALLER)
    desk.settle()
    desk.answer("8012", "late")
    desk.enter("gave up")
    desk.hang_up("gave up")
    view = desk.acd.queue("desk")
    assert (view.answered, view.abandoned, view.left) == (4, 1, 1)
    assert view.in_time == 3 / 5
