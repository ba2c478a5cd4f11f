"""A ticket that is kept away from a site: nobody of it has it, or does anything about it, however it is tried."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from engine.errors import WrongState
from engine.records.tickets import Desk
from engine.store.all_tables import metadata

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
SITES = {"8041": "head_office", "8042": "guangzhou", "8043": ""}


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def desk_of(session: Session, by: str = "test") -> Desk:
    return Desk(
        session, now=NOW, due=lambda calendar, at, seconds: at + timedelta(seconds=seconds),
        numbers=random.Random(1), department="hr", by=by, site_of=lambda session, who: SITES.get(who),
    )  # fmt: skip


def test_it_is_given_to_nobody_of_the_site_and_to_no_stranger(session: Session) -> None:
    desk = desk_of(session)
    ticket = desk.open("feedback", group="hr", away_from="guangzhou")
    assert ticket.away_from == "guangzhou"
    with pytest.raises(WrongState, match="is kept away from guangzhou, and 8042 is there"):
        desk.assign(ticket.number, "8042")
    with pytest.raises(WrongState, match="nobody knows where li"):
        desk.assign(ticket.number, "li.na")
    assert desk.get(ticket.number).owner == ""
    assert [one.what for one in desk.history(ticket.number)] == ["opened"]
    assert desk.assign(ticket.number, "8043").owner == "8043"
    assert desk.assign(ticket.number, "8041").owner == "8041"


def test_it_is_not_opened_for_somebody_of_the_site(session: Session) -> None:
    desk = desk_of(session)
    with pytest.raises(WrongState, match="8042 is there"):
        desk.open("feedback", owner="8042", away_from="guangzhou")
    assert desk.open("feedback", owner="8041", away_from="guangzhou").owner == "8041"


ACTS: dict[str, Callable[[Desk, str], Any]] = {
    "solve": lambda desk, number: desk.solve(number, "nothing to it"),
    "close": lambda desk, number: desk.close(number),
    "return": lambda desk, number: desk.give_back(number, "why"),
    "note": lambda desk, number: desk.note(number, "they lie"),
    "assign": lambda desk, number: desk.assign(number, "8041"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_nobody_of_the_site_does_anything_about_it(session: Session, act: Callable[[Desk, str], Any]) -> None:
    number = desk_of(session).open("feedback", owner="8041", away_from="guangzhou").number
    with pytest.raises(WrongState, match="kept away from guangzhou, and 8042 is there"):
        act(desk_of(session, by="8042"), number)
    act(desk_of(session, by="8041"), number)
    other = desk_of(session).open("feedback", owner="8041").number
    act(desk_of(session, by="8042"), other)
