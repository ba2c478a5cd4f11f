"""Other queues and agents, while callers wait and talk."""

from __future__ import annotations

import pytest

from engine.acd.config import AcdConfig, AgentRules
from engine.acd.places import Leaving, Left
from engine.clock import VirtualClock
from engine.errors import NotFound
from engine.types import AgentState, TalkEnd
from tests.acd.desk import Desk, agent, queue


def changed(desk: Desk, *, queues=None, agents=None, rules=None):
    """The configuration with these entries (None: gone), taken."""
    config = desk.acd.config
    made = [dict(config.queues), dict(config.agents)]
    for entries, more in zip(made, (queues or {}, agents or {}), strict=True):
        for name, entry in more.items():
            if entry is None:
                del entries[name]
            else:
                entries[name] = entry
    done = desk.acd.reconfigure(AcdConfig(*made, AgentRules.model_validate(rules or {})))
    desk.settle()
    return done


def test_a_new_agent_takes_who_waits(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    desk.acd.pause("8012", "lunch")
    desk.enter("a")
    desk.acd.phone_registered("1009")
    assert changed(desk, agents={"8020": agent("1009")}).new_agents == ("8020",)
    assert desk.offered() == [("8020", "a")]
    desk.answer()
    assert desk.acd.agent("8020").calls_taken == 1


def test_an_agent_who_is_gone_finishes_the_talk_and_is_forgotten(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.enter("a")
    ring = desk.answer("8012")
    changed(desk, agents={"8012": None, "8013": None})
    assert desk.state("8012") is AgentState.TALKING
    with pytest.raises(NotFound):
        desk.acd.agent("8013")
    ring.end_talk(TalkEnd.CALLER)
    desk.settle()
    with pytest.raises(NotFound):
        desk.acd.agent("8012")
    assert desk.acd.queue("desk").agents_in == 0


def test_an_agent_who_is_gone_while_rung_gives_the_caller_to_the_next(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012", "8013")
    desk.enter("a")
    changed(desk, agents={"8012": None})
    assert desk.offered() == [("8012", "a"), ("8013", "a")]


def test_an_agent_learns_and_takes_who_waited_for_that(clock: VirtualClock) -> None:
    desk = Desk(clock, ("8012", {"skills": {"waybill": "1"}}))
    desk.enter("a", skills={"waybill": 2}, no_agents=False)
    assert desk.offered() == []
    changed(desk, agents={"8012": agent("1001", skills={"waybill": "3"})})
    assert desk.offered() == [("8012", "a")]


def test_a_queue_that_is_gone_sends_its_callers_out_as_closed_and_lets_talks_be(clock: VirtualClock) -> None:
    both = {"desk": "1", "other": "1"}
    desk = Desk(
        clock,
        ("8012", {"queues": both}),
        ("8013", {"queues": both}),
        queues={"desk": queue(), "other": queue()},
    )
    desk.enter("talks", "other")
    talk = desk.answer()
    rung, other = desk.enter("rung", "other"), desk.enter("waits", "other")
    stays = desk.enter("stays", "desk")
    mine = {name: agent(phone, queues={"desk": "1"}) for name, phone in (("8012", "1001"), ("8013", "1002"))}
    assert changed(desk, queues={"other": None}, agents=mine).gone_queues == ("other",)
    assert desk.news(rung) == [Left(Leaving.CLOSED)]
    assert desk.news(other) == [Left(Leaving.CLOSED)]
    assert talk.bridged
    assert desk.offered()[-1] == ("8013", "stays")
    assert stays.position() == 1
    talk.end_talk(TalkEnd.CALLER)
    desk.settle()
    assert desk.state("8012") is AgentState.READY


def test_an_agent_s_own_phone_is_another_one(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    changed(desk, agents={"8012": agent("1005")})
    assert (desk.acd.agent("8012").phone, desk.state("8012")) == ("1005", AgentState.UNREACHABLE)
    desk.acd.phone_registered("1005")
    assert desk.state("8012") is AgentState.READY
    assert desk.acd.agent_on("1001") is None


def test_rules_hold_at_once(clock: VirtualClock) -> None:
    desk = Desk(clock, "8012")
    changed(desk, rules={"pauses": ["meal"]})
    with pytest.raises(NotFound, match="there is no reason 'lunch'"):
        desk.acd.pause("8012", "lunch")
