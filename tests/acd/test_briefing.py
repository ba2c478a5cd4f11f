"""Between the answer and the talk: what the agent is told and asked, what the caller hears, who may still go."""

from __future__ import annotations

import pytest

from engine.acd.places import Connecting, Stage, Talking
from engine.clock import VirtualClock
from engine.errors import NotFound, WrongState
from engine.types import AgentState, AgentView, Briefing, RingKind, Sound, TalkEnd
from tests.acd.desk import Desk, queue

WHISPER = Briefing(whisper=Sound("whisper.wav", 2.0))
MOBILE = {"phone": {"number": "+8613900000012", "trunk": "pstn"}}


def briefed(clock: VirtualClock, briefing: Briefing, *agents, **more) -> Desk:
    desk = Desk(clock, *(agents or ("8012",)), **more)
    desk.asked = []

    def brief(agent: AgentView, call: str, queue: str, waited: float) -> Briefing:
        desk.asked.append((agent.id, call, queue, round(waited)))
        return briefing

    desk.acd.briefs(brief)
    return desk


def test_the_caller_waits_on_while_the_agent_is_told(clock: VirtualClock) -> None:
    desk = briefed(clock, WHISPER)
    place = desk.enter("a")
    ring = desk.floor.ringing()
    ring.answer()
    desk.settle()
    assert desk.asked == [("8012", "a", "desk", 0)]
    assert ring.briefings == [WHISPER]
    assert desk.news(place) == []
    assert (place.stage, desk.state("8012")) == (Stage.OFFERED, AgentState.OFFERED)
    ring.accept()
    desk.settle()
    assert [type(one) for one in desk.news(place)] == [Connecting, Talking]


def test_a_caller_who_hangs_up_meanwhile_ends_it_at_once(clock: VirtualClock) -> None:
    desk = briefed(clock, WHISPER)
    desk.enter("a")
    ring = desk.floor.ringing()
    ring.answer()
    desk.settle()
    desk.hang_up("a")
    assert ring.dropped
    assert desk.state("8012") is AgentState.READY


def test_who_does_not_accept_has_missed_the_call(clock: VirtualClock) -> None:
    desk = briefed(clock, Briefing(accept=Sound("accept.wav", 2.0)), rules={"misses": "1"})
    place = desk.enter("a")
    ring = desk.floor.ringing()
    ring.answer()
    clock.advance(31)
    assert ring.dropped
    assert (desk.state("8012"), desk.acd.agent("8012").reason) == (AgentState.PAUSED, "no answer")
    assert place.position() == 1


def test_the_caller_hears_who_is_there_and_is_connected_then(clock: VirtualClock) -> None:
    sound = Sound("agent.wav", 3.0)
    desk = briefed(clock, Briefing(announce=sound))
    place = desk.enter("a")
    ring = desk.floor.ringing()
    ring.accept()
    ring.answer()
    desk.settle()
    assert ring.announced == [sound]
    assert place.stage is Stage.CONNECTING
    clock.advance(3)
    assert ring.bridged


def test_a_hang_up_during_the_announcement_frees_the_agent_at_once(clock: VirtualClock) -> None:
    desk = briefed(clock, Briefing(announce=Sound("agent.wav", 3.0)))
    desk.enter("a")
    ring = desk.floor.ringing()
    ring.accept()
    ring.answer()
    desk.settle()
    desk.hang_up("a")
    assert ring.dropped
    assert desk.state("8012") is AgentState.READY


def test_an_agent_on_a_mobile_is_reachable_without_a_registration(clock: VirtualClock) -> None:
    desk = Desk(clock, ("8012", MOBILE))
    desk.acd.phones_are(set())
    view = desk.acd.agent("8012")
    assert (view.state, view.reachable, view.phone, view.trunk) == (
        AgentState.READY,
        True,
        "+8613900000012",
        "pstn",
    )
    desk.enter("a")
    desk.floor.ringing().fail(RingKind.UNREACHABLE)
    desk.settle()
    assert desk.state("8012") is AgentState.UNREACHABLE
    clock.advance(31)
    assert desk.state("8012") is AgentState.OFFERED


def test_the_same_agent_at_a_desk_s_phone_is_rung_there(clock: VirtualClock) -> None:
    desk = Desk(clock, ("8012", {**MOBILE, "login": "by_hand"}))
    desk.acd.phones_are({"1001"})
    assert desk.acd.login("8012", phone="1001").trunk == ""
    desk.acd.phone_lost("1001")
    assert desk.state("8012") is AgentState.UNREACHABLE


def test_a_disposition_is_of_the_queue_s_list_by_word_or_key(clock: VirtualClock) -> None:
    desk = Desk(
        clock, "8012", queues={"desk": queue(wrap_up="15s", dispositions={"1": "solved", "2": "ticket"})}
    )
    desk.enter("a")
    ring = desk.answer()
    with pytest.raises(NotFound, match="there is no disposition 'sold': solved, ticket"):
        desk.acd.disposition("8012", "sold")
    assert desk.acd.disposition("8012", "2").disposition == "ticket"
    ring.end_talk(TalkEnd.CALLER)
    desk.settle()
    assert dict(desk.acd.agent("8012").dispositions) == {"1": "solved", "2": "ticket"}
    assert desk.acd.disposition("8012", "solved").state is AgentState.READY
    assert [row.data["code"] for row in desk.rows("call.disposition")] == ["ticket", "solved"]
    with pytest.raises(WrongState, match="agent 8012 has no call"):
        desk.acd.disposition("8012", "solved")


def test_reasons_of_a_pause_are_those_of_the_rules_when_there_are_any(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", rules={"pauses": ["break", "meal"]})
    with pytest.raises(NotFound, match="there is no reason 'fishing' for a pause: break, meal"):
        desk.acd.pause("8012", "fishing")
    assert desk.acd.pause("8012", "meal").reason == "meal"


def test_hold_is_a_state_of_its_own_within_a_talk(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    with pytest.raises(WrongState, match="agent 8012 talks to nobody"):
        desk.acd.on_hold("8012", True)
    desk.enter("a")
    ring = desk.answer()
    clock.advance(10)
    assert desk.acd.on_hold("8012", True).state is AgentState.HOLD
    clock.advance(5)
    assert desk.acd.on_hold("8012", False).state is AgentState.TALKING
    ring.end_talk(TalkEnd.AGENT)
    desk.settle()
    spent = [(row.data["before"], round(row.data["seconds"])) for row in desk.rows("agent.state")][-3:]
    assert spent == [("talking", 10), ("hold", 5), ("talking", 0)]


def test_of_all_who_are_told_the_first_who_answered_has_the_call(clock: VirtualClock) -> None:
    """All phones ring: while one agent hears the whisper, the other's answer comes too late."""
    desk = briefed(clock, WHISPER, "a", "b", queues={"desk": queue(strategy="ring_all")})
    place = desk.enter("call")
    first, second = desk.floor.ringing("b"), desk.floor.ringing("a")
    first.answer()
    desk.settle()
    assert first.briefings == [WHISPER]
    assert desk.news(place) == [], "the caller waits on while the agent is told"
    second.answer()
    desk.settle()
    first.accept()
    second.accept()
    clock.advance(1)
    talks = [ring for ring in (first, second) if ring.bridged]
    assert len(talks) == 1
    assert [type(one) for one in desk.news(place)] == [Connecting, Talking]
    loser = second if talks == [first] else first
    assert loser.dropped or loser.cancelled
    assert desk.state(loser.agent) is AgentState.READY


def test_a_caller_who_hangs_up_while_one_of_all_is_told_frees_all(clock: VirtualClock) -> None:
    desk = briefed(clock, WHISPER, "a", "b", queues={"desk": queue(strategy="ring_all")})
    desk.enter("call")
    desk.floor.ringing("b").answer()
    desk.settle()
    desk.hang_up("call")
    assert (desk.state("a"), desk.state("b")) == (AgentState.READY, AgentState.READY)
    assert all(ring.dropped or ring.cancelled for ring in desk.floor.rings)
