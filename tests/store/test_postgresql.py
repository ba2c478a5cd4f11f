"""What is PostgreSQL's own about the store on it. What is the same on both stands beside this file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import gevent
import pytest
from gevent.monkey import get_original
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    NullPool,
    Table,
    Text,
    create_engine,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import StoreDown, StoreError, StoreTimeout
from engine.store import Store, all_tables, queries
from engine.store.engines import make_engine
from engine.store.rows import AgentRow, Cdr
from engine.store.upgrades import DepartmentTables, differences
from engine.testing.postgresql import PostgreSQL
from engine.types import JournalEntry

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
native_sleep: Callable[[float], None] = get_original("time", "sleep")
metadata = MetaData()
orders = Table("orders_order", metadata, Column("id", Integer, primary_key=True), Column("dealer", Text))

pytestmark = pytest.mark.postgresql


@pytest.fixture
def url(postgresql_url: str) -> str:
    return postgresql_url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(make_store: Callable[..., Store]) -> Store:
    return make_store(departments=[DepartmentTables("orders", metadata)])


def place(session: Session) -> Any:
    return session.execute(insert(orders).values(dealer="44010001").returning(orders.c.id)).scalar_one()


def placed(store: Store) -> Any:
    return store.read(lambda s: s.execute(select(func.count()).select_from(orders)).scalar_one(), 2)


def test_the_migrations_lead_to_the_tables_that_the_code_has(shop: Store) -> None:
    engine = make_engine(shop.url, write=False)
    with engine.connect() as connection:
        for table in all_tables.metadata.tables.values():
            whole = DepartmentTables("core", all_tables.metadata, prefix=table.name)
            assert [line for line in differences(connection, whole) if f"'{table.name}'" in line] == []
        there = set(inspect(connection).get_table_names())
    assert there == {*all_tables.metadata.tables, "alembic_version", "orders_order"}


def test_what_goes_in_comes_out(shop: Store) -> None:
    shop.journal(JournalEntry(at=NOON, kind="a", call="c", data={"nul": "a\x00b", "city": "成都"}))
    shop.journal(JournalEntry(at=NOON, kind="b", call="c"))
    shop.cdr(Cdr(call="c", arrived=NOON, ended=NOON + timedelta(seconds=9), number="\ud800x"))
    shop.save_agent(AgentRow("8012", "ready", NOON, data={"n": 1}))
    shop.save_agent(AgentRow("8012", "paused", NOON))
    shop.put_flow_set("abc", b"\x00\xff")
    shop.save_call_state("c", {"lines": [1]})
    assert shop.flush()
    assert [item.data for item in shop.read(lambda s: queries.journal(s, call="c"), 2)] == [
        {"nul": "ab", "city": "成都"},
        {},
    ]
    (cdr,) = shop.read(queries.cdrs, 2)
    assert (cdr.arrived, cdr.number) == (NOON, "?x")
    assert [row.state for row in shop.load_agents()] == ["paused"]
    assert shop.get_flow_set("abc") == b"\x00\xff"
    assert shop.load_call_state("c") == {"lines": [1]}
    day = shop.read(lambda s: queries.day(s, NOON, NOON + timedelta(days=1)), 2)
    assert (day.calls, day.busiest) == (1, 1)


def test_two_engines_cause_one_deed(make_store: Callable[..., Store], shop: Store, clock: Clock) -> None:
    other = make_store(departments=[DepartmentTables("orders", metadata)])
    assert other.run != shop.run

    def slowly(session: Session) -> Any:
        native_sleep(0.02)
        return place(session)

    asked = [
        clock.spawn(store.deed, "once", "orders", slowly, 20) for store in (shop, other) for _ in range(6)
    ]
    gevent.joinall(asked, raise_error=True)
    assert {job.value for job in asked} == {1}
    assert placed(shop) == 1


def test_the_second_deed_goes_on_when_the_first_one_failed(shop: Store, clock: Clock) -> None:
    def breaks(session: Session) -> Any:
        place(session)
        native_sleep(0.1)
        raise LookupError

    first = clock.spawn(shop.deed, "k", "orders", breaks, 20)
    clock.sleep(0.03)
    assert shop.deed("k", "orders", place, 20) > 1
    with pytest.raises(LookupError):
        first.get()
    assert placed(shop) == 1


def test_a_statement_beyond_its_limit_is_cancelled(shop: Store, clock: Clock) -> None:
    with pytest.raises(StoreTimeout):
        shop.work(lambda s: (place(s), s.execute(text("SELECT pg_sleep(60)"))), 0.2)
    end = clock.monotonic() + 5
    while shop.health().stuck:
        assert clock.monotonic() < end
        clock.sleep(0.01)
    assert placed(shop) == 0


def test_a_reader_can_not_write(shop: Store) -> None:
    with pytest.raises(StoreError, match="tried to write"):
        shop.read(place, 2)


def test_lost_connections_lose_no_row(shop: Store, url: str, postgresql: PostgreSQL) -> None:
    shop.journal(JournalEntry(at=NOON, kind="0", call="c"))
    shop.flush()
    postgresql.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name",
        name=make_url(url).database,
    )
    for number in range(1, 5):
        shop.journal(JournalEntry(at=NOON, kind=str(number), call="c"))
        assert shop.flush()
    assert shop.caught_up(20)
    assert [item.kind for item in shop.read(lambda s: queries.journal(s, call="c"), 2)] == list("01234")


def test_the_hub_goes_on_while_a_statement_takes_its_time(shop: Store, clock: Clock) -> None:
    """In a thread of the store, and (for who asks the server from a greenlet) on the hub itself."""

    def slow(_greenlet: Any = None) -> None:
        shop.read(lambda session: session.execute(text("SELECT pg_sleep(0.3)")), 5)

    def slow_on_the_hub() -> None:
        with create_engine(shop.url, poolclass=NullPool).connect() as connection:
            connection.execute(text("SELECT pg_sleep(0.3)"))

    for work in (slow, slow_on_the_hub):
        waiting = clock.spawn(work)
        turns = 0
        while not waiting.ready():
            clock.sleep(0.005)
            turns += 1
        waiting.get()
        assert turns > 10


def test_no_lock_of_gevents_guards_a_connection(shop: Store) -> None:
    native = get_original("_thread", "allocate_lock")
    locks = shop.read(lambda s: type(s.connection().connection.dbapi_connection.lock), 2)  # type: ignore[union-attr]
    assert locks is type(native())


def test_a_server_that_was_killed_and_came_back_has_every_row_once(
    shop: Store, clock: Clock, postgresql: PostgreSQL
) -> None:
    if not postgresql.ours:
        pytest.skip("the server is not ours to kill")
    shop.journal(JournalEntry(at=NOON, kind="0", call="c"))
    assert shop.flush()
    postgresql.kill()
    try:
        for number in range(1, 4):
            shop.journal(JournalEntry(at=NOON, kind=str(number), call="c"))
            assert shop.flush()  # safe: in the spool
        assert shop.health().spooling
        with pytest.raises(StoreDown):
            shop.read(placed, 2)
    finally:
        postgresql.start_again()
    shop.journal(JournalEntry(at=NOON, kind="4", call="c"))
    assert shop.caught_up(20)
    assert [item.kind for item in shop.read(lambda s: queries.journal(s, call="c"), 2)] == list("01234")
    assert shop.deed("k", "orders", place, 5)
