"""The desk of tickets within a transaction: what may follow what, and that everything is written down."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from engine.errors import NotFound, WrongState
from engine.records import numbering
from engine.records.tickets import OWED, Desk
from engine.store.all_tables import metadata

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def desk_of(session: Session, now: datetime = NOW, seed: int = 1) -> Desk:
    return Desk(
        session, now=now, due=lambda calendar, at, seconds: at + timedelta(seconds=seconds),
        numbers=random.Random(seed), department="orders", by="test",
    )  # fmt: skip


def test_a_ticket_goes_its_way_and_every_change_is_in_its_history(session: Session) -> None:
    desk = desk_of(session)
    number = desk.open("complaint", group="exceptions", clips=["c1"], call="call-1").number
    assert desk.assign(number, "li.na").owner == "li.na"
    assert desk.give_back(number, "not mine").owner == ""
    desk.note(number, "asked the branch")
    assert desk.solve(number, "a new lamp").state == "solved"
    assert desk.reopen(number, "dark again").state == "reopened"
    assert desk.close(number).state == "closed"
    assert [one.what for one in desk.history(number)] == [
        "opened", "assigned", "returned", "noted", "solved", "reopened", "closed",
    ]  # fmt: skip
    assert set(desk.get(number).links) == {("call", "call-1"), ("clip", "c1")}
    assert len(desk.untold()) == 7
    assert desk.untold() == []


def test_what_makes_no_sense_is_refused(session: Session) -> None:
    desk = desk_of(session)
    number = desk.open("complaint").number
    with pytest.raises(WrongState, match="is open: it can't be reopened"):
        desk.reopen(number, "why")
    desk.solve(number)
    with pytest.raises(WrongState, match="is solved: it can't be assigned"):
        desk.assign(number, "li.na")
    with pytest.raises(NotFound):
        desk.solve("123456789")


def test_a_number_that_is_taken_is_drawn_again(session: Session) -> None:
    first = desk_of(session, seed=7).open("complaint").number
    assert desk_of(session, seed=7).open("complaint").number != first


def test_what_is_due_is_escalated_once(session: Session) -> None:
    desk = desk_of(session)
    late, solved = desk.open("a", within=timedelta(hours=1)), desk.open("b", within=timedelta(hours=1))
    desk.open("c", within=timedelta(hours=9))
    desk.solve(solved.number)
    later = desk_of(session, NOW + timedelta(hours=2))
    assert [one.number for one in later.escalate_due()] == [late.number]
    assert later.escalate_due() == []
    assert [one.kind for one in later.search(overdue=True)] == ["a"]
    assert {one.state for one in later.search(owed=True)} <= set(OWED)


@given(st.integers(0, 10**6))
def test_a_mistyped_digit_is_never_another_number(seed: int) -> None:
    number = numbering.draw(random.Random(seed))
    assert numbering.is_number(number)
    at = seed % 9
    wrong = number[:at] + str((int(number[at]) + 1 + seed % 9) % 10) + number[at + 1 :]
    assert wrong == number or not numbering.is_number(wrong)
