"""Who of the free agents is called: each strategy by what it promises, and many phones at once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from engine.acd.places import Connecting, Leaving, Left, Talking
from engine.clock import VirtualClock
from engine.errors import NotConnected
from engine.types import AgentState, RingKind, TalkEnd
from tests.acd.desk import Desk, queue


def desk_of(
    clock: VirtualClock, strategy: str, *agents: str | tuple[str, dict[str, Any]], **more: Any
) -> Desk:
    return Desk(clock, *agents, queues={"desk": queue(strategy=strategy, **more)})


def serve(desk: Desk, call: str, seconds: float = 10.0, **values: Any) -> str:
    """One call from the ring to the end of its talk; who took it."""
    desk.enter(call, **values)
    ring = desk.answer()
    desk.clock.advance(seconds)
    ring.end_talk(TalkEnd.CALLER)
    desk.settle()
    return ring.agent


def test_top_down_takes_the_first_in_the_file_who_is_free(clock: VirtualClock) -> None:
    desk = desk_of(clock, "top_down", "a", "b", "c")
    assert [serve(desk, f"call-{n}") for n in range(3)] == ["a", "a", "a"]
    desk.acd.pause("a", "lunch")
    assert serve(desk, "later") == "b"


def test_round_robin_goes_on_with_the_next_also_after_a_call_that_was_not_answered(
    clock: VirtualClock,
) -> None:
    desk = desk_of(clock, "round_robin", "a", "b", "c")
    assert [serve(desk, f"call-{n}") for n in range(4)] == ["a", "b", "c", "a"]
    desk.enter("missed")
    desk.floor.ringing("b").fail(RingKind.NO_ANSWER)
    desk.settle()
    desk.answer("c").end_talk(TalkEnd.CALLER)
    desk.settle()
    assert serve(desk, "next") == "a", "b was offered one and has to wait for its turn"


def test_fewest_calls_and_least_talk_count_from_the_log_in(clock: VirtualClock) -> None:
    desk = desk_of(clock, "fewest_calls", "a", "b")
    assert [serve(desk, f"call-{n}") for n in range(4)] == ["a", "b", "a", "b"]
    desk.acd.pause("b", "lunch")
    assert [serve(desk, f"lunch-{n}") for n in range(2)] == ["a", "a"]
    desk.acd.ready("b")
    assert [serve(desk, f"after-{n}") for n in range(3)] == ["b", "b", "a"]
    desk.acd.logout("a")
    desk.acd.login("a")
    assert serve(desk, "new") == "a"


def test_least_talk_weighs_seconds_and_not_calls(clock: VirtualClock) -> None:
    desk = desk_of(clock, "least_talk", "a", "b")
    assert serve(desk, "long", 300) == "a"
    assert [serve(desk, f"short-{n}", 60) for n in range(5)] == ["b"] * 5
    assert serve(desk, "even", 60) in ("a", "b")


def test_most_skilled_goes_by_what_the_caller_asked_for_and_then_by_idleness(clock: VirtualClock) -> None:
    desk = desk_of(
        clock,
        "most_skilled",
        ("low", {"skills": {"waybill": "1", "customs": "9"}}),
        ("high", {"skills": {"waybill": "3"}}),
        ("also_high", {"skills": {"waybill": "3"}}),
        ("near", {"skills": {"waybill": "2"}, "queues": {"desk": "1"}}),
        ("far", {"skills": {"waybill": "9"}, "queues": {"desk": "2"}}),
    )
    desk.enter("a", skills={"waybill": 1})
    desk.enter("b", skills={"waybill": 1})
    desk.enter("c", skills={"waybill": 1, "customs": 1})
    desk.enter("d", skills={"waybill": 1})
    desk.enter("e", skills={"waybill": 1})
    assert desk.offered() == [("high", "a"), ("also_high", "b"), ("low", "c"), ("near", "d"), ("far", "e")]


def test_random_spreads_calls_and_the_same_seed_gives_the_same_day(clock: VirtualClock) -> None:
    days = []
    for _ in range(2):
        desk = desk_of(clock, "random", "a", "b", "c", ("far", {"queues": {"desk": "2"}}))
        days.append([serve(desk, f"call-{n}", 1) for n in range(90)])
    assert days[0] == days[1]
    counts = Counter(days[0])
    assert set(counts) == {"a", "b", "c"}, "who is on a further tier is called when no nearer one is free"
    assert all(count >= 15 for count in counts.values())
    assert days[0][:30] != days[0][30:60]


# -- many phones at once ----------------------------------------------------------------------------------


def rung(desk: Desk, call: str) -> set[str]:
    return {ring.agent for ring in desk.floor.rings if ring.rings and ring.call_id == call}


def test_ring_all_rings_everybody_and_the_first_who_answers_has_the_call(clock: VirtualClock) -> None:
    desk = desk_of(clock, "ring_all", "a", "b", "c")
    place = desk.enter("call")
    assert rung(desk, "call") == {"a", "b", "c"}
    assert desk.acd.queue("desk").waiting[0].offered_to == "a, b, c"
    clock.advance(4)
    desk.answer("b")
    assert [type(news) for news in desk.news(place)] == [Connecting, Talking]
    assert desk.state("b") is AgentState.TALKING
    assert (desk.state("a"), desk.state("c")) == (AgentState.READY, AgentState.READY)
    assert all(ring.cancelled for ring in desk.floor.rings if ring.agent != "b")
    lost = {row.agent: row.data for row in desk.rows("offer.lost")}
    assert set(lost) == {"a", "c"}
    assert {data["to"] for data in lost.values()} == {"b"}
    assert desk.rows("offer.missed") == [], "nobody missed anything"


def test_two_phones_answered_in_the_same_instant_make_one_talk(clock: VirtualClock) -> None:
    for bridge_time in (0.0, 0.3):
        desk = desk_of(clock, "ring_all", "a", "b", "c")
        desk.floor.bridge_time = bridge_time
        desk.enter("call")
        for ring in list(desk.floor.rings):
            ring.answer()
        clock.advance(1)
        talks = [ring for ring in desk.floor.rings if ring.bridged]
        assert len(talks) == 1
        assert all(ring.dropped for ring in desk.floor.rings if ring is not talks[0])
        states = Counter(desk.state(agent) for agent in "abc")
        assert states == {AgentState.TALKING: 1, AgentState.READY: 2}


def test_a_caller_who_hangs_up_stops_all_phones_and_the_next_caller_rings_them(clock: VirtualClock) -> None:
    desk = desk_of(clock, "ring_all", "a", "b")
    desk.enter("first")
    desk.enter("second")
    desk.hang_up("first")
    assert rung(desk, "first") == set()
    assert rung(desk, "second") == {"a", "b"}
    assert desk.acd.queue("desk").abandoned == 1


def test_an_agent_who_becomes_free_rings_along_and_one_who_declines_does_not_end_it(
    clock: VirtualClock,
) -> None:
    desk = desk_of(clock, "ring_all", "a", "b", "c")
    desk.acd.pause("c", "lunch")
    place = desk.enter("call")
    assert rung(desk, "call") == {"a", "b"}
    desk.floor.ringing("a").fail(RingKind.REJECTED)
    desk.settle()
    desk.acd.ready("c")
    desk.settle()
    assert rung(desk, "call") == {"b", "c"}
    assert desk.rows("offer.made")[-1].data["side"] == "all"
    desk.acd.logout("b")
    desk.floor.ringing("c").fail(RingKind.NO_ANSWER)
    desk.settle()
    assert rung(desk, "call") == {"c"}, "the last ring failed, so the caller looks for agents anew"
    assert place.position() == 1


def test_a_bridge_that_fails_gives_the_caller_back_to_all(clock: VirtualClock) -> None:
    desk = desk_of(clock, "ring_all", "a", "b")
    desk.enter("call")
    ring = desk.floor.ringing("a")
    ring.bridges = False
    ring.answer()
    desk.settle()
    assert desk.state("a") is AgentState.PAUSED, "its phone is left alone for a moment"
    assert rung(desk, "call") == {"b"}


def test_a_switch_that_is_gone_while_many_phones_are_asked_takes_nobody_down(clock: VirtualClock) -> None:
    desk = desk_of(clock, "ring_all", "a", "b", "c")
    desk.floor.raises = NotConnected("there is no event socket")
    place = desk.enter("call")
    assert (desk.offered(), place.position()) == ([], 1)
    assert {desk.state(agent) for agent in "abc"} == {AgentState.READY}
    desk.floor.raises = None
    clock.advance(1.1)
    assert rung(desk, "call") == {"a", "b", "c"}


def test_who_is_to_be_called_back_is_dialled_when_one_agent_is_reserved(clock: VirtualClock) -> None:
    desk = desk_of(clock, "ring_all", "a", "b")
    steps: list[str] = []

    def dial(agent: Any) -> bool:
        steps.append(f"dial for {agent.id}: {desk.state(agent.id)}")
        clock.sleep(8)
        return True

    desk.enter("owed", ready=dial)
    assert (steps, desk.offered()) == (["dial for a: offered"], [])
    assert desk.state("b") is AgentState.READY
    clock.advance(8)
    assert desk.offered() == [("a", "owed")]


def test_who_can_not_be_called_back_leaves_and_the_agent_is_free_again(clock: VirtualClock) -> None:
    desk = desk_of(clock, "longest_idle", "a")
    place = desk.enter("owed", ready=lambda agent: False)
    assert desk.news(place) == [Left(Leaving.NOT_REACHED)]
    assert desk.state("a") is AgentState.READY
    assert desk.acd.queue("desk").abandoned == 0


@pytest.mark.parametrize("strategy", ["longest_idle", "most_skilled", "random", "top_down", "ring_all"])
def test_a_decision_says_what_it_saw(clock: VirtualClock, strategy: str) -> None:
    desk = desk_of(
        clock, strategy, ("a", {"skills": {"waybill": "2"}}), ("b", {"skills": {"waybill": "2"}}), "c"
    )
    desk.enter("call", skills={"waybill": 2})
    made = desk.rows("offer.made")[0]
    assert (made.data["rule"], made.data["side"]) == (strategy, "caller")
    assert (made.data["free"], made.data["able"], made.data["tier"]) == (3, 2, 1)
    assert [one["agent"] for one in made.data["next"]] == ["b" if made.agent == "a" else "a"]
    assert made.data["unfit"] == [{"agent": "c", "lacks": {"skill:waybill": 2}}]


def test_a_decision_says_whom_it_passed_over(clock: VirtualClock) -> None:
    desk = desk_of(
        clock, "longest_idle", ("a", {"skills": {"waybill": "1"}}), ("b", {"skills": {"waybill": "3"}})
    )
    desk.acd.pause("a", "lunch")
    desk.acd.pause("b", "lunch")
    desk.enter("expert", skills={"waybill": 3})
    desk.enter("simple", skills={"waybill": 1})
    desk.acd.ready("a")
    (made,) = desk.rows("offer.made")
    assert (made.call, made.data["side"], made.data["position"]) == ("simple", "agent", 2)
    assert made.data["ahead"] == [{"call": "expert", "lacks": {"skill:waybill": 3}}]
