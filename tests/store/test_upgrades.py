"""The tables: made at once where there are none, never changed without being asked, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    NullPool,
    Table,
    Text,
    create_engine,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from engine.clock import VirtualClock
from engine.errors import StoreDown, StoreError
from engine.store import Store, all_tables, tables
from engine.store.engines import make_engine, read_url
from engine.store.statements import ADD, DROP, PUT, Row, Statements
from engine.store.upgrades import DepartmentTables, Upgrades, differences

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


NEWEST = max(
    path.stem[:9] for path in (Path(tables.__file__).parent / "migrations" / "versions").glob("core_*.py")
)


def sql(url: str, *statements: str) -> list[Any]:
    """What the last statement gives, past everything that the store does."""
    engine = create_engine(url, poolclass=NullPool)
    rows: list[Any] = []
    with engine.begin() as connection:
        for statement in statements:
            done = connection.execute(text(statement))
            rows = list(done) if done.returns_rows else []
    return rows


def names(url: str) -> set[str]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def columns(url: str, table: str) -> set[str]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return {column["name"] for column in inspect(connection).get_columns(table)}


def test_the_migrations_lead_to_the_tables_that_the_code_has(store: Store, url: str) -> None:
    engine = make_engine(read_url(url), write=False)
    with engine.connect() as connection:
        names = tuple(all_tables.metadata.tables)  # as prefixes: all of them at once
        whole = DepartmentTables("core", all_tables.metadata, prefix=names)  # type: ignore[arg-type]
        assert differences(connection, whole) == []
        there = set(inspect(connection).get_table_names())
    assert there == {*all_tables.metadata.tables, "alembic_version"}


def test_the_tables_and_statements_are_also_postgresqls() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in all_tables.metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert " INDEX " in str(CreateIndex(index).compile(dialect=dialect))
    values = {"agent": "8012", "state": "ready"}
    made = Statements("postgresql").groups(
        [
            Row(verb, tables.agent_states, values if verb != DROP else {"agent": "1"})
            for verb in (ADD, PUT, DROP)
        ]
    )
    texts = [str(group.statement.compile(dialect=dialect)) for group in made]  # type: ignore[attr-defined]
    assert "ON CONFLICT (agent) DO NOTHING" in texts[0]
    assert "ON CONFLICT (agent) DO UPDATE SET state = excluded.state" in texts[1]
    assert texts[2].startswith("DELETE FROM agent_states")


def test_an_older_database_is_left_alone_until_the_upgrade_is_asked_for(
    url: str, tmp_path: Path, make_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store()
    store.put_flow_set("abc", b"kept")
    store.close()
    versions = tmp_path / "newer"
    versions.mkdir()
    here = Path(tables.__file__).parent / "migrations"
    (versions / "env.py").write_text((here / "env.py").read_text())
    (versions / "versions").mkdir()
    for file in (here / "versions").glob("*.py"):
        (versions / "versions" / file.name).write_text(file.read_text())
    (versions / "versions" / "core_9999_next.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        "revision = 'core_9999'\n"
        f"down_revision = '{NEWEST}'\n"
        "branch_labels = None\ndepends_on = None\n"
        "def upgrade():\n    op.add_column('cdr', sa.Column('mood', sa.Text(), nullable=True))\n"
        "def downgrade():\n    op.drop_column('cdr', 'mood')\n"
    )
    monkeypatch.setattr("engine.store.upgrades._HERE", versions)
    with pytest.raises(
        StoreError, match=rf"older than this program \(core: {NEWEST} -> core_9999\).*insideline db upgrade"
    ):
        make_store()
    with pytest.raises(StoreError, match="insideline db upgrade"):
        make_store(readonly=True)
    assert "mood" not in columns(url, "cdr")
    closed = Store(url, store._clock, tmp_path)
    assert [str(change) for change in closed.pending_upgrades()] == [f"core: {NEWEST} -> core_9999"]
    assert [str(change) for change in closed.upgrade()] == [f"core: {NEWEST} -> core_9999"]
    assert closed.upgrade() == []
    closed.close()
    assert make_store().get_flow_set("abc") == b"kept"
    monkeypatch.undo()
    with pytest.raises(StoreError, match="newer Insideline"):
        make_store()


def test_what_was_compared_once_is_not_compared_again(
    url: str, tmp_path: Path, make_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start needs no Alembic while neither the migrations nor the database have changed."""
    loaded: list[str] = []
    load = Upgrades.load
    monkeypatch.setattr(Upgrades, "load", lambda self: (loaded.append("Alembic"), load(self))[1])
    first = make_store()
    first.close()
    assert loaded == ["Alembic"]
    again = make_store()
    assert again.run == first.run + 1
    again.close()
    make_store(readonly=True).close()
    assert loaded == ["Alembic"]
    folder = tmp_path / "orders"
    folder.mkdir()
    (folder / "orders_0001.py").write_text(
        "revision = 'orders_0001'\ndown_revision = None\nbranch_labels = ('orders',)\ndepends_on = None\n"
        "def upgrade():\n    pass\ndef downgrade():\n    pass\n"
    )
    orders = DepartmentTables("orders", migrations=folder)
    make_store(departments=[orders]).close()
    make_store(departments=[orders]).close()
    assert loaded == ["Alembic"] * 2
    (folder / "orders_0002.py").write_text(
        "revision = 'orders_0002'\ndown_revision = 'orders_0001'\nbranch_labels = None\ndepends_on = None\n"
        "def upgrade():\n    pass\ndef downgrade():\n    pass\n"
    )
    with pytest.raises(StoreError, match="insideline db upgrade"):
        make_store(departments=[orders])
    sql(url, f"update alembic_version set version_num = 'core_9998' where version_num = '{NEWEST}'")
    with pytest.raises(StoreError, match="newer Insideline"):
        make_store()
    assert len(loaded) == 4


def test_an_upgrade_that_fails_in_its_middle_changes_nothing(
    url: str, tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    make_store().close()
    folder = tmp_path / "orders"
    folder.mkdir()
    (folder / "orders_0001.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        "revision = 'orders_0001'\ndown_revision = None\nbranch_labels = ('orders',)\ndepends_on = None\n"
        "def upgrade():\n"
        "    op.create_table('orders_order', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.execute('INSERT INTO no_such_table VALUES (1)')\n"
        "def downgrade():\n    pass\n"
    )
    with pytest.raises(StoreError, match=r"migration failed, and nothing was changed.*no_such_table"):
        make_store(departments=[DepartmentTables("orders", migrations=folder)])
    assert "orders_order" not in names(url)
    make_store().close()


def test_a_department_with_migrations_is_a_branch_of_its_own(
    url: str, tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    make_store().close()
    folder = tmp_path / "with a space, and 100%"
    folder.mkdir()
    first = (
        "from alembic import op\nimport sqlalchemy as sa\n"
        "revision = 'orders_0001'\ndown_revision = None\nbranch_labels = ('orders',)\ndepends_on = None\n"
        "def upgrade():\n    op.create_table('orders_order', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "def downgrade():\n    op.drop_table('orders_order')\n"
    )
    (folder / "orders_0001.py").write_text(first)
    orders = DepartmentTables("orders", migrations=folder)
    make_store(departments=[orders]).close()  # it has nothing there yet: made at once
    assert "orders_order" in names(url)
    assert {row[0] for row in sql(url, "SELECT version_num FROM alembic_version")} == {
        NEWEST,
        "orders_0001",
    }
    make_store(departments=[]).close()  # the department was taken away: nobody minds
    (folder / "orders_0002.py").write_text(
        first.replace("orders_0001", "orders_0002")
        .replace("down_revision = None", "down_revision = 'orders_0001'")
        .replace("branch_labels = ('orders',)", "branch_labels = None")
        .replace("orders_order", "orders_line")
    )
    with pytest.raises(StoreError, match="orders: orders_0001 -> orders_0002"):
        make_store(departments=[orders])
    store = Store(url, VirtualClock(), tmp_path, departments=[orders])
    assert [str(change) for change in store.upgrade()] == ["orders: orders_0001 -> orders_0002"]
    store.close()
    make_store(departments=[orders])
    assert "orders_line" in names(url)


def test_the_core_can_be_upgraded_while_a_department_is_away(
    url: str, tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    make_store().close()
    sql(url, "INSERT INTO alembic_version VALUES ('orders_0007')")
    folder = tmp_path / "hr"
    folder.mkdir()
    (folder / "hr_0001.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        "revision = 'hr_0001'\ndown_revision = None\nbranch_labels = ('hr',)\ndepends_on = None\n"
        "def upgrade():\n    op.create_table('hr_slip', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "def downgrade():\n    pass\n"
    )
    make_store(departments=[DepartmentTables("hr", migrations=folder)])
    assert {row[0] for row in sql(url, "SELECT version_num FROM alembic_version")} == {
        NEWEST,
        "hr_0001",
        "orders_0007",
    }


def test_migrations_that_can_not_be_read_are_a_plain_error(
    tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    folder = tmp_path / "hr"
    folder.mkdir()
    with pytest.raises(StoreError, match="migrations of hr"):
        make_store(departments=[DepartmentTables("hr", migrations=folder)])
    (folder / "hr_0001.py").write_text("this is no python")
    with pytest.raises(StoreError, match=r"can't be read: .*hr_0001.py, line 1"):
        make_store(departments=[DepartmentTables("hr", migrations=folder)])


# -- a department without migrations ------------------------------------------------------------------


def hr(*columns: Column[Any], more: Callable[[Table], None] | None = None) -> DepartmentTables:
    metadata = MetaData()
    table = Table(
        "hr_request", metadata, Column("id", Integer, primary_key=True), Column("kind", Text), *columns
    )
    if more is not None:
        more(table)
    return DepartmentTables("hr", metadata)


def test_tables_of_a_department_without_migrations_are_made_and_grow_when_asked(
    url: str, tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    first = hr()
    store = make_store(departments=[first])
    assert first.metadata is not None
    store.work(lambda s: s.execute(insert(first.metadata.tables["hr_request"]).values(kind="letter")), 2)
    store.close()
    grown = hr(
        Column("note", Text),
        Column("state", Text, nullable=False, server_default="open"),
        more=lambda table: Index("ix_hr_request_kind", table.c.kind),
    )
    assert grown.metadata is not None
    Table("hr_reply", grown.metadata, Column("id", Integer, primary_key=True))
    with pytest.raises(StoreError, match=r"older than this program \(hr:"):
        make_store(departments=[grown])
    upgrading = Store(url, VirtualClock(), tmp_path, departments=[grown])
    assert [change.owner for change in upgrading.upgrade()] == ["hr"]
    assert upgrading.upgrade() == []
    upgrading.close()
    store = make_store(departments=[grown])
    table = grown.metadata.tables["hr_request"]
    rows = store.read(lambda s: [tuple(row) for row in s.execute(select(table))], 2)
    assert rows == [(1, "letter", None, "open")]
    assert "hr_reply" in names(url)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (hr(Column("due", Integer, nullable=False)), "hr_request.due is new, not null"),
        (DepartmentTables("hr", MetaData()), "differ from the code"),
    ],
)
def test_a_change_that_could_lose_something_needs_a_migration(
    url: str, tmp_path: Path, make_store: Callable[..., Store], changed: DepartmentTables, why: str
) -> None:
    make_store(departments=[hr()]).close()
    store = Store(url, VirtualClock(), tmp_path, departments=[changed])
    with pytest.raises(StoreError, match=why):
        store.upgrade()
    store.close()
    assert "due" not in columns(url, "hr_request")


def test_another_type_of_a_column_needs_a_migration_too(
    url: str, tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    make_store(departments=[hr(Column("due", Integer))]).close()
    store = Store(url, VirtualClock(), tmp_path, departments=[hr(Column("due", Text))])
    with pytest.raises(StoreError, match="needs a migration in plugins/hr/migrations"):
        store.upgrade()
    store.close()


def test_a_department_may_not_name_a_table_as_if_it_were_anothers(
    url: str, clock: VirtualClock, tmp_path: Path
) -> None:
    metadata = MetaData()
    Table("orders_order", metadata, Column("id", Integer, primary_key=True))
    with pytest.raises(StoreError, match="must be named hr_"):
        Store(url, clock, tmp_path, departments=[DepartmentTables("hr", metadata)])


# -- databases that are not ours ------------------------------------------------------------------------


def test_a_database_of_another_program_is_not_touched(
    url: str, tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    sql(url, "CREATE TABLE wiki (page TEXT)")
    with pytest.raises(StoreError, match="not Insideline's"):
        make_store()
    assert names(url) == {"wiki"}


@pytest.mark.sqlite
def test_a_file_that_is_no_database_is_a_plain_error(
    tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    (tmp_path / "il.db").write_bytes(b"this is not a database at all, but it is long enough to look at" * 20)
    with pytest.raises(StoreDown, match="not a database") as error:
        make_store()
    assert "\n" not in str(error.value)


@pytest.mark.sqlite
def test_a_command_that_only_reads_does_not_make_a_database(
    tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    with pytest.raises(StoreError, match="there is no database"):
        make_store(readonly=True)
    assert not (tmp_path / "il.db").exists()
    create_engine(f"sqlite:///{tmp_path}/il.db").connect().close()
    (tmp_path / "il.db").touch()
    with pytest.raises(StoreError, match="is empty"):
        make_store(readonly=True)


def test_a_database_server_that_is_not_there_is_a_plain_error(clock: VirtualClock, tmp_path: Path) -> None:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        with pytest.raises(StoreError, match="driver for postgresql is not installed"):
            Store("postgresql://x@127.0.0.1:1/x", clock, tmp_path).open()
    else:
        with pytest.raises(StoreDown, match="can't be used"):
            Store("postgresql://x@127.0.0.1:1/x", clock, tmp_path).open()
