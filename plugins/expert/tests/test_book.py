"""The book of questions, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.testing.contract import contract

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

system = contract("QuestionBook", today=date(2026, 11, 23))


def begun(system: Any, call: str = "c1", after: int = 0) -> int:
    return system.begin(call, now=NOW + timedelta(minutes=after), caller="+8613800138000", language="zh-CN")


def test_topics_are_told_in_the_order_of_the_menu_and_in_the_language_asked_for(system: Any) -> None:
    assert [one.code for one in system.topics("en")] == ["tariff", "claims", "credit", "policy", "systems"]
    assert (system.topics("en")[1].title, system.topics("zh-CN")[1].title) == (
        "claims and exceptions",
        "理赔与异常",
    )


def test_a_calls_second_question_ends_the_first_and_is_the_same_persons(system: Any) -> None:
    one = begun(system)
    system.note("c1", now=NOW, staff="60101", branch="广州白云营业部", topic="claims")
    two = begun(system, after=3)
    first, second = system.get(one), system.get(two)
    assert first.ended == NOW + timedelta(minutes=3)
    assert (second.staff, second.branch, second.topic, second.ended) == ("60101", "广州白云营业部", "", None)
    assert system.current("c1") == second


def test_facts_of_a_call_without_a_question_begin_one(system: Any) -> None:
    id = system.note("c9", now=NOW, topic="tariff")
    assert (system.get(id).call, system.get(id).topic) == ("c9", "tariff")
    assert system.current("unheard of") is None


def test_each_question_has_its_own_part_of_the_calls_talk(system: Any) -> None:
    one = begun(system)
    system.note("c1", now=NOW, topic="claims")
    system.ended("c1", now=NOW + timedelta(minutes=2), agents=["8032"], talked=60)
    two = begun(system, after=3)
    system.note("c1", now=NOW, topic="tariff")
    system.ended("c1", now=NOW + timedelta(minutes=5), agents=["8032", "8031", "8036"], talked=100)
    system.ended("c1", now=NOW + timedelta(minutes=9), agents=["8032", "8031", "8036"], talked=100)
    first, second = system.get(one), system.get(two)
    assert (first.expert, first.last_expert) == ("8032", "8032")
    assert (second.expert, second.last_expert) == ("8031", "8036")
    assert second.ended == NOW + timedelta(minutes=5), "done twice is as done once"


def test_the_same_expert_may_talk_about_both_and_who_did_not_talk_has_not(system: Any) -> None:
    begun(system)
    system.ended("c1", now=NOW, agents=["8032"], talked=60)
    two, three = begun(system, after=1), 0
    system.ended("c1", now=NOW, agents=["8032"], talked=90)
    three = begun(system, after=2)
    system.note("c1", now=NOW, topic="tariff")
    system.ended("c1", now=NOW, agents=["8032"], talked=90)
    assert (system.get(two).expert, system.get(three).expert) == ("8032", "")


def test_a_call_that_asked_nothing_is_closed_by_the_engine(system: Any) -> None:
    id = begun(system)
    system.ended("c1", now=NOW, agents=[], talked=0)
    assert (system.get(id).disposition, system.get(id).closed) == ("none", NOW)
    assert system.ended("unheard of", now=NOW, agents=[], talked=0) is None


def test_a_question_is_closed_once(system: Any) -> None:
    id = begun(system)
    assert system.close(id, "answer", now=NOW, by="8032", answer="1001", version=3)
    assert not system.close(id, "gap", now=NOW, by="8031")
    assert system.get(id).disposition == "answer"
    assert not system.close(999, "gap", now=NOW, by="8031")


def test_an_experts_open_questions_are_the_latest_first(system: Any) -> None:
    for at in range(3):
        begun(system, f"c{at}", at)
        system.note(f"c{at}", now=NOW, topic="claims")
        system.talked_with(f"c{at}", "8032")
    system.close(2, "gap", now=NOW, by="8032")
    assert [one.call for one in system.open_of("8032", most=5)] == ["c2", "c0"]
    assert [one.call for one in system.open_of("8032", most=1)] == ["c2"]
    assert system.open_of("8031", most=5) == []


def test_who_is_called_back_goes_on_with_the_first_calls_question(system: Any) -> None:
    id = begun(system)
    system.note("c1", now=NOW, topic="claims", queued=NOW)
    system.ended("c1", now=NOW, agents=[], talked=0)
    assert system.call_back("c1", "c2") == id
    system.ended("c2", now=NOW + timedelta(minutes=10), agents=["8032"], talked=60)
    assert (system.get(id).expert, system.current("c2").id) == ("8032", id)
    assert system.call_back("unheard of", "c3") == 0


@pytest.mark.parametrize(("staff", "topic"), [("", "claims"), ("60101", "")])
def test_nobody_asked_about_nothing_before(system: Any, staff: str, topic: str) -> None:
    begun(system)
    system.note("c1", now=NOW, staff=staff, topic=topic)
    assert system.earlier(staff, topic, since=NOW - timedelta(days=1), but=0) == []


def test_what_somebody_asked_before_is_told_the_latest_first(system: Any) -> None:
    for at in range(3):
        begun(system, f"c{at}", at)
        system.note(f"c{at}", now=NOW, staff="60101", topic="claims")
    assert [one.call for one in system.earlier("60101", "claims", since=NOW, but=3)] == ["c1", "c0"]
    assert [
        one.call for one in system.earlier("60101", "claims", since=NOW + timedelta(minutes=1), but=0)
    ] == ["c2", "c1"]


def test_a_ring_that_was_missed_belongs_to_the_question_or_to_nothing(system: Any) -> None:
    begun(system)
    system.missed("c1", "8032", "no_answer", now=NOW)
    system.missed("unheard of", "8032", "no_answer", now=NOW)
