"""Rows of the departments' tables, and numbers that lead to a flow, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, select, text
from sqlalchemy.orm import Session

from engine.app import Installation
from engine.flows.dialplan import Dialplan
from engine.flows.dialplan_file import Rule
from engine.flows.numbers import Numbers
from engine.hooks.department import Department


class Row(dict[str, Any]):
    """A row: its columns are keys, and attributes too (``row.total``)."""

    #: The value of its primary key, where that is one column.
    id_: Any = None

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the row has no {name}, only {', '.join(self)}") from None


def table_name(name: str) -> str:
    """``orders.order`` and ``orders_order`` are the same table."""
    return name.replace(".", "_", 1)


def table_of(departments: Iterable[Department], name: str) -> Table | None:
    """The table as a department declares it; None for one of the engine's own."""
    for department in departments:
        if department.models is not None and name in department.models.tables:
            return department.models.tables[name]
    return None


def read_rows(session: Session, name: str, table: Table | None) -> list[Row]:
    """All rows; of a department's tables with the types that its models say."""
    found = session.execute(text(f'select * from "{name}"') if table is None else select(table))
    return [row_of(dict(one), table) for one in found.mappings().all()]


def row_of(values: dict[str, Any], table: Table | None) -> Row:
    """``values`` as a row that knows its primary key."""
    row = Row(values)
    if table is not None and len(table.primary_key.columns) == 1:
        row.id_ = values.get(next(iter(table.primary_key.columns)).name)
    return row


def fits(row: Row, where: dict[str, Any]) -> bool:
    """Do its columns have these values? A row stands for its primary key."""
    return all(row[key] == (value.id_ if isinstance(value, Row) else value) for key, value in where.items())


def with_number(installation: Installation, number: str, flow: str) -> Dialplan:
    """The installation's dialplan with a rule in front: ``number`` leads to ``flow``."""
    old = installation.dialplan
    assert old is not None
    assert installation.flows is not None
    if flow not in installation.flows:
        raise AssertionError(f"there is no flow {flow}")
    rule = Rule.model_validate({"to": number, "flow": flow})
    file = old._file.model_copy(update={"numbers": [rule, *old._file.numbers]})
    file._document = old._file.document
    made = Dialplan(
        file,
        numbers=Numbers(installation.settings.region),
        calendars=installation.calendars,
        flows=installation.flows.flows,
    )
    installation.dialplan = made
    return made
