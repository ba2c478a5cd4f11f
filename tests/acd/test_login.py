"""Logging in: the PIN, the locks, the phones."""

from __future__ import annotations

import gevent
import pytest
from argon2 import PasswordHasher

from engine.clock import VirtualClock
from engine.errors import LoginRefused, WrongState
from engine.records.pins import hash_pin, looks_like_a_hash
from engine.types import AgentState
from tests.acd.desk import Desk

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("4812")
BY_HAND = {"login": "by_hand", "pin": CHEAP}


@pytest.fixture
def desk(clock: VirtualClock) -> Desk:
    return Desk(clock, ("8012", BY_HAND), ("8013", BY_HAND), rules={"wrong_pins": "3", "locked": "15m"})


def refused(desk: Desk, agent: str, pin: str, phone: str | None = None) -> str:
    with pytest.raises(LoginRefused) as caught:
        desk.acd.login(agent, pin, phone)
    return caught.value.reason


def test_the_right_pin_logs_in_and_waiting_callers_are_offered(desk: Desk) -> None:
    desk.enter("a", no_agents=False)
    view = desk.acd.login("8012", "4812")
    assert view.state in (AgentState.READY, AgentState.OFFERED)
    desk.settle()
    assert desk.offered() == [("8012", "a")]


def test_an_operator_unlocks_an_agent_and_its_phone(desk: Desk) -> None:
    for _ in range(3):
        reason = refused(desk, "8012", "1111", "1001")
    assert (reason, refused(desk, "8012", "4812", "1001")) == ("locked", "locked")
    desk.acd.unlock("8012")
    assert desk.acd.login("8012", "4812", "1001").state is AgentState.READY


def test_an_operator_needs_no_pin(desk: Desk) -> None:
    assert desk.acd.login("8012").state is AgentState.READY


def test_an_agent_may_sit_at_another_phone(desk: Desk) -> None:
    assert desk.acd.login("8012", "4812", phone="1002").phone == "1002"
    assert desk.acd.agent_on("1002").id == "8012"
    assert desk.acd.agent_on("1001") is None
    with pytest.raises(LoginRefused, match="phone 1002 is in use by agent 8012") as caught:
        desk.acd.login("8013", "4812")
    assert caught.value.reason == "phone_taken"
    with pytest.raises(WrongState, match="agent 8012 is logged in on phone 1002"):
        desk.acd.login("8012", "4812", phone="1001")
    desk.acd.logout("8012")
    assert desk.acd.login("8013", "4812").state is AgentState.READY


def test_logging_in_twice_is_harmless(desk: Desk) -> None:
    desk.acd.login("8012")
    desk.acd.pause("8012", "lunch")
    assert desk.acd.login("8012").state is AgentState.PAUSED


def test_wrong_pins_are_counted_and_lock_the_agent_even_for_the_right_one(desk: Desk) -> None:
    assert [refused(desk, "8012", "0000") for _ in range(3)] == ["wrong_pin", "wrong_pin", "locked"]
    assert refused(desk, "8012", "4812") == "locked"
    assert desk.acd.login("8013", "4812").state is AgentState.READY
    rows = desk.rows("agent.login_refused")
    assert [row.data["reason"] for row in rows] == ["wrong_pin", "wrong_pin", "locked", "locked"]
    desk.clock.advance(901)
    assert desk.acd.login("8012", "4812").state is AgentState.READY


def test_a_right_pin_makes_earlier_wrong_ones_forgotten(desk: Desk) -> None:
    for _ in range(3):
        refused(desk, "8012", "0000")
        refused(desk, "8012", "0000")
        desk.acd.login("8012", "4812")


def test_guesses_from_one_phone_at_many_agents_lock_the_phone(desk: Desk) -> None:
    reasons = [refused(desk, agent, "0000", phone="1009") for agent in ("8012", "8013", "9999")]
    assert reasons == ["wrong_pin", "wrong_pin", "locked"]
    assert refused(desk, "8012", "4812", phone="1009") == "locked"
    assert desk.acd.login("8012", "4812", phone="1001").state is AgentState.READY


def test_guesses_side_by_side_do_not_get_past_the_limit(desk: Desk) -> None:
    reasons: list[str] = []
    jobs = [gevent.spawn(lambda pin=pin: reasons.append(refused(desk, "8012", pin))) for pin in "12345678"]
    gevent.joinall(jobs)
    assert reasons.count("wrong_pin") == 2
    assert reasons.count("locked") == 6


def test_an_unknown_agent_is_refused_as_a_wrong_pin_is_and_costs_a_hash_too(desk: Desk, monkeypatch) -> None:
    hashes: list[str] = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, stored, pin: hashes.append(stored) or verify(self, stored, pin)
    )
    assert refused(desk, "9999", "4812") == "wrong_pin"
    assert len(hashes) == 1
    assert "m=65536,t=3" in hashes[0]


def test_an_agent_without_a_pin_cannot_log_in_with_one(clock: VirtualClock) -> None:
    desk = Desk(clock, ("8012", {"login": "by_hand"}))
    assert refused(desk, "8012", "") == "wrong_pin"


def test_the_hub_runs_on_while_a_pin_is_checked(clock: VirtualClock) -> None:
    desk = Desk(clock, ("8012", {"login": "by_hand", "pin": hash_pin("4812")}))
    turns: list[int] = []

    def others() -> None:
        while True:
            turns.append(1)
            clock.sleep(0)

    other = gevent.spawn(others)
    desk.acd.login("8012", "4812")
    other.kill()
    assert len(turns) > 3


def test_no_pin_reaches_the_journal_or_the_hooks(desk: Desk) -> None:
    refused(desk, "8012", "739146")
    desk.acd.login("8012", "4812")
    written = repr(desk.journal) + repr(desk.told) + repr(desk.acd.config)
    assert "739146" not in written
    assert "4812" not in written
    assert "argon2" not in written


def test_what_a_hash_is_and_what_is_none() -> None:
    assert looks_like_a_hash(CHEAP)
    for text in ("4812", "", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuu"):
        assert not looks_like_a_hash(text)
