"""Agents: their states, what they do by themselves, and what happens to their phones."""

from __future__ import annotations

import pytest

from engine.acd.places import Leaving, Left, Talking
from engine.clock import VirtualClock
from engine.errors import NotFound, WrongState
from engine.types import AgentState, RingKind, TalkEnd
from tests.acd.desk import Desk, queue

LOGGED_OUT, READY, OFFERED = AgentState.LOGGED_OUT, AgentState.READY, AgentState.OFFERED
TALKING, WRAP_UP, PAUSED = AgentState.TALKING, AgentState.WRAP_UP, AgentState.PAUSED
UNREACHABLE = AgentState.UNREACHABLE


def talk(desk: Desk, call: str, agent: str = "") -> None:
    """One call from beginning to end."""
    desk.enter(call)
    desk.answer(agent, call).end_talk(TalkEnd.CALLER)
    desk.settle()


def test_the_one_who_has_been_idle_for_longest_is_rung_first(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013", "8014")
    for call in "abcde":
        talk(desk, call)
        clock.advance(1)
    assert [agent for agent, _ in desk.offered()] == ["8012", "8013", "8014", "8012", "8013"]


def test_a_lower_tier_is_rung_before_a_longer_idleness(clock: VirtualClock) -> None:
    desk = Desk(clock, ("helper", {"queues": {"desk": "2"}}), "8012")
    desk.enter("a")
    desk.enter("b")
    assert desk.offered() == [("8012", "a"), ("helper", "b")]


def test_a_free_agent_takes_from_its_nearest_queue_first(clock: VirtualClock) -> None:
    desk = Desk(
        clock,
        ("8012", {"queues": {"near": "1", "far": "2"}}),
        queues={"near": queue(), "far": queue()},
    )
    desk.acd.pause("8012", "start")
    desk.enter("old", queue="far")
    clock.advance(60)
    desk.enter("young", queue="near")
    desk.acd.ready("8012")
    desk.settle()
    assert desk.offered() == [("8012", "young")]


def test_two_calls_want_one_agent_and_one_gets_it(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.floor.callers |= {"a", "b"}
    first, second = desk.enter("a"), desk.enter("b")
    assert desk.offered() == [("8012", "a")]
    desk.answer()
    assert any(isinstance(news, Talking) for news in desk.news(first))
    assert desk.news(second) == []
    assert desk.state("8012") is TALKING


def test_two_agents_become_ready_for_one_call_and_one_is_rung(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    for agent in ("8012", "8013"):
        desk.acd.pause(agent, "start")
    desk.enter("a")
    for agent in ("8012", "8013"):
        desk.acd.ready(agent)
    desk.settle()
    assert desk.offered() == [("8012", "a")]
    assert desk.state("8013") is READY


def test_after_no_answer_the_next_agent_is_rung_at_once(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.enter("a")
    clock.advance(20)
    assert desk.offered() == [("8012", "a"), ("8013", "a")]
    assert desk.state("8012") is READY
    (row,) = desk.rows("offer.missed")
    assert (row.agent, row.call, row.data["why"], row.data["cause"]) == (
        "8012",
        "a",
        "no_answer",
        "NO_ANSWER",
    )
    (facts,) = [facts for event, facts in desk.told if event == "offer_missed"]
    assert (facts["call"], facts["why"]) == ("a", "no_answer")


def test_the_only_agent_is_rung_again_after_a_miss(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    clock.advance(20)
    assert desk.offered() == [("8012", "a"), ("8012", "a")]


def test_two_misses_in_a_row_pause_the_agent_with_that_reason(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.acd.pause("8013", "lunch")
    desk.enter("a")
    clock.advance(41)
    view = desk.acd.agent("8012")
    assert (view.state, view.reason) == (PAUSED, "no answer")
    assert desk.places["a"].position() == 1
    clock.advance(600 - 41 - 1)
    assert len(desk.offered()) == 2
    (row,) = [
        row for row in desk.rows("agent.state") if row.data["state"] == "paused" and row.agent == "8012"
    ]
    assert (row.data["before"], row.data["reason"]) == ("offered", "no answer")


def test_an_answered_call_makes_an_earlier_miss_forgotten(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    clock.advance(20)
    desk.answer().end_talk(TalkEnd.CALLER)
    desk.settle()
    desk.enter("b")
    clock.advance(20)
    assert desk.state("8012") is OFFERED, "this was the first miss again"
    desk.hang_up("b")
    desk.acd.pause("8012", "lunch")
    desk.acd.ready("8012")
    desk.enter("c")
    clock.advance(20)
    assert desk.state("8012") is OFFERED, "coming back from a pause begins anew too"


@pytest.mark.parametrize(
    ("kind", "reason", "seconds"),
    [("busy", "busy", 5), ("rejected", "declined", 10), ("failed", "failed", 10)],
)
def test_a_phone_that_refuses_is_left_alone_for_a_moment(clock, kind: str, reason: str, seconds: int) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    desk.floor.ringing().fail(RingKind(kind), "WHY")
    desk.settle()
    view = desk.acd.agent("8012")
    assert (view.state, view.reason) == (PAUSED, reason)
    clock.advance(seconds - 0.1)
    assert len(desk.offered()) == 1
    clock.advance(0.2)
    assert desk.offered() == [("8012", "a"), ("8012", "a")]


def test_a_pause_that_was_wished_for_outlasts_one_of_the_engines_own(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    desk.floor.ringing().fail(RingKind.BUSY)
    desk.settle()
    desk.acd.pause("8012", "busy")
    clock.advance(60)
    assert (desk.state("8012"), desk.acd.agent("8012").reason) == (PAUSED, "busy")
    assert desk.acd.mended == 0, "the same word, but it was the agent's own"


def test_a_ring_that_ends_as_cancelled_by_nobody_is_a_failed_one(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    desk.floor.ringing().fail(RingKind.CANCELLED, "ORIGINATOR_CANCEL")
    desk.settle()
    assert (desk.state("8012"), desk.acd.agent("8012").reason) == (PAUSED, "failed")


# -- phones -----------------------------------------------------------------------------------------


def test_a_phone_that_is_not_registered_is_never_rung(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", start=False)
    desk.acd.phones_are([])
    desk.acd.start()
    assert desk.state("8012") is UNREACHABLE
    desk.enter("a")
    assert desk.offered() == []
    desk.acd.phone_registered("1001")
    desk.settle()
    assert desk.offered() == [("8012", "a")]
    assert desk.acd.agent("8012").reachable


def test_an_unreachable_phone_sends_the_call_to_the_next_and_comes_back_when_it_registers(clock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.enter("a")
    desk.floor.ringing().fail(RingKind.UNREACHABLE, "USER_NOT_REGISTERED")
    desk.settle()
    assert desk.offered()[-1] == ("8013", "a")
    assert desk.state("8012") is UNREACHABLE
    desk.acd.phone_registered("1001")
    assert desk.state("8012") is READY


def test_a_registered_phone_that_did_not_answer_the_network_is_tried_again_after_a_while(clock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    desk.floor.ringing().fail(RingKind.UNREACHABLE, "NORMAL_TEMPORARY_FAILURE")
    clock.advance(29)
    assert desk.state("8012") is UNREACHABLE
    clock.advance(2)
    assert desk.offered() == [("8012", "a"), ("8012", "a")]


def test_a_phone_that_vanishes_while_it_rings_hands_the_call_on(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.enter("a")
    ring = desk.floor.ringing()
    desk.acd.phone_lost("1001")
    assert ring.cancelled
    desk.settle()
    assert desk.state("8012") is UNREACHABLE
    assert desk.offered() == [("8012", "a"), ("8013", "a")]


def test_a_phone_that_vanishes_in_a_talk_leaves_the_talk_alone(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    ring = desk.answer()
    desk.acd.phone_lost("1001")
    desk.settle()
    assert desk.state("8012") is TALKING
    assert not desk.acd.agent("8012").reachable
    ring.end_talk(TalkEnd.CALLER)
    desk.settle()
    assert desk.state("8012") is UNREACHABLE


def test_a_list_of_registrations_says_who_is_gone_and_who_is_back(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.acd.phones_are({"1002", "1077"})
    assert (desk.state("8012"), desk.state("8013")) == (UNREACHABLE, READY)
    desk.acd.phones_are({"1001"})
    assert (desk.state("8012"), desk.state("8013")) == (READY, UNREACHABLE)


def test_a_pause_is_kept_though_the_phone_goes_and_comes(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.acd.pause("8012", "lunch")
    desk.acd.phone_lost("1001")
    desk.acd.phone_registered("1001")
    assert desk.state("8012") is PAUSED
    desk.acd.phone_lost("1001")
    desk.acd.ready("8012")
    assert desk.state("8012") is UNREACHABLE


# -- after the call ---------------------------------------------------------------------------------


def test_the_work_after_a_call_has_its_time_and_then_the_next_call_comes(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="15s")})
    talk(desk, "a")
    desk.enter("b")
    view = desk.acd.agent("8012")
    assert (view.state, view.call) == (WRAP_UP, "a")
    clock.advance(14)
    assert len(desk.offered()) == 1
    clock.advance(1)
    assert desk.offered()[-1] == ("8012", "b")
    (facts,) = [facts for event, facts in desk.told if event == "wrapup_finished"]
    assert (facts["call"], facts["seconds"], facts["disposition"]) == ("a", 15.0, "")


def test_the_work_after_a_call_can_be_ended_and_only_once(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="15s")})
    talk(desk, "a")
    desk.acd.end_wrap_up("8012")
    assert desk.state("8012") is READY
    with pytest.raises(WrongState, match="no work after a call"):
        desk.acd.end_wrap_up("8012")
    clock.advance(30)
    assert desk.state("8012") is READY


def test_a_disposition_belongs_to_the_call_and_ends_the_work_after_it(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013", queues={"desk": queue(wrap_up="15s")})
    talk(desk, "a")
    desk.acd.disposition("8012", "solved")
    assert desk.state("8012") is READY
    (row,) = desk.rows("call.disposition")
    assert (row.call, row.agent, row.data["code"]) == ("a", "8012", "solved")
    (facts,) = [facts for event, facts in desk.told if event == "wrapup_finished"]
    assert facts["disposition"] == "solved"
    with pytest.raises(WrongState, match="no call"):
        desk.acd.disposition("8012", "again")


def test_a_disposition_given_in_the_talk_leaves_the_work_after_it(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="15s")})
    desk.enter("a")
    ring = desk.answer()
    desk.acd.disposition("8012", "solved")
    assert desk.state("8012") is TALKING
    ring.end_talk(TalkEnd.AGENT)
    clock.advance(16)
    (facts,) = [facts for event, facts in desk.told if event == "wrapup_finished"]
    assert (facts["call"], facts["disposition"]) == ("a", "solved")


# -- wishes -----------------------------------------------------------------------------------------


def test_a_pause_in_a_talk_takes_effect_after_it_and_its_work(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="15s")})
    desk.enter("a")
    ring = desk.answer()
    assert desk.acd.pause("8012", "lunch").state is TALKING
    ring.end_talk(TalkEnd.CALLER)
    desk.settle()
    assert desk.state("8012") is WRAP_UP
    clock.advance(15)
    view = desk.acd.agent("8012")
    assert (view.state, view.reason) == (PAUSED, "lunch")


def test_a_wish_can_be_taken_back(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    ring = desk.answer()
    desk.acd.pause("8012", "lunch")
    desk.acd.ready("8012")
    ring.end_talk(TalkEnd.CALLER)
    desk.settle()
    assert desk.state("8012") is READY
    desk.enter("b")
    ring = desk.answer()
    desk.acd.logout("8012")
    desk.acd.login("8012")
    ring.end_talk(TalkEnd.CALLER)
    desk.settle()
    assert desk.state("8012") is READY


def test_a_logout_in_a_talk_takes_effect_after_it_without_wrap_up(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="15s")})
    desk.enter("a")
    ring = desk.answer()
    assert desk.acd.logout("8012").state is TALKING
    ring.end_talk(TalkEnd.CALLER)
    desk.settle()
    assert desk.state("8012") is LOGGED_OUT
    assert desk.acd.agent_on("1001") is None


@pytest.mark.parametrize("wish", ["pause", "logout"])
def test_who_goes_while_the_phone_rings_hands_the_call_on(clock: VirtualClock, wish: str) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.enter("a")
    ring = desk.floor.ringing()
    if wish == "pause":
        desk.acd.pause("8012", "lunch")
    else:
        desk.acd.logout("8012")
    assert ring.cancelled
    desk.settle()
    assert desk.offered() == [("8012", "a"), ("8013", "a")]
    assert desk.state("8012") is (PAUSED if wish == "pause" else LOGGED_OUT)
    assert desk.rows("offer.missed") == [], "it was no miss"


def test_the_last_agent_who_goes_while_its_phone_rings_leaves_nobody(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    place = desk.enter("a")
    desk.acd.logout("8012")
    desk.settle()
    assert desk.news(place) == [Left(Leaving.NO_AGENTS)]


def test_ready_ends_the_work_after_a_call_and_a_pause_ends_it_too(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="15s")})
    talk(desk, "a")
    desk.acd.ready("8012")
    assert desk.state("8012") is READY
    talk(desk, "b")
    desk.acd.pause("8012", "lunch")
    assert desk.state("8012") is PAUSED


def test_commands_on_nobody_and_on_one_who_is_out_say_so(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    for command in (desk.acd.logout, desk.acd.ready, desk.acd.end_wrap_up, desk.acd.agent, desk.acd.login):
        with pytest.raises(NotFound, match="there is no agent 9999"):
            command("9999")
    desk.acd.logout("8012")
    desk.acd.logout("8012")
    for command in (desk.acd.ready, lambda agent: desk.acd.pause(agent, "lunch")):
        with pytest.raises(WrongState, match="agent 8012 is not logged in"):
            command("8012")
    with pytest.raises(NotFound, match="there is no queue nowhere"):
        desk.acd.queue("nowhere")


def test_every_second_of_an_agent_is_in_the_journal_once(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="15s")})
    clock.advance(10)
    desk.enter("a")
    clock.advance(5)
    ring = desk.answer()
    clock.advance(60)
    ring.end_talk(TalkEnd.AGENT)
    clock.advance(20)
    desk.acd.pause("8012", "lunch")
    clock.advance(100)
    desk.acd.logout("8012")
    spent = {}
    for row in desk.rows("agent.state"):
        spent[row.data["before"]] = spent.get(row.data["before"], 0) + row.data["seconds"]
    rounded = {state: round(seconds) for state, seconds in spent.items()}
    assert rounded == {
        "logged_out": 0,
        "ready": 15,
        "offered": 5,
        "talking": 60,
        "wrap_up": 15,
        "paused": 100,
    }
    assert sum(spent.values()) == pytest.approx(clock.monotonic(), abs=0.01)


def test_the_board_shows_a_queue_with_those_who_wait(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013", ("8014", {"login": "by_hand"}))
    desk.acd.pause("8013", "lunch")
    desk.enter("a", priority=5)
    clock.advance(3)
    desk.enter("b", skills={"waybill": 2}, no_agents=False)
    view = desk.acd.queue("desk", "en", most=1)
    assert (view.name, view.title) == ("desk", "Desk")
    assert (view.agents_ready, view.agents_busy, view.agents_away, view.agents_in) == (0, 1, 1, 2)
    assert view.callers == 2, "also those who are not named"
    assert view.longest_wait == pytest.approx(3, abs=0.1)
    (waiting,) = view.waiting
    assert (waiting.call, waiting.position, waiting.offered_to, waiting.priority) == ("a", 1, "8012", 5)
    assert [waiting.call for waiting in desk.acd.queues()[0].waiting] == ["a", "b"]
    assert [view.id for view in desk.acd.agents()] == ["8012", "8013", "8014"]


def test_the_service_level_counts_the_abandoned_ones_too(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(service_level={"within": "20s", "share": "80%"})})
    assert desk.acd.service_level("desk") is None
    talk(desk, "quick")
    desk.enter("slow")
    clock.advance(15)
    desk.floor.ringing().fail(RingKind.BUSY)
    clock.advance(10)
    desk.answer().end_talk(TalkEnd.CALLER)
    desk.settle()
    assert desk.acd.service_level("desk") == 0.5
    desk.enter("gone")
    desk.hang_up("gone")
    assert desk.acd.service_level("desk") == pytest.approx(1 / 3)
