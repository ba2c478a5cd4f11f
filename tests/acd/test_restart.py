"""The engine dies and comes back: everybody goes on where they were."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.acd.acd import Acd, AgentMemory
from engine.acd.places import Leaving, Left, Over, Request, Talking
from engine.app.agent_rows import agent_memory, agent_row
from engine.clock import VirtualClock
from engine.errors import NoSuchCall, NotFound
from engine.types import AgentState, RingKind, TalkEnd
from tests.acd.desk import Desk, queue


def reborn(desk: Desk, *, after: float = 2.0, memories: list[AgentMemory] | None = None) -> Desk:
    """The engine is killed and started again on the same floor; what the store kept is given back."""
    memories = desk.acd.snapshot() if memories is None else memories
    desk.acd.abandon()
    desk.settle()
    desk.clock.advance(after)
    again = Desk.__new__(Desk)
    again.clock, again.floor = desk.clock, desk.floor
    again.journal, again.told, again.places = desk.journal, desk.told, {}
    again.acd = Acd(desk.acd.config, desk.clock, desk.floor, again.journal.append, again._notify)
    again.acd.restore(memories)
    again.acd.phones_are({agent.phone for agent in desk.acd.config.agents.values()})
    return again


def request(call: str, since: float = 0.0) -> Request:
    return Request(call, "+8613800000000", "desk", since=since, resumed=True)


def test_the_death_of_an_engine_touches_no_leg_and_writes_nothing(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.enter("talks")
    talk = desk.answer()
    desk.enter("rings")
    ring = desk.floor.ringing()
    rows = len(desk.journal)
    desk.acd.abandon()
    clock.advance(3600)
    assert talk.bridged
    assert ring.rings
    assert len(desk.journal) == rows


def test_a_talk_goes_on_and_ends_as_if_nothing_had_happened(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="15s")})
    desk.enter("a")
    ring = desk.answer()
    clock.advance(10)
    desk = reborn(desk)
    place = desk.acd.resume_talk(request("a"), "8012", ring.leg)
    desk.acd.start()
    desk.settle()
    (talking,) = desk.news(place)
    assert isinstance(talking, Talking)
    assert (talking.agent.id, talking.leg, talking.resumed) == ("8012", ring.leg, True)
    assert desk.state("8012") is AgentState.TALKING
    ring.end_talk(TalkEnd.AGENT)
    desk.settle()
    assert isinstance(desk.news(place)[-1], Over)
    view = desk.acd.agent("8012")
    assert (view.state, view.calls_taken) == (AgentState.WRAP_UP, 1)
    moves = [(row.data["before"], row.data["state"]) for row in desk.rows("agent.state")]
    assert moves == [
        ("logged_out", "ready"),
        ("ready", "offered"),
        ("offered", "talking"),
        ("talking", "wrap_up"),
    ]
    assert desk.rows("agent.state")[-1].data["seconds"] == pytest.approx(12, abs=0.1)


def test_a_talk_is_resumed_though_nothing_is_remembered_of_the_agent(clock: VirtualClock) -> None:
    desk = Desk(clock, ("8012", {"login": "by_hand"}))
    desk.acd.login("8012")
    desk.enter("a")
    ring = desk.answer()
    desk.acd.snapshot = list
    desk = reborn(desk)
    desk.acd.resume_talk(request("a"), "8012", ring.leg)
    desk.acd.start()
    assert desk.state("8012") is AgentState.TALKING
    assert desk.acd.agent_on("1001").id == "8012"
    ring.end_talk(TalkEnd.CALLER)
    desk.settle()
    assert desk.state("8012") is AgentState.READY


def test_a_ring_goes_on_and_is_answered(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    ring = desk.floor.ringing()
    desk = reborn(desk)
    place = desk.acd.resume_offer(request("a", 2.0), "8012", ring.leg)
    waiting = desk.acd.enter(request("b", 1.0))
    desk.acd.start()
    desk.settle()
    assert desk.offered() == [("8012", "a")]
    assert (place.position(), waiting.position()) == (1, 2)
    ring.answer()
    desk.settle()
    assert isinstance(desk.news(place)[-1], Talking)
    assert waiting.position() == 1


def test_a_resumed_ring_that_nobody_answers_leaves_the_caller_in_its_place(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.acd.pause("8013", "lunch")
    desk.enter("a")
    ring = desk.floor.ringing()
    desk = reborn(desk)
    place = desk.acd.resume_offer(request("a", 590.0), "8012", ring.leg)
    desk.acd.start()
    ring.fail(RingKind.BUSY)
    desk.settle()
    assert place.position() == 1
    clock.advance(5.1)
    assert desk.offered() == [("8012", "a"), ("8012", "a")]
    clock.advance(6)
    assert desk.news(place) == [], "its ten minutes are over, but a phone rings"
    desk.floor.ringing().fail(RingKind.BUSY)
    desk.settle()
    assert desk.news(place) == [Left(Leaving.TOO_LONG)]


def test_those_who_waited_keep_their_order_and_nothing_is_offered_before_all_are_back(clock) -> None:
    desk = Desk(clock, "8012")
    waits = {}
    for call in "abcdefghijklmnopqrst":
        desk.enter(call)
        waits[call] = clock.monotonic()
        clock.advance(0.5)
    desk.hang_up("a")
    desk = reborn(desk)
    backwards = sorted(set(waits) - {"a"}, reverse=True)
    places = {call: desk.acd.enter(request(call, clock.monotonic() - waits[call])) for call in backwards}
    desk.settle()
    assert desk.offered() == [("8012", "a"), ("8012", "b")], "only what the first engine did"
    desk.floor.rings[-1].drop()
    desk.acd.start()
    desk.settle()
    assert [waiting.call for waiting in desk.acd.queue("desk").waiting] == sorted(places)
    assert desk.offered()[-1] == ("8012", "b")


def test_agents_keep_their_states_and_the_time_in_them(clock: VirtualClock) -> None:
    desk = Desk(clock, "lunch", "out", "away", "wraps", "idle", queues={"desk": queue(wrap_up="60s")})
    desk.acd.pause("lunch", "lunch")
    desk.acd.logout("out")
    desk.acd.phone_lost("1003")
    desk.enter("a")
    desk.answer("wraps").end_talk(TalkEnd.CALLER)
    clock.advance(20)
    desk = reborn(desk, after=10)
    desk.acd.phone_lost("1003")
    desk.acd.start()
    states = {view.id: view.state.value for view in desk.acd.agents()}
    assert states == {
        "lunch": "paused",
        "out": "logged_out",
        "away": "unreachable",
        "wraps": "wrap_up",
        "idle": "ready",
    }
    assert desk.acd.agent("lunch").reason == "lunch"
    clock.advance(30)
    assert desk.state("wraps") is AgentState.READY
    wrapped = [row for row in desk.rows("agent.state") if row.data["before"] == "wrap_up"]
    assert wrapped[0].data["seconds"] == pytest.approx(60, abs=0.1)
    desk.acd.ready("lunch")
    assert desk.rows("agent.state")[-1].data["seconds"] == pytest.approx(60, abs=0.1)


def test_an_agent_who_talked_and_whose_talk_ended_meanwhile_is_let_go(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.enter("a")
    desk.answer()
    desk.enter("b")
    desk = reborn(desk)
    desk.enter("c")
    assert desk.state("8012") is AgentState.TALKING
    desk.floor.rings.clear()
    desk.acd.start()
    desk.settle()
    assert desk.offered() == [("8012", "c")]
    assert desk.state("8013") is AgentState.READY


def test_a_short_pause_of_the_engines_own_does_not_outlive_it(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.enter("a")
    desk.floor.ringing().fail(RingKind.BUSY)
    desk.settle()
    desk.floor.hang_up("a")
    desk = reborn(desk, after=60)
    desk.acd.start()
    desk.settle()
    assert desk.state("8012") is AgentState.READY
    desk.acd.pause("8012", "busy")  # the agent's own word
    desk = reborn(desk, after=60)
    desk.acd.start()
    clock.advance(60)
    assert desk.state("8012") is AgentState.PAUSED


def test_a_wall_clock_that_jumped_back_meanwhile_gives_no_negative_times(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.acd.pause("8012", "lunch")
    clock.shift_wall(timedelta(hours=-1))
    desk = reborn(desk)
    desk.acd.start()
    desk.acd.ready("8012")
    assert desk.rows("agent.state")[-1].data["seconds"] >= 0


def test_a_wall_clock_that_was_set_back_makes_no_state_longer_than_it_was_to_be(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", queues={"desk": queue(wrap_up="15s")})
    desk.enter("a")
    desk.answer()
    desk.hang_up("a")
    assert desk.state("8012") is AgentState.WRAP_UP
    memories = desk.acd.snapshot()
    clock.shift_wall(timedelta(hours=-1))
    desk = reborn(desk, memories=memories)
    desk.acd.start()
    clock.advance(16)
    assert desk.state("8012") is AgentState.READY


def test_two_who_were_remembered_on_one_phone_do_not_share_it(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013", start=False)
    memories = [
        AgentMemory(name, AgentState.PAUSED, clock.now(), "lunch", phone="1001") for name in ("8012", "8013")
    ]
    desk.acd.restore(memories)
    desk.acd.start()
    assert (desk.state("8012"), desk.state("8013")) == (AgentState.PAUSED, AgentState.LOGGED_OUT)


def test_a_second_start_logs_nobody_in_who_has_gone(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.acd.logout("8012")
    desk.acd.start()
    assert desk.state("8012") is AgentState.LOGGED_OUT


def test_what_is_gone_cannot_be_resumed(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    with pytest.raises(NoSuchCall):
        desk.acd.resume_talk(request("a"), "8012", "no-leg")
    with pytest.raises(NotFound):
        desk.acd.resume_talk(request("a"), "9999", "no-leg")


def test_a_talk_found_late_takes_its_agent_from_the_ring_that_is_out(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    talk = desk.floor.add("found", "8012")
    desk.floor.callers.add("found")
    talk.answer()
    talk.connect()
    desk.floor.rings.clear()
    other = desk.enter("b")
    ring = desk.floor.ringing("8012", "b")
    desk.floor.rings.append(talk)
    desk.acd.resume_talk(request("found"), "8012", talk.leg)
    assert ring.cancelled
    desk.settle()
    assert (desk.state("8012"), desk.acd.agent("8012").call) == (AgentState.TALKING, "found")
    assert desk.offered()[-1] == ("8013", "b")
    assert other.position() == 1
    talk.end_talk(TalkEnd.AGENT)
    desk.settle()
    assert desk.state("8012") is AgentState.READY


@pytest.mark.parametrize("strategy", ["round_robin", "fewest_calls", "least_talk"])
def test_whose_turn_it_is_goes_on(clock: VirtualClock, strategy: str) -> None:
    desk = Desk(clock, "a", "b", "c", queues={"desk": queue(strategy=strategy)})
    for call in ("one", "two"):
        desk.enter(call)
        ring = desk.answer()
        clock.advance(30)
        ring.end_talk(TalkEnd.CALLER)
        desk.settle()
    assert [agent for agent, _ in desk.offered()] == ["a", "b"]
    desk = reborn(desk)
    desk.acd.start()
    desk.settle()
    desk.enter("three")
    assert desk.offered()[-1] == ("c", "three"), "all three were equal after the restart"
    desk.acd.logout("a")
    desk.acd.login("a")
    assert desk.acd.memory("a").tally.calls == 0, "who logs in after it counts from nothing"


def test_counts_of_an_agent_come_back_from_the_store_as_they_were(clock: VirtualClock) -> None:
    desk = Desk(clock, "a", queues={"desk": queue(strategy="round_robin")})
    desk.enter("one")
    desk.answer()
    clock.advance(30)
    memory = desk.acd.memory("a")
    assert agent_memory(agent_row(memory)) == memory
    assert memory.tally.offered.keys() == {"desk"}
