"""The writer: rows in order, once, whatever the database and the disk do meanwhile (faults 12 and 13)."""

from __future__ import annotations

import errno
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gevent.monkey import get_original
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from engine.clock import Clock, VirtualClock
from engine.errors import StoreDown
from engine.store import Store, all_tables, queries, tables
from engine.store.rows import AgentRow, Cdr
from engine.store.spool import Spool
from engine.store.statements import ADD, PUT, Row, tables_of
from engine.store.writer import Writer
from engine.types import JournalEntry

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
native_sleep: Callable[[float], None] = get_original("time", "sleep")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked database counts as locked at once: the threads wait in real time."""
    monkeypatch.setattr("engine.store.engines.BUSY_SECONDS", 0.02)


def tell(store: Store, *numbers: int) -> None:
    for number in numbers:
        store.journal(JournalEntry(at=NOON, kind=str(number), call="c"))


def told(store: Store) -> list[int]:
    return [int(item.kind) for item in store.read(lambda s: queries.journal(s, call="c", limit=100_000), 5)]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another program on the same database."""
    connection = sqlite3.connect(tmp_path / "il.db", isolation_level=None)
    yield connection
    connection.close()


# -- while all is well ----------------------------------------------------------------------------


def test_rows_are_safe_a_moment_later_without_anybody_asking(store: Store, clock: VirtualClock) -> None:
    tell(store, 1)
    assert told(store) == []
    clock.sleep(0.06)
    assert told(store) == [1]


def test_rows_of_one_moment_are_one_transaction(store: Store) -> None:
    commits = []
    assert store._writer_connections is not None
    event.listen(store._writer_connections.engine, "commit", commits.append)
    tell(store, *range(500))
    store.cdr(Cdr(call="c", arrived=NOON, ended=NOON))
    assert store.flush()
    assert len(commits) == 1
    assert told(store) == list(range(500))


def test_closing_writes_what_is_left(make_store: Callable[..., Store]) -> None:
    store = make_store()
    tell(store, *range(2500))
    assert store.close()
    assert told(make_store()) == list(range(2500))


def test_changes_of_one_row_stay_in_their_order_also_when_they_name_other_columns(store: Store) -> None:
    table = tables.agent_states
    store.save(table, "8012", {"state": "ready", "since": NOON, "reason": "a"})
    store.save(table, "8012", {"state": "paused", "since": NOON})
    store.save(table, "8012", {"state": "ready", "since": NOON, "reason": "b"})
    store.remove(table, "8013")
    store.save(table, "8013", {"state": "ready", "since": NOON})
    store.save(table, "8014", {"state": "ready", "since": NOON})
    store.remove(table, "8014")
    store.change(table, "8013", {"reason": "c"})
    store.change(table, "nobody", {"reason": "c"})
    assert [(row.agent, row.state, row.reason) for row in store.load_agents()] == [
        ("8012", "ready", "b"),
        ("8013", "ready", "c"),
    ]


def test_a_row_that_the_database_will_never_take_stops_no_other(
    store: Store, tmp_path: Path, alarms: Any
) -> None:
    tell(store, 1)
    store.save(tables.agent_states, "8012", {"reason": "no state at all"})
    tell(store, 2)
    assert store._writer is not None
    store._writer.put(Row(PUT, tables.agent_states, {"agent": "8013", "no_such_column": 1}))
    tell(store, 3)
    assert store.flush()
    assert told(store) == [1, 2, 3]
    refused = (tmp_path / "spool" / "refused.jsonl").read_text().splitlines()
    assert len(refused) == 2
    assert "8012" in refused[0]
    assert alarms.names == [("store.rows_refused", True)]
    assert store.health().refused == 2
    assert not store.health().spooling


def test_a_column_that_does_not_exist_is_the_callers_mistake_at_once(store: Store) -> None:
    with pytest.raises(ValueError, match="no column colour"):
        store.save(tables.agent_states, "8013", {"colour": 1})


def test_text_that_is_no_text_is_stored_as_near_as_can_be(store: Store) -> None:
    store.cdr(
        Cdr(call="c", arrived=NOON, ended=NOON, number="a\ud800b", data={"x\udfff": "y\ud800", "big": 2**80})
    )
    assert store.flush()
    (cdr,) = store.read(queries.cdrs, 2)
    assert cdr.number == "a?b"
    assert cdr.data["x?"] == "y?"


# -- the database is away ---------------------------------------------------------------------------


def test_a_locked_database_loses_nothing_and_its_rows_come_in_order(
    store: Store, clock: VirtualClock, other: sqlite3.Connection, alarms: Any, tmp_path: Path
) -> None:
    tell(store, 0)
    store.flush()
    other.execute("BEGIN IMMEDIATE")
    for minute in range(6):
        tell(store, *range(minute * 10 + 1, minute * 10 + 11))
        store.save_agent(AgentRow("8012", f"state {minute}", NOON))
        assert store.flush()  # safe, though not in the database
        clock.sleep(10)
    assert told(store) == [0]
    health = store.health()
    assert health.spooling
    assert health.spooled > 1000
    assert "locked" in health.reason
    assert alarms.names == [("store.down", True)]
    other.execute("COMMIT")
    tell(store, 61)
    assert store.caught_up(60)
    assert told(store) == list(range(62))
    assert [row.state for row in store.load_agents()] == ["state 5"]
    assert alarms.names == [("store.down", True), ("store.down", False)]
    assert store.health().spooled == 0
    assert not list((tmp_path / "spool").rglob("*.jsonl"))


@pytest.mark.parametrize("pragma", ["max_page_count=1", "query_only=ON"], ids=["disk full", "read-only"])
def test_a_full_or_read_only_disk_loses_nothing_either(
    store: Store, clock: VirtualClock, alarms: Any, pragma: str
) -> None:
    tell(store, 0)
    store.flush()
    assert store._writer_connections is not None
    engine = store._writer_connections.engine

    def hinder(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", hinder)
    store._writer_connections.close()
    numbers = range(1, 300)  # more than the pages that there are hold
    for number in numbers:
        store.journal(JournalEntry(at=NOON, kind=str(number), call="c", data={"long": "x" * 500}))
    assert store.flush()
    clock.sleep(60)
    assert store.health().spooling
    assert alarms.names == [("store.down", True)]
    event.remove(engine, "connect", hinder)
    assert store.caught_up(60)
    assert told(store) == [0, *numbers]


def test_what_was_spooled_when_the_engine_ended_is_there_when_the_next_one_opens(
    make_store: Callable[..., Store], clock: VirtualClock, other: sqlite3.Connection
) -> None:
    store = make_store()
    other.execute("BEGIN IMMEDIATE")
    tell(store, 1, 2, 3)
    store.save_call_state("c1", {"step": 1})
    store.flush()
    assert store.close()
    other.execute("COMMIT")
    again = make_store()
    assert told(again) == [1, 2, 3]
    assert again.load_call_state("c1") == {"step": 1}


def test_rows_of_a_department_that_was_removed_meanwhile_are_set_aside(
    make_store: Callable[..., Store], tmp_path: Path, other: sqlite3.Connection
) -> None:
    from sqlalchemy import Column, MetaData, Table, Text

    from engine.store.upgrades import DepartmentTables

    metadata = MetaData()
    orders = Table("orders_note", metadata, Column("id", Text, primary_key=True), Column("text", Text))
    store = make_store(departments=[DepartmentTables("orders", metadata)])
    other.execute("BEGIN IMMEDIATE")
    store.save(orders, "1", {"text": "x"})
    tell(store, 1)
    store.close()
    other.execute("COMMIT")
    again = make_store()
    assert told(again) == [1]
    assert "orders_note" in (tmp_path / "spool" / "refused.jsonl").read_text()


def test_the_hub_goes_on_while_the_database_is_locked(
    make_store: Callable[..., Store], other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.engines.BUSY_SECONDS", 0.3)
    clock = Clock()
    store = make_store(at=clock)
    other.execute("BEGIN IMMEDIATE")
    tell(store, 1)
    turns = 0
    while not store.health().spooling:
        clock.sleep(0.005)
        turns += 1
    assert turns > 10
    other.execute("COMMIT")
    assert store.caught_up(10)
    assert told(store) == [1]


# -- a database made of faults ----------------------------------------------------------------------


class Flaky:
    """A database that keeps rows by id, as ours does, and fails as it is told."""

    def __init__(self, faults: Callable[[], str]) -> None:
        self.order: list[int] = []
        self._faults = faults

    def write(self, rows: Sequence[Row]) -> list[tuple[Row, str]]:
        fault = self._faults()
        if fault == "slow":
            native_sleep(0.3)
        if fault == "refuses":
            raise StoreDown("away")
        for row in rows:
            if row.values["id"] not in self.order:
                self.order.append(row.values["id"])
        if fault == "lost in the commit":
            raise StoreDown("connection lost, and the rows are there")
        return []


def writer_of(clock: Clock, database: Flaky, folder: Path, **options: Any) -> tuple[Writer, Spool]:
    spool = Spool(folder / "spool", 1, tables_of(all_tables.metadata), segment_bytes=200, reserve_bytes=0)
    spool.open()
    return Writer(clock, database, spool, **options), spool  # type: ignore[arg-type]


def row(number: int) -> Row:
    return Row(ADD, tables.journal, {"id": number, "at": NOON, "kind": "x"})


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.2, 0.6, 0.9]))
def test_whatever_fails_and_whenever_every_row_comes_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, seed: int, misery: float
) -> None:
    chance = random.Random(seed)
    clock = VirtualClock()
    calm = False

    def faults() -> str:
        if calm or chance.random() > misery:
            return ""
        return chance.choice(["refuses", "lost in the commit"])

    database = Flaky(faults)
    writer, spool = writer_of(clock, database, tmp_path_factory.mktemp("s"), batch=7)
    number = 0
    for _ in range(12):
        for _ in range(chance.randrange(20)):
            writer.put(row(number))
            number += 1
        clock.sleep(chance.choice([0.0, 0.01, 0.06, 3.0]))
    calm = True
    assert writer.flush(100)
    assert writer.catch_up(100)
    assert database.order == list(range(number))
    assert spool.empty
    assert writer.close(5)
    clock.close()


def test_a_database_that_does_not_answer_is_left_after_a_while_and_its_late_commit_does_no_harm(
    tmp_path: Path,
) -> None:
    clock = Clock()
    answers = iter(["slow"])
    database = Flaky(lambda: next(answers, ""))
    writer, spool = writer_of(clock, database, tmp_path, patience=0.05, retry=(0.01, 0.05))
    writer.put(row(1))
    assert writer.flush(2)
    assert writer.health().spooling
    writer.put(row(2))
    assert writer.catch_up(5)
    assert database.order == [1, 2]
    assert spool.empty
    assert writer.close(2)


def test_when_neither_database_nor_disk_take_rows_memory_holds_them_up_to_a_bound(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, alarms: Any
) -> None:
    down = True
    database = Flaky(lambda: "refuses" if down else "")
    writer, spool = writer_of(clock, database, tmp_path, most=10, alarm=alarms)

    def full(_rows: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    append = spool.append
    monkeypatch.setattr(spool, "append", full)
    for number in range(5):
        writer.put(row(number))
    assert not writer.flush(20)
    for number in range(5, 25):
        writer.put(row(number))
    health = writer.health()
    assert health.waiting == 10
    assert health.lost == 10
    assert alarms.names == [("store.down", True), ("store.spool_failed", True), ("store.rows_lost", True)]
    monkeypatch.setattr(spool, "append", append)
    down = False
    assert writer.flush(100)
    assert writer.catch_up(100)
    assert database.order == list(range(15))
    assert ("store.spool_failed", False) in alarms.names
    assert writer.close(2)


def test_closing_while_nothing_can_be_written_ends_and_says_so(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, spool = writer_of(clock, Flaky(lambda: "refuses"), tmp_path)

    def full(_rows: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spool, "append", full)
    writer.put(row(1))
    assert not writer.close(2)


def test_an_error_that_nobody_thought_of_does_not_stop_the_writer(
    tmp_path: Path, clock: VirtualClock
) -> None:
    class Strange(Flaky):
        def write(self, rows: Sequence[Row]) -> list[tuple[Row, str]]:
            if self._faults():
                raise LookupError("a bug")
            return super().write(rows)

    answers = iter(["bug"])
    database = Strange(lambda: next(answers, ""))
    writer, _ = writer_of(clock, database, tmp_path)
    writer.put(row(1))
    assert writer.flush(5)
    writer.put(row(2))
    assert writer.catch_up(60)
    assert database.order == [1, 2]
    assert writer.close(2)


def test_a_replay_that_is_repeated_changes_nothing(store: Store) -> None:
    from engine.store.engines import Connections, make_engine
    from engine.store.writer import Database

    connections = Connections(make_engine(store.url, write=True))
    database = Database(connections)
    rows = [row(n) for n in range(5)]
    assert database.write(rows) == []
    assert database.write(rows) == []
    assert store.read(lambda s: len(s.execute(select(tables.journal)).all()), 2) == 5
    connections.close()
