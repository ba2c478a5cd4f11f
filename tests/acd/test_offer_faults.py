"""What may go wrong around an offer: the reservation always comes back, and nobody is forgotten."""

from __future__ import annotations

import pytest

from engine.acd.places import Over, Stage, Talking
from engine.clock import VirtualClock
from engine.types import AgentState, JournalEntry, RingKind, TalkEnd
from tests.acd.desk import Desk
from tests.acd.floor import FakeRing


def test_an_exception_while_ringing_frees_both_and_goes_to_the_next(clock: VirtualClock, caplog) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.acd.pause("8013", "lunch")
    desk.floor.raises = RuntimeError("a fault of the floor")
    place = desk.enter("a")
    assert (desk.state("8012"), desk.acd.agent("8012").reason) == (AgentState.PAUSED, "failed")
    assert place.position() == 1
    desk.floor.raises = None
    desk.acd.ready("8013")
    desk.settle()
    desk.answer("8013", "a")


def test_an_exception_in_a_talk_ends_it_as_lost(clock: VirtualClock, monkeypatch) -> None:
    desk = Desk(clock, "8012")

    def fails(ring: FakeRing) -> None:
        ring.floor.clock.sleep(5)
        raise RuntimeError("a fault of the floor")

    monkeypatch.setattr(FakeRing, "wait_over", fails)
    place = desk.enter("a")
    ring = desk.answer()
    clock.advance(5)
    over = desk.news(place)[-1]
    assert isinstance(over, Over)
    assert (over.by, round(over.seconds)) == (TalkEnd.LOST, 5)
    assert ring.dropped
    assert desk.state("8012") is AgentState.READY


def test_a_floor_that_says_nothing_does_not_keep_the_two_for_ever(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    place = desk.enter("a")
    ring = desk.floor.ringing()
    ring.deaf = True
    ring._rung.clear()
    desk.hang_up("a")
    assert ring.cancelled
    assert place.stage is Stage.DONE
    assert desk.state("8012") is AgentState.OFFERED
    clock.advance(3)
    assert desk.state("8012") is AgentState.READY
    assert ring.dropped


def test_a_ring_that_never_ends_is_given_up_and_dropped(clock: VirtualClock, monkeypatch) -> None:
    desk = Desk(clock, "8012", "8013")
    monkeypatch.setattr(FakeRing, "wait", lambda ring: ring.floor.clock.event().wait())
    desk.enter("a")
    clock.advance(29)
    assert desk.offered() == [("8012", "a"), ("8013", "a")]
    assert desk.floor.rings[0].dropped
    assert desk.acd.agent("8012").reason == "failed"


def test_a_bridge_that_is_not_made_sends_the_caller_to_the_next_agent(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    place = desk.enter("a")
    ring = desk.floor.ringing()
    ring.bridges = False
    ring.answer()
    desk.settle()
    assert ring.dropped
    assert (desk.state("8012"), desk.acd.agent("8012").reason) == (AgentState.PAUSED, "failed")
    desk.answer("8013", "a")
    assert isinstance(desk.news(place)[-1], Talking)


def test_a_bridge_without_an_end_is_none(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.floor.bridge_time = 1000.0
    desk.enter("a")
    ring = desk.floor.ringing()
    ring.answer()
    clock.advance(10.1)
    assert ring.dropped
    assert desk.offered()[-1] == ("8013", "a")


def test_without_a_switch_nobody_is_to_blame_and_all_goes_on_when_it_is_back(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.floor.connected = False
    first, second = desk.enter("a"), desk.enter("b")
    assert desk.state("8012") is AgentState.READY
    clock.advance(5)
    assert desk.offered() == []
    assert (first.position(), second.position()) == (1, 2)
    desk.floor.connected = True
    clock.advance(1.1)
    assert desk.offered() == [("8012", "a")]
    assert desk.rows("offer.missed") == []


def test_nothing_is_offered_while_it_is_held_and_all_is_matched_after(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.acd.hold("switch")
    desk.acd.hold("adoption")
    for call in "abc":
        desk.enter(call)
    desk.acd.release("switch")
    desk.acd.release("something else")
    desk.settle()
    assert desk.offered() == []
    desk.acd.release("adoption")
    desk.settle()
    assert desk.offered() == [("8012", "a"), ("8013", "b")]


def test_stopping_lets_phones_go_and_leaves_talks_and_callers_alone(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.enter("talks")
    talk = desk.answer()
    rung = desk.enter("rung")
    ring = desk.floor.ringing()
    desk.acd.stop()
    desk.settle()
    assert ring.cancelled
    assert talk.bridged
    assert desk.news(rung) == []
    assert rung.position() == 1
    clock.advance(60)
    assert len(desk.offered()) == 2
    assert desk.state("8012") is AgentState.TALKING


def test_a_journal_and_hooks_that_raise_harm_no_call(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", start=False)

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("disk full")

    desk.acd._report._journal = fails
    desk.acd._report._notify = fails
    desk.acd.start()
    place = desk.enter("a")
    desk.answer().end_talk(TalkEnd.AGENT)
    desk.settle()
    assert isinstance(desk.news(place)[-1], Over)
    assert desk.state("8012") is AgentState.READY


def test_an_answer_that_crosses_the_cancel_is_dropped_not_bridged(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    place = desk.enter("a")
    ring = desk.floor.ringing()
    ring.answer()
    assert place.leave()
    desk.settle()
    assert ring.dropped
    assert not ring.bridged
    assert desk.news(place) == []
    assert desk.state("8012") is AgentState.READY


def test_the_journal_says_why_this_agent(clock: VirtualClock) -> None:
    desk = Desk(clock, ("8012", {"skills": {"waybill": "1"}}), ("8013", {"skills": {"waybill": "3"}}))
    clock.advance(30)
    desk.enter("a", skills={"waybill": 2})
    row: JournalEntry
    (row,) = desk.rows("offer.made")
    assert (row.call, row.agent, row.queue) == ("a", "8013", "desk")
    assert {key: row.data[key] for key in ("rule", "position", "free", "able")} == {
        "rule": "longest_idle",
        "position": 1,
        "free": 2,
        "able": 1,
    }
    assert row.data["idle"] == pytest.approx(30, abs=0.1)
    desk.floor.ringing().fail(RingKind.BUSY)
    desk.settle()
    desk.hang_up("a")
    kinds = [row.kind for row in desk.journal if row.call == "a" and row.kind != "agent.state"]
    assert kinds == ["queue.entered", "offer.made", "offer.missed", "queue.left"]
