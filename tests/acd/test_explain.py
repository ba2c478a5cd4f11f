"""Why a call waited and why this agent took it, told from the journal: word by word, and against the board itself."""

from __future__ import annotations

import random
from dataclasses import asdict
from typing import Any

import pytest

from engine.acd.agents import Agent
from engine.acd.explain import explain_call, others_told
from engine.acd.explain_agent import explain_agent, passed_told
from engine.acd.opening import Hours
from engine.acd.places import Place, Stage
from engine.acd.reasons import seconds
from engine.clock import VirtualClock
from engine.types import AgentState, JournalEntry, TalkEnd
from tests.acd.desk import Desk, queue
from tests.acd.test_machine import TROUBLE, WORK, ADay


def told(desk: Desk, call: str) -> list[str]:
    """The explanation as people read it."""
    found = []
    for moment in explain_call(desk.journal, call, desk.clock.now()).moments:
        found.append(f"{seconds(moment.seconds)}: {moment.text}")
        found += [f"  {line}" for line in others_told([asdict(other) for other in moment.others])]
    return found


def test_a_wait_is_told_with_each_agents_reason_and_who_went_first(clock: VirtualClock) -> None:
    desk = Desk(
        clock,
        ("8012", {"skills": {"waybill": "3"}}),
        ("8013", {"skills": {"waybill": "1"}}),
        ("8014", {"skills": {"waybill": "2"}}),
        ("8015", {"login": "by_hand"}),
    )
    desk.acd.pause("8014", "lunch")
    desk.enter("first")
    talk = desk.answer("8012")
    clock.advance(5)
    desk.enter("second", skills={"waybill": 2})
    clock.advance(3)
    desk.enter("vip", skills={"waybill": 2}, priority=5)
    clock.advance(2)
    desk.acd.ready("8014")
    desk.settle()
    desk.answer("8014")
    clock.advance(10)
    talk.end_talk(TalkEnd.AGENT)
    clock.advance(2)
    desk.answer("8012")
    assert told(desk, "second") == [
        "0.0 s: came into desk as number 1; needs waybill 2",
        "  8012: talks (first)",
        "  8013: has waybill 1, 2 is needed",
        "  8014: has a pause (lunch)",
        "  logged out: 8015",
        "5.0 s: 8014 became free and was given vip: vip has priority 5, which is worth 1:00 of waiting",
        "15 s: offered to 8012: it became free, and this call was first in the queue",
        "  8013: has waybill 1, 2 is needed",
        "  8014: talks (vip)",
        "  logged out: 8015",
        "17 s: answered by 8012 after 17 s of waiting",
    ]
    explanation = explain_call(desk.journal, "second")
    assert (explanation.outcome, explanation.queues) == ("answered by 8012", ["desk"])
    assert [(moment.kind, moment.reason and moment.reason.code) for moment in explanation.moments] == [
        ("queue.entered", None),
        ("offer.made", "priority"),
        ("offer.made", "turn"),
        ("queue.answered", None),
    ]


def test_a_closed_queue_is_told_with_who_closed_it_and_why(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(at_closing={"do": "leave", "grace": "1m"})})
    desk.acd.pause("8012", "lunch")
    desk.enter("waits")
    clock.advance(5)
    desk.acd.close_queue("desk", "fire drill", by="8019")
    clock.advance(20)
    desk.enter("late")
    desk.settle()
    assert told(desk, "late") == [
        "0.0 s: wanted desk: sent on: the queue is closed (by 8019: fire drill, 20 s before)"
    ]
    late = explain_call(desk.journal, "late")
    assert (late.outcome, late.queues) == (
        "sent on: the queue is closed (by 8019: fire drill, 20 s before)",
        ["desk"],
    )
    clock.advance(60)
    assert told(desk, "waits")[2:] == [
        "5.0 s: desk was closed (by 8019: fire drill)",
        "1:05: sent on: the queue is closed (by 8019: fire drill, 1:00 before), after 1:05",
        "  8012: has a pause (lunch)",
    ]
    desk.acd.open_queue("desk")
    # Closed by command without a word: there is nobody else to name.
    desk.acd.close_queue("desk", "", by="operator")
    desk.enter("later")
    assert (
        explain_call(desk.journal, "later").outcome
        == "sent on: the queue is closed (by operator, 0.0 s before)"
    )


def test_a_queue_that_its_calendar_closed_is_told_with_what_that_says(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(calendar="office")})
    desk.acd.pause("8012", "lunch")
    desk.acd.watch_hours(lambda name: Hours(True, 60.0))
    desk.enter("waits")
    said = ["Saturday"]
    desk.acd.watch_hours(lambda name: Hours(False, None, said[0]))
    desk.enter("late")
    said[0] = "closed by 8019: a typhoon"
    desk.enter("later")
    assert "0.0 s: desk was closed (its calendar office: Saturday)" in told(desk, "waits")
    assert (
        explain_call(desk.journal, "late").outcome
        == "sent on: the queue is closed (its calendar office: Saturday)"
    )
    assert told(desk, "later") == [
        "0.0 s: wanted desk: sent on: the queue is closed (its calendar office: closed by 8019: a typhoon)"
    ]
    desk.acd.watch_hours(lambda name: Hours(True, None))
    assert "0.0 s: desk takes callers again" in told(desk, "waits")


def test_too_low_a_skill_is_told_with_the_moment_at_which_it_was_enough(clock: VirtualClock) -> None:
    desk = Desk(
        clock,
        ("8012", {"skills": {"waybill": "3", "customs": "1"}}),
        ("8013", {"skills": {"waybill": "1", "customs": "1"}}),
        queues={"desk": queue(relax=[{"after": "30s", "level": "1"}])},
    )
    desk.acd.pause("8012", "meeting")
    desk.enter("call", skills={"waybill": 2, "customs": 1})
    clock.advance(30)
    desk.settle()
    desk.answer("8013")
    assert told(desk, "call") == [
        "0.0 s: came into desk as number 1; needs customs 1, waybill 2",
        "  8012: has a pause (meeting)",
        "  8013: has waybill 1, 2 is needed until 30 s",
        "30 s: relaxed (step 1): needs customs 1, waybill 1 now, instead of waybill 2",
        "30 s: offered to 8013: the only one who was free",
        "  8012: has a pause (meeting)",
        "30 s: answered by 8013 after 30 s of waiting",
    ]


def test_an_offer_that_is_missed_and_a_switch_that_is_away_are_told(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    clock.advance(3)
    desk.acd.pause("8013", "tea")
    desk.acd.hold("switch")
    desk.enter("call")
    clock.advance(2)
    desk.acd.release("switch")
    desk.settle()
    clock.advance(20)
    desk.hang_up("call")
    assert told(desk, "call") == [
        "0.0 s: came into desk as number 1; needs nothing special; no offers are made now (switch)",
        "  8012: free, but no offers are made now (switch)",
        "  8013: has a pause (tea)",
        "2.0 s: offers are made again",
        "2.0 s: offered to 8012: it became free, and this call was first in the queue",
        "  8013: has a pause (tea)",
        "22 s: 8012 did not answer (after 20 s)",
        "22 s: offered to 8012: it became free, and this call was first in the queue",
        "  8013: has a pause (tea)",
        "22 s: the caller hung up, after 22 s, while 8012 was rung",
        "  8013: has a pause (tea)",
    ]


def test_who_was_free_too_is_told_by_how_much_it_came_after(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013", ("8014", {"queues": {"desk": "2"}}))
    desk.acd.pause("8012", "tea")
    clock.advance(10)
    desk.acd.ready("8012")
    clock.advance(5)
    desk.enter("call")
    assert told(desk, "call")[1:5] == [
        "0.0 s: offered to 8013: free for longest (15 s), of 3 who were free and able",
        "  8012: free too, for 5.0 s only",
        "  8014: free too, on tier 2",
        "0.0 s: rings at 8013 now, number 1 in desk",
    ]


def test_where_all_are_rung_nobody_comes_after_anybody(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013", queues={"desk": queue(strategy="ring_all")})
    desk.enter("call")
    assert told(desk, "call")[1:3] == [
        "0.0 s: offered to 8012: all are rung, of 2 who were free and able",
        "  8013: free too, and rung at the same time",
    ]


def test_who_comes_after_the_one_whom_a_plugin_ranked_is_told_so(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.enter("call", ranked=("8013",))
    assert told(desk, "call")[1:3] == [
        "0.0 s: offered to 8013: first of 2 who were free and able, as a plugin ranks them",
        "  8012: free too, comes after 8013 as a plugin ranks them",
    ]


def test_an_agents_idle_time_is_told_with_who_waited_meanwhile(clock: VirtualClock) -> None:
    desk = Desk(clock, ("8012", {"skills": {"waybill": "1"}}), ("8013", {"skills": {"waybill": "3"}}))
    since = clock.now()
    desk.acd.pause("8013", "lunch")
    clock.advance(10)
    desk.enter("call", skills={"waybill": 2})
    clock.advance(60)
    desk.acd.pause("8012", "tea")
    clock.advance(30)
    desk.acd.ready("8013")
    desk.settle()
    desk.answer("8013")
    clock.advance(10)
    hours = explain_agent(desk.journal, "8012", since, clock.now())
    assert [
        (one.text, passed_told(one.state, [asdict(passed) for passed in one.passed]))
        for one in hours.stretches
    ] == [
        ("ready", ["call waited in desk for 1:00: the agent has waybill 1, 2 is needed"]),
        ("paused: tea", ["meanwhile 1 caller waited in its queues, up to 30 s"]),
    ]
    assert hours.idle == pytest.approx(90, abs=0.1)
    assert sum(one.seconds for one in hours.stretches) == pytest.approx(
        (clock.now() - since).total_seconds(), abs=0.1
    )


def test_who_was_moved_up_stands_there_in_what_is_told_later(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.acd.pause("8012", "lunch")
    desk.enter("first")
    clock.advance(2)
    desk.enter("second")
    clock.advance(2)
    desk.acd.raise_priority("second", 1000, "8013")
    clock.advance(2)
    assert [line for line in told(desk, "second") if "8012" not in line] == [
        "0.0 s: came into desk as number 2; needs nothing special",
        "2.0 s: its priority was changed from 0 to 1000 by 8013, number 1 now",
        "4.0 s: waits still, number 1 in desk",
    ]
    assert told(desk, "first")[-2] == "6.0 s: waits still, number 2 in desk"


def test_a_call_that_never_waited_has_no_moments(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    assert explain_call(desk.journal, "nobody").moments == []


BUSY = [*WORK * 2, *TROUBLE, *["ready", "ready", "login", "phone_back", "end", "answer"] * 3]
"""What happens on a day on which the agents are mostly there, so that there are offers to explain."""


# -- against the board ------------------------------------------------------------------------------


class AWatchedDay(ADay):
    """A random day that writes down, at each offer, by which rule it must have been: by the live agents and
    places themselves, not by what the journal says of them."""

    def open_the_desk(self, bridge_time: float) -> None:
        self.rows: list[JournalEntry] = []
        self.expected: list[tuple[str, str, str]] = []
        self.others: list[dict[str, str]] = []
        self.freed = ""
        super().open_the_desk(bridge_time)

    def journal(self, entry: JournalEntry) -> None:
        self.rows.append(entry)
        super().journal(entry)
        if entry.kind == "agent.state":
            self.freed = entry.agent if entry.data["state"] == "ready" else ""
        elif entry.kind == "offer.made":
            place = self.acd._dispatch._places[entry.call]
            agent = self.acd._agents.get(entry.agent)
            self.expected.append((entry.call, entry.agent, self.rule(agent, place, str(entry.data["side"]))))
            self.others.append(self.why_not(agent, place))

    def rule(self, agent: Agent, place: Place, side: str) -> str:
        name = place.request.queue
        free = [
            other
            for other in self.acd._agents
            if other.state is AgentState.READY and self.able(other, place) and other is not agent
        ]
        if agent.id == place.ticket.prefer:
            return "prefer"
        if place.stage is Stage.OFFERED:
            return "all"
        if side == "agent":
            return "turn"
        if not free:
            return "only"
        tiers = [other.config.queues[name] for other in free]
        return "tier" if min(tiers) > agent.config.queues[name] else "rank"

    def why_not(self, agent: Agent, place: Place) -> dict[str, str]:
        found = {}
        for other in self.acd._agents:
            rings = any(offer.agent is other for offer in place.offers)
            if other is agent or rings or place.request.queue not in other.config.queues:
                continue
            if other.state is not AgentState.READY:
                found[other.id] = other.state.value
            elif not self.able(other, place):
                found[other.id] = "lacks"
            else:
                found[other.id] = "free"
        return found


@pytest.mark.parametrize("seed", range(8))
def test_each_offer_of_a_random_day_is_told_with_the_reason_of_the_board(seed: int) -> None:
    dice = random.Random(seed)
    day = AWatchedDay()
    day.open_the_desk(bridge_time=0.0)
    for _ in range(200):
        turn = dice.random()
        if turn < 0.8:
            names = dice.choices(BUSY, k=dice.randint(1, 4))
            day.several_things_at_once(deeds=[(name, dice.randrange(1 << 16)) for name in names])
        elif turn < 0.97:
            day.time_passes(seconds=dice.choice([0.1, 0.3, 1, 5, 12, 30, 120]))
        else:
            day.the_switch_is_away(seconds=dice.choice([0.2, 3.0]))
    told: dict[str, list[Any]] = {}
    for call in dict.fromkeys(call for call, _, _ in day.expected):
        moments = explain_call(day.rows, call).moments
        told[call] = [one for one in moments if one.kind == "offer.made" and one.text.startswith("offered")]
    assert len(day.expected) > 20
    for (call, agent, rule), others in zip(day.expected, day.others, strict=True):
        moment = told[call].pop(0)
        assert moment.agent == agent
        assert moment.reason.code == rule, moment
        said = {other.agent: other.reason.code for other in moment.others}
        assert said.keys() == others.keys()
        for other, why in others.items():
            if why == "free":
                assert said[other] in ("rank", "tier", "prefer", "all"), (moment, other)
            else:
                # A call that is kept for one agent needs that agent: the others lack being it.
                assert said[other] in (why, "missed") or (why, said[other]) == ("lacks", "kept"), (
                    moment,
                    other,
                )
    assert not any(told.values())
    day.teardown()


def test_an_idle_agent_of_a_random_day_is_told_only_callers_whom_it_could_not_take() -> None:
    """The board leaves nobody waiting while somebody could help; so no explanation may say "it could have"."""
    dice = random.Random(7)
    day = AWatchedDay()
    day.open_the_desk(bridge_time=0.0)
    since = day.clock.now()
    for _ in range(150):
        names = dice.choices(BUSY, k=dice.randint(1, 3))
        day.several_things_at_once(deeds=[(name, dice.randrange(1 << 16)) for name in names])
        day.time_passes(seconds=dice.choice([1, 5, 12]))
    for agent in ("a", "b", "c", "d"):
        hours = explain_agent(day.rows, agent, since, day.clock.now())
        assert hours.stretches
        assert not [one for stretch in hours.stretches for one in stretch.passed if one.reason.code == "free"]
    assert not [place for place in day.places.values() if place.stage is Stage.CONNECTING]
    day.teardown()
