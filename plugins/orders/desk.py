"""The desk's own work, always in its own tables: drafts of orders, tasks from head office, what was done by whom."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.api import Digits, Record, Refused

from .models import Act, DraftLine, DraftRow, Task
from .pricing import NOTHING

DraftState = Literal["none", "open", "submitted", "ordered", "dropped"]
CHINESE = "zh-CN"


class DraftPart(Record):
    article: Digits
    name: str  # in the language that was asked for
    cases: int


class Draft(Record):
    """An order that is being put together. ``state`` is "none" when the dealer has none, "submitted" from the
    confirmation until its result is known. ``key`` names the draft and the attempt to place it."""

    id: int
    key: str
    state: DraftState
    number: str
    count: int
    cases: int
    total: Decimal  # that the dealer has confirmed; 0 before
    lines: list[DraftPart]


class Todo(Record):
    """A task from head office."""

    id: int
    text: str
    due: date
    late: bool


class TaskList(Record):
    count: int
    late: int
    items: list[Todo]


class Desk(Protocol):
    """Drafts, tasks and acts. Moments are aware."""

    def draft(self, dealer: str, *, language: str) -> Draft: ...
    def add(
        self, dealer: str, article: str, *, name: str, english: str, cases: int, at: datetime, language: str
    ) -> Draft: ...
    def remove(self, dealer: str, article: str, *, at: datetime, language: str) -> Draft: ...
    def drop(self, dealer: str, *, at: datetime) -> None: ...
    def submit(self, draft: int, total: Decimal, *, at: datetime) -> str: ...
    def reopen(self, draft: int, *, at: datetime) -> None: ...
    def settle(self, draft: int, number: str, *, at: datetime, told: bool = True) -> None: ...
    def heard(self, draft: int) -> None: ...
    def tasks(self, dealer: str, *, today: date, language: str) -> TaskList: ...
    def acknowledge(self, task: int, dealer: str, *, at: datetime, how: str) -> bool: ...
    def act(
        self,
        who: str,
        what: str,
        *,
        at: datetime,
        how: str,
        about: str = "",
        region: str = "",
        note: str = "",
    ) -> None: ...


class SqlDesk:
    def __init__(self, session: Session) -> None:
        self._session = session

    # -- drafts ---------------------------------------------------------------------------------------

    def draft(self, dealer: str, *, language: str) -> Draft:
        """The dealer's draft that is not over; else one that became an order of which he has not heard; else one with
        the state "none"."""
        row = self._of(dealer) or self._untold(dealer)
        if row is None:
            return Draft(id=0, key="", state="none", number="", count=0, cases=0, total=NOTHING, lines=[])
        return view(row, language)

    def add(
        self, dealer: str, article: str, *, name: str, english: str, cases: int, at: datetime, language: str
    ) -> Draft:
        """So many cases more of an article. ``Refused("submitted")`` while an earlier confirmation is not settled."""
        if cases < 1:
            raise ValueError("an order is of whole cases, one at least")
        row = self._opened(dealer, at)
        line = next((one for one in row.lines if one.article == article), None)
        if line is None:
            row.lines.append(DraftLine(article=article, name=name, english=english, cases=cases))
        else:
            line.cases += cases
        row.changed = at
        self._session.flush()
        return view(row, language)

    def remove(self, dealer: str, article: str, *, at: datetime, language: str) -> Draft:
        """Take a line out; nothing happens where there is none."""
        row = self._opened(dealer, at)
        row.lines[:] = [one for one in row.lines if one.article != article]
        row.changed = at
        self._session.flush()
        return view(row, language)

    def drop(self, dealer: str, *, at: datetime) -> None:
        """Forget the draft. ``Refused("submitted")`` when it may have become an order."""
        row = self._of(dealer)
        if row is None:
            return
        if row.state == "submitted":
            raise Refused("submitted")
        row.state, row.held_by, row.changed = "dropped", None, at

    def submit(self, draft: int, total: Decimal, *, at: datetime) -> str:
        """The dealer has confirmed it at that total: it can't change any more until it is known what came of it. The
        key of this attempt. ``Refused("gone")`` when it is over already."""
        row = self._locked(draft)
        if row is None or row.state not in ("open", "submitted") or not row.lines:
            raise Refused("gone")
        if row.state == "open":
            row.state, row.attempt, row.total, row.changed = "submitted", row.attempt + 1, total, at
        return _key(row)

    def reopen(self, draft: int, *, at: datetime) -> None:
        """It was refused: it may be changed, and be submitted anew."""
        row = self._locked(draft)
        if row is not None and row.state == "submitted":
            row.state, row.changed = "open", at

    def settle(self, draft: int, number: str, *, at: datetime, told: bool = True) -> None:
        """It has become the order ``number``; ``told``: the dealer hears that at once."""
        row = self._locked(draft)
        if row is not None and row.state == "submitted":
            row.state, row.held_by, row.number, row.changed, row.told = "ordered", None, number, at, told

    def heard(self, draft: int) -> None:
        """The dealer has heard what became of it."""
        row = self._locked(draft)
        if row is not None:
            row.told = True

    def _untold(self, dealer: str) -> DraftRow | None:
        query = select(DraftRow).where(DraftRow.dealer == dealer, DraftRow.told.is_(False))
        return self._session.scalars(query.order_by(DraftRow.id).limit(1)).one_or_none()

    def _of(self, dealer: str) -> DraftRow | None:
        return self._session.scalars(select(DraftRow).where(DraftRow.held_by == dealer)).one_or_none()

    def _locked(self, draft: int) -> DraftRow | None:
        return self._session.scalars(
            select(DraftRow).where(DraftRow.id == draft).with_for_update()
        ).one_or_none()

    def _opened(self, dealer: str, at: datetime) -> DraftRow:
        """The dealer's draft, made if there is none; of two calls that make one at the same time both get the same."""
        row = self._of(dealer)
        if row is None:
            try:
                with self._session.begin_nested():
                    row = DraftRow(dealer=dealer, held_by=dealer, opened=at, changed=at)
                    self._session.add(row)
            except IntegrityError:
                row = self._session.scalars(select(DraftRow).where(DraftRow.held_by == dealer)).one()
        row = self._locked(row.id)
        assert row is not None
        if row.state == "submitted":
            raise Refused("submitted")
        return row

    # -- tasks and acts -------------------------------------------------------------------------------

    def tasks(self, dealer: str, *, today: date, language: str) -> TaskList:
        """What a dealer has not acknowledged, what is due first in front."""
        rows = self._session.scalars(
            select(Task).where(Task.dealer == dealer, Task.acknowledged.is_(None)).order_by(Task.due, Task.id)
        )
        items = [
            Todo(
                id=row.id,
                text=row.text if language == CHINESE else row.english or row.text,
                due=row.due,
                late=row.due < today,
            )
            for row in rows
        ]
        return TaskList(count=len(items), late=sum(1 for one in items if one.late), items=items)

    def acknowledge(self, task: int, dealer: str, *, at: datetime, how: str) -> bool:
        """The dealer has taken note of it; False when it was acknowledged before, or is another one's."""
        row = self._session.get(Task, task)
        if row is None or row.dealer != dealer or row.acknowledged is not None:
            return False
        row.acknowledged, row.how = at, how
        return True

    def act(
        self,
        who: str,
        what: str,
        *,
        at: datetime,
        how: str,
        about: str = "",
        region: str = "",
        note: str = "",
    ) -> None:
        """Somebody behind the desk did something."""
        self._session.add(Act(at=at, who=who, what=what, about=about, region=region, how=how, note=note))


def submitted(session: Session, before: datetime) -> list[DraftRow]:
    """Drafts that were confirmed before a moment, and of which it is not known what came of them."""
    query = select(DraftRow).where(DraftRow.state == "submitted", DraftRow.changed < before)
    return list(session.scalars(query.order_by(DraftRow.id)))


def _key(row: DraftRow) -> str:
    """Of an attempt. It stays unique when several centres speak to one sales system."""
    return f"order-{row.dealer}-{row.id}-{row.attempt}-{int(row.opened.timestamp())}"


def draft_of(key: str) -> int:
    """The draft that a key of an attempt names; 0 for another key."""
    found = re.search(r"order-[0-9]+-([0-9]+)-[0-9]+-[0-9]+", key)
    return int(found[1]) if found is not None else 0


def view(row: DraftRow, language: str) -> Draft:
    return Draft.model_validate(
        {
            "id": row.id,
            "key": _key(row),
            "state": row.state,
            "number": row.number,
            "count": len(row.lines),
            "cases": sum(one.cases for one in row.lines),
            "total": row.total,
            "lines": [
                {
                    "article": one.article,
                    "name": one.name if language == CHINESE else one.english or one.name,
                    "cases": one.cases,
                }
                for one in row.lines
            ],
        }
    )
