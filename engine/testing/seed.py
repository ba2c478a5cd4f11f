"""The fixture ``seed``: data of a test's own, put where the department keeps it.

``seed.article(code="10010001", price="36.00")`` is the department's factory of that name (``Department(factories=…)``),
or else a row of its table: ``articles`` or ``article`` behind the prefix. ``seed.party(kind="dealer", …)`` is
somebody who calls, ``seed.ticket("complaint_late", data={…})`` work that is owed.
``seed.logistics.waybill(…)`` where two departments have a table of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Table, insert

from engine.hooks.department import Department
from engine.testing.rows import Row, row_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from engine.testing.centre import Centre
    from engine.types import PartyView, TicketView


class Seed:
    """Puts data into the tables of one centre."""

    def __init__(self, centre: Centre, only: str = "") -> None:
        self._centre = centre
        self._only = only

    def party(self, *, numbers: tuple[str, ...] = (), pin: str = "", **values: str) -> PartyView:
        """Somebody who calls: ``kind`` and ``name`` at least; ``code``, ``tier``, ``site`` … One that the sample has is
        changed, and a number that it gives to somebody else changes hands."""
        parties = self._centre.app.parties
        for number in numbers:
            owner = parties.by_number(number)
            if owner is not None:
                parties.remove_number(owner, number)
        return parties.add(values, numbers, pin, change=True)

    def ticket(self, kind: str, **values: Any) -> TicketView:
        """A ticket of the department that declares its ``kind`` (or that ``seed.logistics.ticket(…)`` names). The
        ``values`` are those of :meth:`engine.records.tickets.Desk.open`: ``data``, ``owner``, ``within`` …"""
        departments = self._centre.installation.host.departments.values()
        owners = [self._only] if self._only else [one.name for one in departments if kind in one.tickets]
        if len(owners) != 1:
            said = f"the departments {' and '.join(owners)} have" if owners else "no department has"
            raise AssertionError(
                f"{said} the kind of tickets {kind!r}: say which, seed.<department>.ticket(…)"
            )
        records = self._centre.app.records
        return records.work(lambda session: records.desk(session).open(kind, department=owners[0], **values))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        departments = self._centre.installation.host.departments
        if not self._only and name in departments:
            return Seed(self._centre, name)
        found = list(self._makers(name))
        if len(found) == 1:
            return found[0]
        whose = f"the department {self._only}" if self._only else "no department, or more than one,"
        raise AttributeError(f"{whose} has {'no' if self._only else 'a'} factory or table for {name!r}")

    def _makers(self, name: str) -> Iterator[Callable[..., Any]]:
        departments = self._centre.installation.host.departments
        for department in departments.values():
            if self._only in ("", department.name):
                maker = self._maker(department, name)
                if maker is not None:
                    yield maker

    def _maker(self, department: Department, name: str) -> Callable[..., Any] | None:
        factory = department.factories.get(name)
        if factory is not None:
            return lambda **values: self._work(lambda session: factory(session, **values))
        tables = department.models.tables if department.models is not None else {}
        for stem in (name, f"{name}s", f"{name}es", f"{name[:-1]}ies"):
            table = tables.get(f"{department.tables}{stem}")
            if table is not None:
                return self._inserts(table)
        return None

    def _inserts(self, table: Table) -> Callable[..., Row]:
        def make(**values: Any) -> Row:
            typed = {name: _typed(table, name, value) for name, value in values.items()}

            def work(session: Session) -> Row:
                done: Any = session.execute(insert(table).values(typed))
                names = [one.name for one in table.primary_key.columns]
                keys = dict(zip(names, done.inserted_primary_key, strict=True))
                return row_of({**typed, **keys}, table)

            made: Row = self._work(work)
            return made

        return make

    def _work(self, work: Callable[[Session], Any]) -> Any:
        return self._centre.app.store.work(work, 10.0)


def _typed(table: Table, name: str, value: Any) -> Any:
    """``"36.00"`` for a column of amounts is an amount, ``"2026-11-01"`` for one of days a day."""
    column = table.columns.get(name)
    if column is None:
        raise AssertionError(f"{table.name} has no column {name}, only {', '.join(table.columns.keys())}")
    if isinstance(value, Row):
        return value.id_
    if not isinstance(value, str):
        return value
    try:
        wanted = column.type.python_type
    except NotImplementedError:  # how SQLAlchemy says that a column's type has no Python type of its own
        return value
    try:
        return TypeAdapter(wanted).validate_python(value)
    except ValidationError:
        raise AssertionError(f"{table.name}.{name}: {value!r} is no {wanted.__name__}") from None
