"""Callers: their order, their limits, and every way out of a queue."""

from __future__ import annotations

import pytest

from engine.acd.places import Connecting, Leaving, Left, Over, Request, Talking
from engine.clock import VirtualClock
from engine.types import AgentState, RingKind, TalkEnd
from tests.acd.desk import Desk, queue


def test_a_caller_is_offered_to_a_free_agent_at_once_and_talks(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    place = desk.enter("a")
    ring = desk.floor.ringing()
    assert (ring.agent, ring.call_id, ring.seconds) == ("8012", "a", 20.0)
    assert ring.variables == {"il_queue": "desk"}
    assert desk.state("8012") is AgentState.OFFERED
    ring.answer()
    desk.settle()
    connecting, talking = desk.news(place)
    assert isinstance(connecting, Connecting)
    assert isinstance(talking, Talking)
    assert (talking.agent.id, talking.agent.state, talking.leg) == ("8012", AgentState.TALKING, ring.leg)
    clock.advance(60)
    ring.end_talk(TalkEnd.AGENT)
    desk.settle()
    (over,) = desk.news(place)
    assert isinstance(over, Over)
    assert (over.agent_id, over.by, round(over.seconds)) == ("8012", TalkEnd.AGENT, 60)
    assert ring.dropped
    assert desk.state("8012") is AgentState.READY


def test_callers_are_served_in_the_order_in_which_they_came(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    for call in "abcd":
        desk.enter(call)
        clock.advance(1)
    for call in "abcd":
        ring = desk.answer()
        assert ring.call_id == call
        ring.end_talk(TalkEnd.CALLER)
        desk.settle()


def test_a_higher_priority_goes_before_those_who_wait_longer(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    for call, priority in (("a", 0), ("b", 0), ("c", 50), ("d", 10), ("e", 50)):
        desk.enter(call, priority=priority)
        clock.advance(1)
    order = []
    for _ in range(5):
        ring = desk.answer()
        order.append(ring.call_id)
        ring.end_talk(TalkEnd.AGENT)
        desk.settle()
    assert order == ["a", "c", "e", "d", "b"]


def test_one_who_has_waited_elsewhere_goes_before_those_who_came_after_that(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    desk.enter("b")
    clock.advance(10)
    place = desk.enter("c", since=300.0)
    assert place.position() == 1
    assert desk.places["b"].position() == 3


def test_a_skill_is_a_filter_and_a_caller_who_needs_less_is_served_first(clock: VirtualClock) -> None:
    desk = Desk(clock, ("8012", {"skills": {"waybill": "1"}}), ("8013", {"skills": {"waybill": "3"}}))
    desk.acd.pause("8013", "lunch")
    desk.enter("expert", skills={"waybill": 2})
    assert desk.offered() == []
    desk.enter("simple")
    assert desk.offered() == [("8012", "simple")]
    desk.acd.ready("8013")
    desk.settle()
    assert desk.offered()[1:] == [("8013", "expert")]


def test_what_a_queue_and_a_flow_ask_holds_together(clock: VirtualClock) -> None:
    desk = Desk(
        clock,
        ("8012", {"skills": {"waybill": "3"}}),
        ("8013", {"skills": {"waybill": "3", "customs": "1"}}),
        queues={"desk": queue(skills={"customs": "1"})},
    )
    desk.enter("a", skills={"waybill": 2})
    assert desk.offered() == [("8013", "a")]


def test_only_agents_who_speak_the_callers_language_where_the_queue_says_so(clock: VirtualClock) -> None:
    people = [("8012", {"languages": ["zh-CN"]}), ("8013", {"languages": ["zh-CN", "en"]})]
    desk = Desk(clock, *people, queues={"desk": queue(language="caller")})
    desk.enter("a", language="en")
    assert desk.offered() == [("8013", "a")]
    indifferent = Desk(clock, *people)
    indifferent.enter("a", language="en")
    assert indifferent.offered() == [("8012", "a")]


def test_a_caller_who_hangs_up_while_it_waits_leaves_and_the_next_moves_up(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("busy")
    first, second = desk.enter("a"), desk.enter("b")
    assert (first.position(), second.position()) == (2, 3)
    clock.advance(7)
    desk.hang_up("a")
    assert desk.news(first) == [], "who leaves by itself is told by the answer of leave()"
    assert (first.position(), second.position()) == (0, 2)
    assert desk.acd.queue("desk").abandoned == 1
    (told,) = [facts for event, facts in desk.told if event == "call_abandoned"]
    assert (told["call"], told["queue"]) == ("a", "desk")
    assert told["waited"] == pytest.approx(7, abs=0.1)
    assert first.leave() is False


def test_a_caller_who_hangs_up_while_the_phone_rings_stops_the_ring_at_once(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    place = desk.enter("a")
    ring = desk.floor.ringing()
    clock.advance(3)
    before = clock.monotonic()
    desk.floor.hang_up("a")
    assert place.leave()
    assert ring.cancelled
    assert clock.monotonic() == before
    desk.settle()
    assert desk.news(place) == []
    assert desk.state("8012") is AgentState.READY
    desk.enter("b")
    assert desk.offered()[-1] == ("8012", "b"), "it was not the agent's fault: it is still longest idle"


def test_a_caller_may_press_its_way_out_of_the_queue(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("busy")
    place = desk.enter("a")
    assert place.leave("key")
    assert desk.news(place) == []
    (row,) = desk.rows("queue.left")
    assert (row.call, row.data["reason"]) == ("a", "key")
    assert desk.acd.queue("desk").abandoned == 0


def test_leaving_is_too_late_once_an_agent_has_answered(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.floor.bridge_time = 0.5
    place = desk.enter("a")
    desk.floor.ringing().answer()
    desk.settle()
    assert place.leave("key") is False
    clock.advance(1)
    assert isinstance(desk.news(place)[-1], Talking)
    assert place.leave("key") is False


def test_hanging_up_in_the_moment_of_the_bridge_frees_the_agent(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.floor.bridge_time = 0.05
    place = desk.enter("a")
    ring = desk.floor.ringing()
    ring.answer()
    desk.settle()
    desk.hang_up("a")
    clock.advance(1)
    assert desk.news(place)[-1] == Left(Leaving.CALLER)
    assert ring.dropped
    assert desk.state("8012") is AgentState.READY
    assert desk.acd.queue("desk").abandoned == 1


def test_a_caller_who_vanished_before_the_phone_rang_is_an_abandoned_call(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    place = desk.acd.enter(Request("ghost", "", "desk"))
    desk.settle()
    assert desk.news(place) == [Left(Leaving.CALLER)]
    assert desk.state("8012") is AgentState.READY


def test_waiting_ends_after_the_longest_wait(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(longest="2m")})
    desk.enter("busy")
    desk.answer()
    ordinary, patient, hasty = desk.enter("a"), desk.enter("b", longest=300.0), desk.enter("c", since=90.0)
    clock.advance(31)
    assert desk.news(hasty) == [Left(Leaving.TOO_LONG)]
    assert desk.news(ordinary) == []
    clock.advance(90)
    assert desk.news(ordinary) == [Left(Leaving.TOO_LONG)]
    assert desk.news(patient) == []
    clock.advance(180)
    assert desk.news(patient) == [Left(Leaving.TOO_LONG)]


def test_a_ring_that_is_out_when_the_time_is_up_may_still_be_answered(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(longest="10s")})
    answered = desk.enter("a")
    clock.advance(15)
    desk.answer().end_talk(TalkEnd.CALLER)
    assert any(isinstance(news, Talking) for news in desk.news(answered))
    desk.settle()
    missed = desk.enter("b")
    clock.advance(21)
    assert desk.news(missed) == [Left(Leaving.TOO_LONG)]
    assert desk.offered() == [("8012", "a"), ("8012", "b")]


def test_a_full_queue_takes_nobody_more(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(length="2")})
    desk.enter("busy")
    desk.answer()
    places = [desk.enter(call) for call in "abc"]
    assert [desk.news(place) for place in places] == [[], [], [Left(Leaving.FULL)]]
    assert desk.news(desk.enter("d", max_length=5)) == []
    assert desk.news(desk.enter("e", max_length=0)) == [Left(Leaving.FULL)]
    assert desk.news(desk.enter("found after a restart", resumed=True)) == []


def test_with_no_places_to_wait_a_free_agent_still_takes_the_call(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(length="0")})
    desk.enter("a")
    assert desk.offered() == [("8012", "a")]


def test_nobody_waits_where_nobody_is_logged_in_who_could_help(clock: VirtualClock) -> None:
    desk = Desk(clock, ("8012", {"skills": {"waybill": "1"}}), ("8013", {"login": "by_hand"}))
    assert desk.news(desk.enter("expert", skills={"waybill": 2})) == [Left(Leaving.NO_AGENTS)]
    stubborn = desk.enter("stubborn", skills={"waybill": 2}, no_agents=False)
    assert desk.news(stubborn) == []
    desk.acd.pause("8012", "lunch")
    assert desk.news(waiting := desk.enter("a")) == []
    desk.acd.logout("8012")
    desk.settle()
    assert desk.news(waiting) == [Left(Leaving.NO_AGENTS)]
    assert desk.news(stubborn) == []
    assert desk.news(desk.enter("b")) == [Left(Leaving.NO_AGENTS)]


def test_a_queue_that_is_not_there_is_a_closed_one(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    assert desk.news(desk.enter("a", queue="nowhere")) == [Left(Leaving.CLOSED)]


def test_a_preferred_agent_takes_the_call_when_free_though_another_is_idle_for_longer(clock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.enter("a", agent="8013")
    desk.enter("b", agent="8013")
    assert desk.offered() == [("8013", "a"), ("8012", "b")]


def test_an_expected_wait_is_told_only_when_enough_is_known(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(length="50")})
    for call in range(5):
        place = desk.enter(f"done-{call}")
        assert place.expected_wait() is None
        ring = desk.answer()
        clock.advance(60)
        ring.end_talk(TalkEnd.AGENT)
        desk.settle()
    desk.enter("busy")
    desk.answer()
    first, second = desk.enter("a"), desk.enter("b")
    assert first.expected_wait() == pytest.approx(60, abs=1)
    assert second.expected_wait() == pytest.approx(120, abs=1)
    desk.acd.logout("8012")
    assert first.expected_wait() is not None, "an agent who still talks still works"


def test_a_call_is_offered_on_until_somebody_answers_and_keeps_its_place(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013", "8014")
    place = desk.enter("a")
    desk.floor.ringing().fail(RingKind.BUSY, "USER_BUSY")
    desk.settle()
    desk.floor.ringing().fail(RingKind.REJECTED, "CALL_REJECTED")
    desk.settle()
    desk.enter("b")
    assert desk.places["b"].position() == 2
    assert place.position() == 1
    desk.answer("8014", "a")
    assert desk.offered() == [("8012", "a"), ("8013", "a"), ("8014", "a")]
    assert [row.data["why"] for row in desk.rows("offer.missed")] == ["busy", "rejected"]
