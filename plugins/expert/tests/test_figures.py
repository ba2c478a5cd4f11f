"""Figures: by hand, and against a plain count of everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hooks.loading import PACKAGE, load_folder

MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def _figures() -> ModuleType:
    import importlib

    load_folder(Path(__file__).parents[1])
    return importlib.import_module(f"{PACKAGE}.expert.figures")


figures = _figures()


def row(id: int, minutes: float = 0, **facts: Any) -> Any:
    """A question so many minutes after Monday morning."""
    facts.setdefault("staff", "60101")
    facts.setdefault("topic", "claims")
    if "wait" in facts:
        facts["queued"] = MONDAY + timedelta(minutes=minutes)
        facts["answered"] = facts["queued"] + timedelta(seconds=facts.pop("wait"))
    if facts.get("disposition"):
        facts["closed"] = MONDAY + timedelta(minutes=minutes + 1)
    return figures.Row(id=id, asked=MONDAY + timedelta(minutes=minutes), **facts)


DAY = 24 * 60
ROWS = [
    # 8032 solves one, which is asked again two days later and gets a gap
    row(1, 0, expert="8032", wait=10, disposition="answer", answer="2001", version=2, standard_version=2, solution=5),
    row(2, 2 * DAY, expert="8032", wait=30, disposition="gap", attitude=2),
    # another person: the standard answer was enough
    row(3, 5, staff="60201", heard="2001", heard_version=2, disposition="heard"),
    # an old version, and another answer than the one that was found
    row(4, 6, staff="60202", expert="8031", wait=20, disposition="answer", answer="2001", version=1,
        standard_version=2),
    row(5, 7, staff="60203", topic="tariff", expert="8031", wait=40, heard="1001", disposition="answer",
        answer="1002", version=4, standard_version=4, solution=4, effort=3),
    # nobody came; still open
    row(6, 8, staff="60301", topic="tariff", queued=MONDAY),
    # answered, but the caller says it is not solved
    row(7, 9, staff="60302", expert="8031", wait=60, disposition="answer", answer="2001", version=2, standard_version=2,
        solution=1),
    # no question at all
    row(8, 9, staff="", topic="", disposition="none"),
    row(9, 10, staff="60303", expert="8031", wait=30, disposition="ticket", ticket="482915079"),
]  # fmt: skip
MISSED = [(1, "8031"), (6, "8031"), (6, "8036")]


def of(name: str, by: str = "expert", **only: str) -> Any:
    found = figures.figures(ROWS, MISSED, by=by, within=WEEK, **only)
    return next(one for one in found if one.of == name)


def test_an_experts_figures() -> None:
    found = of("8031")
    assert (found.questions, found.talked, found.missed) == (4, 4, 2)
    assert found.first_contact == pytest.approx(2 / 4), (
        "the old version and the other answer solved it; 7 and 9 did not"
    )
    assert (found.to_answer, found.longest) == (pytest.approx(37.5), 60)
    assert (found.divergent, found.outdated, found.gaps, found.tickets, found.open) == (1, 1, 0, 1, 0)
    assert (found.solution, found.attitude, found.effort, found.marked) == (2.5, None, 3, 2)


def test_what_is_asked_again_was_not_solved_at_first_contact() -> None:
    assert of("8032").first_contact == 0
    assert of("8032").gaps == 1


def test_what_no_expert_answered_stands_by_itself() -> None:
    found = of("")
    assert (found.questions, found.by_answer, found.unanswered, found.open) == (2, 1, 1, 1)
    assert found.first_contact == pytest.approx(1 / 2)
    assert found.to_answer is None


def test_who_only_missed_rings_has_a_row() -> None:
    found = of("8036")
    assert (found.questions, found.missed, found.first_contact) == (0, 1, None)


def test_a_topics_figures() -> None:
    found = of("tariff", by="topic")
    assert (found.questions, found.missed, found.divergent, found.open) == (2, 2, 1, 1)
    assert of("claims", by="topic").questions == 6
    assert of("claims", by="topic", expert="8032").questions == 2
    assert of("8031", topic="tariff").missed == 1


def test_a_call_that_asked_nothing_is_in_no_figure() -> None:
    assert sum(one.questions for one in figures.figures(ROWS, [], by="topic", within=WEEK)) == 8


def many(id: int, branch: str, before: int, now: int) -> list[Any]:
    made = [row(id + at, -DAY - at, branch=branch) for at in range(before)]
    return made + [row(id + 50 + at, at, branch=branch) for at in range(now)]


def falls(rows: list[Any], **more: Any) -> list[Any]:
    found = figures.falling(rows, by=lambda one: one.branch, middle=MONDAY, span=WEEK, **more)
    return [(one.who, one.before, one.now) for one in found]


def test_a_branch_whose_questions_fall_away_is_told_and_one_that_asks_as_before_is_not() -> None:
    rows = many(0, "广州", 10, 10) + many(100, "深圳", 10, 9) + many(200, "成都", 10, 2)
    assert falls(rows) == [("成都", 10, 2)]


def test_a_week_in_which_everybody_asks_less_makes_nobody_fall() -> None:
    rows = many(0, "广州", 10, 4) + many(100, "深圳", 10, 4) + many(200, "成都", 10, 4)
    assert falls(rows) == []


def test_few_questions_are_no_fall_and_the_only_branch_is_held_against_itself() -> None:
    assert falls(many(0, "广州", 3, 0)) == []
    assert falls(many(0, "广州", 8, 2)) == [("广州", 8, 2)]


def test_who_asks_again_and_again_is_told_the_most_often_first() -> None:
    rows = [row(at, at) for at in range(3)] + [
        row(10 + at, at, staff="60301", topic="tariff") for at in range(5)
    ]
    rows += [row(20, 0, staff="60302"), row(21, 1, staff="60302"), row(22, 2, staff="")]
    found = [(one.staff, one.topic, one.times) for one in figures.repeated(rows)]
    assert found == [("60301", "tariff", 5), ("60101", "claims", 3)]


# -- against a plain count ---------------------------------------------------------------------------------

marks = st.none() | st.integers(1, 5)
questions = st.builds(
    row,
    st.integers(),
    st.integers(0, 30 * DAY),
    staff=st.sampled_from(["", "1", "2"]),
    branch=st.sampled_from(["", "A", "B", "C"]),
    topic=st.sampled_from(["", "x", "y"]),
    heard=st.sampled_from(["", "11", "12"]),
    expert=st.sampled_from(["", "8031", "8032"]),
    wait=st.integers(0, 900),
    disposition=st.sampled_from(["", "heard", "answer", "gap", "ticket", "again", "none"]),
    answer=st.sampled_from(["11", "12"]),
    version=st.integers(1, 2),
    standard_version=st.integers(0, 2),
    solution=marks,
    attitude=marks,
    effort=marks,
)
books = st.lists(questions, max_size=25, unique_by=lambda one: one.id)


def mean(values: list[Any]) -> Any:
    values = [one for one in values if one is not None]
    return pytest.approx(sum(values) / len(values)) if values else None


@settings(max_examples=150, deadline=None)
@given(books, st.sampled_from(["expert", "topic"]))
def test_figures_are_what_a_plain_count_says(rows: list[Any], by: str) -> None:
    missed = [(one.id, "8032") for one in rows[::3]]
    for found in figures.figures(rows, missed, by=by, within=WEEK):
        mine = [one for one in rows if getattr(one, by) == found.of and one.disposition != "none"]
        first = 0
        for one in mine:
            later = [
                other for other in rows
                if other.id != one.id and other.staff == one.staff != "" and other.topic == one.topic != ""
                and other.disposition != "none"
                and (one.asked, one.id) < (other.asked, other.id) and other.asked - one.asked <= WEEK
            ]  # fmt: skip
            good = one.disposition in ("heard", "answer") and one.solution not in (1, 2)
            first += good and one.disposition != "none" and not later
        assert found.questions == len(mine)
        assert found.first_contact == (pytest.approx(first / len(mine)) if mine else None)
        assert found.to_answer == mean([(one.answered - one.queued).total_seconds() for one in mine])
        assert found.outdated == sum(
            one.disposition == "answer" and one.version != one.standard_version for one in mine
        )
        assert found.divergent == sum(
            one.disposition == "answer" and one.heard not in ("", one.answer) for one in mine
        )
        assert found.open == sum(one.disposition == "" for one in mine)
        assert (found.solution, found.attitude, found.effort) == (
            mean([one.solution for one in mine]),
            mean([one.attitude for one in mine]),
            mean([one.effort for one in mine]),
        )
        ids = {one.id: one for one in rows}
        whose = [who if by == "expert" else ids[question].topic for question, who in missed]
        assert found.missed == whose.count(found.of)


@settings(max_examples=150, deadline=None)
@given(books)
def test_every_question_is_in_the_figures_once(rows: list[Any]) -> None:
    wanted = sum(one.disposition != "none" for one in rows)
    for by in ("expert", "topic"):
        assert sum(one.questions for one in figures.figures(rows, [], by=by, within=WEEK)) == wanted


@settings(max_examples=150, deadline=None)
@given(books, st.integers(0, 30 * DAY))
def test_who_falls_is_what_a_plain_count_says(rows: list[Any], at: int) -> None:
    middle = MONDAY + timedelta(minutes=at)
    asked = [one for one in rows if one.disposition != "none" and one.branch]
    found = {
        one.who: (one.before, one.now)
        for one in figures.falling(rows, by=lambda one: one.branch, middle=middle, span=WEEK, least=2)
    }
    for branch in ("A", "B", "C"):
        before = [one for one in asked if middle - WEEK <= one.asked < middle]
        now = [one for one in asked if middle <= one.asked < middle + WEEK]
        mine, mine_now = sum(one.branch == branch for one in before), sum(one.branch == branch for one in now)
        others, others_now = len(before) - mine, len(now) - mine_now
        trend = min(1.0, others_now / others) if others else 1.0
        falls = mine >= 2 and mine_now <= 0.5 * mine * trend
        assert (found.get(branch) == (mine, mine_now)) == falls
