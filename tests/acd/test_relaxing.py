"""What changes while a caller waits: needs that relax, one agent that is waited for, another queue, closing time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.acd.opening import Hours
from engine.acd.places import Leaving, Left, Moved, Request
from engine.acd.rules import MOST_PRIORITY, Goal
from engine.clock import VirtualClock
from engine.errors import NotFound, WrongState
from engine.types import AgentState, RingKind, TalkEnd
from tests.acd.desk import Desk, queue

STEPS = [{"after": "30s", "level": "1"}, {"after": "90s", "skills": "any"}, {"after": "120s", "site": "any"}]


def people(**skills: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, {"skills": levels}) for name, levels in skills.items()]


# -- relaxing -----------------------------------------------------------------------------------------


def test_a_lower_level_does_after_a_while_and_then_anyone(clock: VirtualClock) -> None:
    desk = Desk(clock, *people(low={"waybill": "1"}, none={}), queues={"desk": queue(relax=STEPS)})
    desk.enter("a", skills={"waybill": 3})
    desk.enter("b", skills={"waybill": 3})
    clock.advance(29.9)
    assert desk.offered() == []
    clock.advance(0.2)
    assert desk.offered() == [("low", "a")]
    (relaxed, _) = desk.rows("queue.relaxed")
    assert relaxed.data == {
        "step": 1,
        "after": 30.0,
        "before": {"skill:waybill": 3},
        "needs": {"skill:waybill": 1},
        "able": 1,
        "waited": pytest.approx(30, abs=0.01),
    }
    desk.answer()
    clock.advance(60)
    assert desk.offered() == [("low", "a"), ("none", "b")]
    assert desk.rows("queue.relaxed")[-1].data["needs"] == {}


def test_relaxing_skill_by_skill_leaves_the_others(clock: VirtualClock) -> None:
    steps = [{"after": "10s", "skills": {"waybill": "1"}}, {"after": "20s", "skills": {"customs": "0"}}]
    agents = people(both={"waybill": "1", "customs": "1"}, one={"waybill": "2"})
    desk = Desk(clock, *agents, queues={"desk": queue(relax=steps)})
    desk.acd.pause("both", "lunch")
    desk.enter("a", skills={"waybill": 2, "customs": 1})
    clock.advance(11)
    assert desk.offered() == []
    clock.advance(10)
    assert desk.offered() == [("one", "a")]


def test_the_own_site_is_first_and_others_are_called_later(clock: VirtualClock) -> None:
    steps = [{"after": "60s", "site": "south"}, {"after": "120s", "site": "any"}]
    desk = Desk(
        clock,
        ("n", {"site": "north"}),
        ("s", {"site": "south"}),
        ("w", {"site": "west"}),
        queues={"desk": queue(site="caller", relax=steps)},
    )
    desk.enter("stranger")
    assert desk.offered() == [("n", "stranger")], "a caller of no known site may go anywhere"
    desk.answer()
    desk.enter("a", site="north")
    desk.enter("b", site="north")
    clock.advance(61)
    assert desk.offered()[1:] == [("s", "a")]
    desk.answer()
    assert desk.rows("queue.relaxed")[0].data["needs"] == {"site:north|south": 1}
    clock.advance(60)
    assert desk.offered()[2:] == [("w", "b")]


def test_a_caller_whom_somebody_could_serve_later_is_not_sent_away_for_lack_of_agents(clock) -> None:
    desk = Desk(clock, *people(low={"waybill": "1"}), queues={"desk": queue(relax=STEPS)})
    assert desk.news(desk.enter("a", skills={"waybill": 3})) == []
    desk.acd.logout("low")
    desk.settle()
    assert desk.news(desk.places["a"]) == [Left(Leaving.NO_AGENTS)]
    strict = Desk(clock, *people(low={"waybill": "1"}))
    assert strict.news(strict.enter("a", skills={"waybill": 3})) == [Left(Leaving.NO_AGENTS)]


def test_a_relaxation_that_comes_while_a_phone_rings_counts_afterwards(clock: VirtualClock) -> None:
    agents = people(high={"waybill": "3"}, low={"waybill": "1"})
    desk = Desk(clock, *agents, queues={"desk": queue(offer="40s", relax=STEPS)})
    desk.enter("a", skills={"waybill": 3})
    clock.advance(35)
    assert desk.offered() == [("high", "a")]
    desk.floor.ringing().fail(RingKind.NO_ANSWER)
    desk.settle()
    assert desk.offered()[1:] == [("low", "a")]


def test_a_caller_found_after_a_restart_is_as_relaxed_as_it_was(clock: VirtualClock) -> None:
    desk = Desk(clock, *people(low={"waybill": "1"}), queues={"desk": queue(relax=STEPS)})
    desk.enter("found", skills={"waybill": 3}, since=45.0, resumed=True)
    assert desk.offered() == [("low", "found")]
    desk.answer()
    desk.enter("from elsewhere", skills={"waybill": 3}, since=45.0)
    assert desk.rows("queue.relaxed") == [], "a wait in another queue counts for the place, not here"


# -- priority ------------------------------------------------------------------------------------------


def order(desk: Desk) -> list[str]:
    return [view.call for view in desk.acd.queue("desk").waiting]


def test_a_tier_and_the_flow_give_a_head_start_in_seconds(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", tiers={"diamond": 50, "gold": 20}, ageing={"every": "60s", "by": "5"})
    desk.acd.pause("8012", "lunch")
    desk.enter("ordinary", tier="ordinary")
    clock.advance(200)
    desk.enter("gold", tier="gold")
    assert order(desk) == ["gold", "ordinary"], "20 points are worth 240 s"
    clock.advance(50)
    desk.enter("late gold", tier="gold")
    assert order(desk) == ["gold", "ordinary", "late gold"], "by now the ordinary one has waited for 250 s"
    desk.enter("with a customer on hold", priority=30, tier="diamond")
    assert order(desk)[0] == "with a customer on hold"
    entered = desk.rows("queue.entered")[-1].data
    assert (entered["priority"], entered["tier"], entered["head_start"]) == (80, "diamond", 960.0)


def test_nobody_starves_behind_callers_who_matter_more(clock: VirtualClock) -> None:
    """One agent, a diamond every half minute and each talk as long as that: without ageing for ever."""
    desk = Desk(clock, "8012", queues={"desk": queue(longest="12h", length="1000")}, tiers={"diamond": 50})
    desk.enter("busy")
    ordinary = desk.enter("ordinary")
    most = 0
    for number in range(60):
        desk.enter(f"diamond-{number}", tier="diamond")
        ring = desk.answer()
        clock.advance(30)
        if ring.call_id == "ordinary":
            break
        most = number
        ring.end_talk(TalkEnd.CALLER)
        desk.settle()
    assert not ordinary.position()
    assert 18 <= most <= 22, "50 points are worth 600 s: those who come within them go first, and nobody else"


@settings(max_examples=60, deadline=None)
@given(
    every=st.sampled_from([10, 60, 300]),
    by=st.integers(1, 50),
    callers=st.lists(st.tuples(st.integers(-1_500, 1_500), st.integers(0, 600)), min_size=2, max_size=25),
)
def test_nobody_is_overtaken_by_who_came_later_than_its_priority_is_worth(
    every: int, by: int, callers: list[tuple[int, int]]
) -> None:
    """The bound on starving, whatever priorities callers bring: one that comes later by more than the whole span of
    priorities is worth never goes first. So everybody's turn comes after finitely many."""
    clock = VirtualClock()
    try:
        rules = {"every": f"{every}s", "by": str(by)}
        desk = Desk(clock, "8012", queues={"desk": queue(longest="24h", length="1000")}, ageing=rules)
        desk.acd.pause("8012", "lunch")
        worth = every / by
        came: dict[str, tuple[float, int]] = {}
        for number, (priority, pause) in enumerate(callers):
            desk.enter(f"call-{number}", priority=priority)
            came[f"call-{number}"] = clock.monotonic(), max(-MOST_PRIORITY, min(MOST_PRIORITY, priority))
            clock.advance(pause)
        served = [call for call in order(desk) if call in came]
        for place, call in enumerate(served):
            for later in served[place + 1 :]:
                head_start = (came[call][1] - came[later][1]) * worth
                assert came[call][0] - came[later][0] <= head_start + 0.01
                assert came[call][0] - came[later][0] <= 2 * MOST_PRIORITY * worth + 0.01
    finally:
        clock.close()


def test_a_supervisor_moves_a_caller_up(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.acd.pause("8012", "lunch")
    for call in "abc":
        desk.enter(call)
    view = desk.acd.raise_priority("c", 100, by="8013")
    assert (view.position, order(desk)) == (1, ["c", "a", "b"])
    (row,) = desk.rows("queue.raised")
    assert row.data == {
        "before": 0,
        "priority": 100,
        "head_start": 1200.0,
        "by": "8013",
        "position": 1,
    }
    with pytest.raises(NotFound, match="call nobody waits in no queue"):
        desk.acd.raise_priority("nobody", 1)
    desk.acd.ready("8012")
    desk.settle()
    assert desk.offered() == [("8012", "c")]


# -- kept away from a site ------------------------------------------------------------------------------


def sites(**of: str) -> list[tuple[str, dict[str, Any]]]:
    return [(name, {"site": site, "queues": {"desk": "1", "reserve": "1"}}) for name, site in of.items()]


def test_nobody_of_the_site_is_ever_offered_the_call(clock: VirtualClock) -> None:
    steps = [{"after": "10s", "skills": "any"}, {"after": "20s", "site": "any"}]
    queues = {
        "desk": queue(relax=steps, site="south", overflow={"after": "40s", "to": "queue:reserve"}),
        "reserve": queue(),
    }
    desk = Desk(clock, *sites(n="north", s="south"), queues=queues)
    desk.acd.pause("s", "lunch")
    desk.enter("about", away=("north",), skills={"x": 2})
    clock.advance(60)
    assert desk.places["about"].request.queue == "reserve"
    assert desk.offered() == []
    desk.acd.ready("s")
    desk.settle()
    assert desk.offered() == [("s", "about")]


def test_without_anybody_of_another_site_the_call_is_told_so(clock: VirtualClock) -> None:
    desk = Desk(clock, *sites(n="north"), queues={"desk": queue(), "reserve": queue()})
    place = desk.enter("about", away=("north",))
    assert desk.news(place) == [Left(Leaving.NO_AGENTS)]


def test_the_agent_who_knows_the_caller_is_not_waited_for_when_it_is_of_the_site(clock: VirtualClock) -> None:
    queues = {"desk": queue(sticky="20s"), "reserve": queue()}
    desk = Desk(clock, *sites(n="north", s="south"), queues=queues)
    desk.enter("about", away=("north",), last_agent="n")
    assert desk.offered() == [("s", "about")]


def test_ringing_all_leaves_the_phones_of_the_site_alone(clock: VirtualClock) -> None:
    queues = {"desk": queue(strategy="ring_all"), "reserve": queue()}
    desk = Desk(clock, *sites(n="north", s="south", e="east"), queues=queues)
    desk.enter("about", away=("north",))
    assert sorted(desk.offered()) == [("e", "about"), ("s", "about")]


# -- sticky ---------------------------------------------------------------------------------------------


def sticky_desk(clock: VirtualClock, **more: Any) -> Desk:
    desk = Desk(
        clock, "8012", "8013", ("8014", {"login": "by_hand"}), queues={"desk": queue(sticky="20s", **more)}
    )
    desk.enter("busy", agent="8013")
    desk.answer("8013")
    return desk


def test_the_last_agent_is_waited_for_and_then_anybody_will_do(clock: VirtualClock) -> None:
    desk = sticky_desk(clock)
    desk.enter("a", last_agent="8013")
    clock.advance(19)
    assert desk.offered()[1:] == [], "8012 is free, but 8013 knows this caller"
    clock.advance(2)
    assert desk.offered()[1:] == [("8012", "a")]
    (stuck,) = desk.rows("queue.sticky")[1:]
    assert (stuck.data["prefer"], stuck.data["why"]) == ("8013", "last")
    (over,) = [row for row in desk.rows("queue.sticky_over") if row.call == "a"]
    assert (over.data["why"], over.data["needs"]) == ("time", {})


def test_the_owner_gets_its_caller_when_it_becomes_free_in_time(clock: VirtualClock) -> None:
    desk = sticky_desk(clock)
    desk.acd.pause("8012", "lunch")
    desk.enter("other")
    desk.enter("a", agent="8013", last_agent="8012", skills={"customs": 1}, no_agents=False)
    clock.advance(5)
    desk.floor.rings[0].end_talk(TalkEnd.CALLER)
    desk.settle()
    assert desk.offered()[1:] == [("8013", "other")], "sticking is no way past those who came first"
    desk.answer().end_talk(TalkEnd.CALLER)
    desk.settle()
    assert desk.offered()[2:] == [("8013", "a")], "the named owner takes it whatever it asked for"


@pytest.mark.parametrize("deed", ["pause", "logout", "phone"])
def test_an_agent_who_goes_is_waited_for_no_more(clock: VirtualClock, deed: str) -> None:
    desk = sticky_desk(clock)
    desk.enter("a", last_agent="8013")
    match deed:
        case "pause":
            desk.acd.pause("8013", "lunch")
        case "logout":
            desk.acd.logout("8013")
        case _:
            desk.acd.phone_lost("1002")
    desk.floor.rings[0].end_talk(TalkEnd.CALLER)
    desk.settle()
    assert desk.offered()[1:] == [("8012", "a")]
    assert [row.data["why"] for row in desk.rows("queue.sticky_over")] == ["agent gone"]


def test_an_agent_who_does_not_answer_is_waited_for_no_more(clock: VirtualClock) -> None:
    desk = sticky_desk(clock)
    desk.floor.rings[0].end_talk(TalkEnd.CALLER)
    desk.settle()
    desk.enter("a", last_agent="8013")
    desk.floor.ringing("8013").fail(RingKind.NO_ANSWER)
    desk.settle()
    assert desk.offered()[1:] == [("8013", "a"), ("8012", "a")]
    assert [row.data["why"] for row in desk.rows("queue.sticky_over")] == ["missed"]


def test_nobody_waits_for_an_agent_who_is_not_there(clock: VirtualClock) -> None:
    desk = sticky_desk(clock)
    desk.enter("a", last_agent="8014")
    assert desk.offered()[1:] == [("8012", "a")]
    desk.enter("b", last_agent="gone for good")
    assert desk.places["b"].sticky == ""


def test_a_caller_who_hangs_up_or_moves_is_stuck_to_nobody(clock: VirtualClock) -> None:
    desk = sticky_desk(clock)
    desk.enter("a", last_agent="8013")
    desk.hang_up("a")
    desk.acd.logout("8013")
    desk.floor.rings[0].end_talk(TalkEnd.CALLER)
    desk.settle()
    clock.advance(60)
    assert desk.rows("queue.sticky_over") == []


# -- overflow and moving ---------------------------------------------------------------------------------

RESERVE = {"queues": {"reserve": "1"}}


def overflow_desk(
    clock: VirtualClock, *agents: Any, reserve: dict[str, Any] | None = None, **over: Any
) -> Desk:
    queues = {
        "desk": queue(overflow={"to": "queue:reserve", **(over or {"after": "3m"})}, longest="20m"),
        "reserve": queue(longest="20m", **(reserve or {})),
    }
    desk = Desk(clock, "8012", *(agents or [("9001", RESERVE)]), queues=queues)
    desk.acd.pause("8012", "lunch")
    return desk


def test_who_waits_too_long_goes_on_in_another_queue_with_the_wait_that_it_has(clock: VirtualClock) -> None:
    desk = overflow_desk(clock)
    desk.enter("busy", queue="reserve")
    clock.advance(100)
    place = desk.enter("a", skills={"customs": 3}, no_agents=False)
    clock.advance(170)
    desk.enter("later", queue="reserve")
    clock.advance(11)
    assert desk.news(place) == [Moved("reserve")]
    assert (place.request.queue, place.position()) == ("reserve", 2), "ahead of the one who came later"
    assert [view.call for view in desk.acd.queue("reserve").waiting] == ["busy", "a", "later"]
    assert desk.acd.queue("desk").waiting == ()
    assert desk.acd.queue("desk").overflowed == 1
    (row,) = desk.rows("queue.overflow")
    assert (row.data["to"], row.data["why"]) == ("queue:reserve", "time")
    entered = desk.rows("queue.entered")[-1]
    assert (entered.queue, entered.data["moved_from"], entered.data["needs"]) == ("reserve", "desk", {})
    clock.advance(1200 - 180)
    assert desk.news(place)[-1] == Left(Leaving.TOO_LONG), "the longest wait is that of both queues together"


@pytest.mark.parametrize("why", ["no_agents", "full", "closed"])
def test_a_queue_that_can_not_take_the_caller_is_tried_again(clock: VirtualClock, why: str) -> None:
    away = {**RESERVE, "login": "by_hand" if why == "no_agents" else "auto"}
    desk = overflow_desk(clock, ("9001", away), reserve={"length": "1"})
    if why == "full":
        desk.acd.pause("9001", "lunch")
        desk.enter("first", queue="reserve")
    if why == "closed":
        desk.acd.close_queue("reserve", "party")
    place = desk.enter("a")
    clock.advance(241)
    assert (place.request.queue, desk.news(place)) == ("desk", [])
    (row,) = desk.rows("queue.overflow_failed")
    assert row.data["why"] == why, "told once, though it was tried again"
    if why == "no_agents":
        desk.acd.login("9001")
    elif why == "closed":
        desk.acd.open_queue("reserve")
    else:
        desk.hang_up("first")
        desk.acd.ready("9001")
    clock.advance(31)
    assert desk.offered()[-1] == ("9001", "a")


def test_a_line_that_is_long_enough_overflows_at_once(clock: VirtualClock) -> None:
    desk = overflow_desk(clock, beyond="1")
    desk.enter("a")
    place = desk.enter("b")
    assert desk.news(place) == [Moved("reserve")]
    assert desk.offered() == [("9001", "b")]
    assert desk.rows("queue.overflow")[0].data["why"] == "length"


def test_an_overflow_to_a_flow_is_told_with_its_goal(clock: VirtualClock) -> None:
    desk = overflow_desk(clock, to="voicemail:desk", after="60s")
    place = desk.enter("a")
    clock.advance(61)
    assert desk.news(place) == [Left(Leaving.OVERFLOW, Goal("voicemail", "desk"))]
    view = desk.acd.queue("desk")
    assert (view.overflowed, view.left) == (1, 0)


def test_an_overflow_that_comes_while_a_phone_rings_waits_for_the_end_of_that(clock: VirtualClock) -> None:
    desk = overflow_desk(clock, to="voicemail:desk", after="10s")
    desk.acd.ready("8012")
    answered = desk.enter("a")
    clock.advance(15)
    desk.answer()
    assert answered.expired is Leaving.OVERFLOW
    assert not any(isinstance(news, Left) for news in desk.news(answered))
    desk.floor.rings[0].end_talk(TalkEnd.CALLER)
    desk.settle()
    missed = desk.enter("b")
    clock.advance(21)
    assert desk.news(missed) == [Left(Leaving.OVERFLOW, Goal("voicemail", "desk"))]


def test_a_supervisor_moves_a_caller_to_another_queue(clock: VirtualClock) -> None:
    desk = overflow_desk(clock)
    place = desk.enter("a")
    assert desk.acd.move("a", "reserve", by="8013").call == "a"
    desk.settle()
    assert desk.offered() == [("9001", "a")]
    assert desk.news(place) == [Moved("reserve")]
    with pytest.raises(WrongState, match="an agent is being rung"):
        desk.acd.move("a", "desk")
    with pytest.raises(NotFound, match="there is no queue nowhere"):
        desk.acd.move("a", "nowhere")
    with pytest.raises(NotFound, match="waits in no queue"):
        desk.acd.move("b", "desk")
    desk.enter("b")
    desk.acd.close_queue("reserve", "party")
    with pytest.raises(WrongState, match=r"queue reserve is closed \(party\)"):
        desk.acd.move("b", "reserve")


# -- closing ------------------------------------------------------------------------------------------


class Calendar:
    """Open up to a moment."""

    def __init__(self, clock: VirtualClock, closes: float) -> None:
        self.clock = clock
        self.closes = clock.monotonic() + closes
        self.asked = 0

    def __call__(self, name: str) -> Hours:
        assert name == "office"
        self.asked += 1
        left = self.closes - self.clock.monotonic()
        return Hours(True, left) if left > 0 else Hours(False, None)


def closing_desk(clock: VirtualClock, **more: Any) -> tuple[Desk, Calendar]:
    desk = Desk(clock, "8012", queues={"desk": queue(calendar="office", longest="3h", **more)})
    desk.acd.pause("8012", "lunch")
    calendar = Calendar(clock, 3600)
    desk.acd.watch_hours(calendar)
    return desk, calendar


def test_those_who_wait_at_closing_time_stay_and_nobody_comes_after_them(clock: VirtualClock) -> None:
    desk, calendar = closing_desk(clock)
    waiting = desk.enter("a")
    clock.advance(3601)
    assert calendar.asked <= 6
    assert desk.news(waiting) == []
    assert desk.news(desk.enter("b")) == [Left(Leaving.CLOSED)]
    assert desk.news(desk.enter("found again", resumed=True, since=5.0)) == []
    assert desk.acd.queue("desk").closed == "hours"
    desk.acd.ready("8012")
    desk.settle()
    assert desk.offered() == [("8012", "a")]


def test_those_who_wait_at_closing_time_leave_after_the_grace(clock: VirtualClock) -> None:
    desk, _ = closing_desk(clock, at_closing={"do": "leave", "grace": "5m"})
    clock.advance(3590)
    waiting, rings = desk.enter("a"), desk.enter("b", since=1.0)
    clock.advance(300)
    assert desk.news(waiting) == []
    desk.acd.ready("8012")
    desk.settle()
    clock.advance(15)
    assert desk.news(waiting) == [Left(Leaving.CLOSED)]
    desk.answer("8012", "b")
    assert not any(isinstance(news, Left) for news in desk.news(rings)), (
        "a phone that rings may still be answered"
    )
    assert [row.data["why"] for row in desk.rows("queue.closed")] == ["hours"]


def test_a_queue_that_opens_again_within_the_grace_keeps_its_callers(clock: VirtualClock) -> None:
    desk, calendar = closing_desk(clock, at_closing={"do": "leave", "grace": "5m"})
    waiting = desk.enter("a")
    clock.advance(3700)
    calendar.closes = clock.monotonic() + 3600
    desk.acd.watch_hours(calendar)
    clock.advance(600)
    assert desk.news(waiting) == []
    assert desk.acd.queue("desk").closed == ""


def test_a_supervisor_closes_a_queue_and_opens_it_again(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.acd.close_queue("desk", "fire drill", by="8013")
    assert desk.news(desk.enter("a")) == [Left(Leaving.CLOSED)]
    assert desk.acd.queue("desk").closed == "fire drill"
    desk.acd.open_queue("desk")
    desk.enter("b")
    assert desk.offered() == [("8012", "b")]
    with pytest.raises(NotFound, match="there is no queue nowhere"):
        desk.acd.close_queue("nowhere", "x")


def test_a_place_in_a_queue_that_is_gone_from_the_file_does_not_hurt(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    assert desk.news(desk.acd.enter(Request("a", "", "gone", resumed=True))) == [Left(Leaving.CLOSED)]
    assert desk.state("8012") is AgentState.READY
