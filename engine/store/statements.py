"""Plain rows and the statements that write them.

A row says what should be true afterwards, so that it can be written twice without harm:
``ADD`` inserts unless the key is there, ``PUT`` inserts or replaces the given columns, ``CHANGE`` replaces
them in a row that is there, ``DROP`` deletes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Executable, MetaData, Table, and_, bindparam, delete, update

from engine.store.columns import Encoded, clean_text, decode, encode, unspool
from engine.store.upserts import insert_for

ADD = "add"
PUT = "put"
CHANGE = "change"
DROP = "drop"

_KEY = "key_of_"  # begins the name of a parameter that finds the row, where the column's own is taken


class Row(NamedTuple):
    """One thing to write. ``values`` holds the key's columns too, and nothing that changes later."""

    verb: str
    table: Table
    values: dict[str, Any]


class Group(NamedTuple):
    """Rows that one statement writes, in their order."""

    statement: Executable
    rows: list[dict[str, Any]]


class Statements:
    """Builds and keeps the statements for one kind of database ("sqlite" or "postgresql")."""

    def __init__(self, dialect: str) -> None:
        self._insert = insert_for(dialect)
        self._made: dict[tuple[str, str, tuple[str, ...]], Executable] = {}

    def groups(self, rows: Iterable[Row]) -> list[Group]:
        """Rows in as few statements as keep each table's own order."""
        groups: list[Group] = []
        latest: dict[str, tuple[tuple[str, str, tuple[str, ...]], Group]] = {}
        for verb, table, values in rows:
            shape = (verb, table.name, tuple(values))
            if verb == CHANGE:
                keys = {column.name for column in table.primary_key.columns}
                values = {_KEY + name if name in keys else name: value for name, value in values.items()}
            last = latest.get(table.name)
            if last is not None and last[0] == shape:
                last[1].rows.append(values)
                continue
            group = Group(self._statement(shape, table), [values])
            latest[table.name] = (shape, group)
            groups.append(group)
        return groups

    def _statement(self, shape: tuple[str, str, tuple[str, ...]], table: Table) -> Executable:
        statement = self._made.get(shape)
        if statement is None:
            statement = self._made[shape] = self._build(shape[0], table, shape[2])
        return statement

    def _build(self, verb: str, table: Table, columns: Sequence[str]) -> Executable:
        keys = [column.name for column in table.primary_key.columns]
        if verb == DROP:
            return delete(table).where(and_(*(table.c[key] == bindparam(key) for key in keys)))
        if verb == CHANGE:
            found = and_(*(table.c[key] == bindparam(_KEY + key) for key in keys))
            return (
                update(table)
                .where(found)
                .values({name: bindparam(name) for name in columns if name not in keys})
            )
        insert = self._insert(table)
        if verb == ADD:
            return insert.on_conflict_do_nothing(index_elements=keys)
        changed = {name: insert.excluded[name] for name in columns if name not in keys}
        if not changed:
            return insert.on_conflict_do_nothing(index_elements=keys)
        return insert.on_conflict_do_update(index_elements=keys, set_=changed)


def to_line(row: Row) -> bytes:
    """``row`` as one JSON line of the spool."""
    line = {"verb": row.verb, "table": row.table.name, "values": row.values}
    try:
        return orjson.dumps(line, default=_spoolable, option=orjson.OPT_PASSTHROUGH_SUBCLASS) + b"\n"
    except TypeError:  # text that is no text, or an integer beyond 64 bit
        line["values"] = cleaned(row).values
        return json.dumps(line, default=_spoolable).encode() + b"\n"


def cleaned(row: Row) -> Row:
    """``row`` with texts as every database takes them, also those within its JSON."""
    return Row(row.verb, row.table, {name: _cleaned(value) for name, value in row.values.items()})


def _cleaned(value: Any) -> Any:
    if isinstance(value, Encoded):
        return encode(_cleaned(decode(value)))
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): _cleaned(item) for key, item in value.items()}
    return value


def from_line(line: bytes, tables: Mapping[str, Table]) -> Row:
    """The row of a spooled line; ValueError (or KeyError for an unknown table or column) when it is none."""
    read = orjson.loads(line)
    table = tables[read["table"]]
    values = {name: unspool(table.c[name].type, value) for name, value in read["values"].items()}
    return Row(read["verb"], table, values)


def tables_of(*metadatas: MetaData) -> dict[str, Table]:
    """All tables by name."""
    return {table.name: table for metadata in metadatas for table in metadata.tables.values()}


def _spoolable(value: object) -> object:
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)
