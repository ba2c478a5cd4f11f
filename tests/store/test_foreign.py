"""A company's own database behind a department: other names of tables and columns, and commands through the outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, NullPool, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from engine.api import Adapter, Context, Department, command, query
from engine.clock import VirtualClock
from engine.errors import DepartmentFailed, PluginError
from engine.hooks.departments import Departments, Done
from engine.hooks.systems import DATABASE, System
from engine.store import Store


class Base(DeclarativeBase):
    pass


class Article(Base):
    __tablename__ = "stock_articles"

    code: Mapped[str] = mapped_column(primary_key=True)
    left: Mapped[int]


class Stock(Protocol):
    def left(self, code: str) -> int | None: ...
    def take(self, code: str, *, key: str) -> int: ...


class SqlStock:
    def __init__(self, session: Session) -> None:
        self.session = session

    def left(self, code: str) -> int | None:
        return self.session.scalar(select(Article.left).where(Article.code == code))

    def take(self, code: str, *, key: str) -> int:
        """The company's table has a column for our key, unique: that makes it once."""
        known = self.session.execute(
            text('SELECT "NR" FROM "TAKEN" WHERE "KEY" = :key'), {"key": key}
        ).scalar()
        if known is None:
            known = self.session.execute(text('SELECT count(*) + 1 FROM "TAKEN"')).scalar()
            self.session.execute(text('INSERT INTO "TAKEN" VALUES (:nr, :key)'), {"nr": known, "key": key})
        return int(known)


@pytest.fixture
def company(database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """The company's database, with its own names."""
    url = database_url.replace("il.db", "company.db")
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in (
            'CREATE TABLE "T_ART" ("ART_NO" TEXT, "QTY" INTEGER)',
            "INSERT INTO \"T_ART\" VALUES ('1001', 7)",
            'CREATE TABLE "TAKEN" ("NR" INTEGER, "KEY" TEXT UNIQUE)',
        ):
            connection.execute(text(statement))
    yield engine
    engine.dispose()


@pytest.fixture
def at_work(company: Engine, clock: VirtualClock, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    department = Department("stock", adapters=[Adapter(Stock, sql=SqlStock)])

    @query(department)
    def left(ctx: Context, code: str) -> int | None:
        return ctx.adapter(Stock).left(code)

    @command(department)
    def take(ctx: Context, code: str) -> int:
        return ctx.adapter(Stock).take(code, key=ctx.key)

    @query(department)
    def session(ctx: Context) -> int:
        return int(bool(ctx.session))

    store = Store(f"sqlite:///{tmp_path}/own.db", clock, tmp_path)
    store.open()
    made: list[Departments] = []

    def make(url: str = "", **more: Any) -> Departments:
        where = url or company.url.render_as_string(hide_password=False)
        tables = {"stock_articles": ("T_ART", {"code": "ART_NO", "left": "QTY"})}
        made.append(
            Departments(
                [department],
                clock=clock,
                store=store,
                agents=SimpleNamespace(),  # type: ignore[arg-type]
                timezone=ZoneInfo("Asia/Shanghai"),
                systems={"stock.Stock": System(DATABASE, where, tables=tables)},
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.stop()
    store.close()


def test_a_query_reads_the_companys_table_by_the_names_that_the_department_knows(
    at_work: Callable[..., Departments],
) -> None:
    departments = at_work()
    assert departments.ask("stock.left", {"code": "1001"}, within=5) == 7
    assert departments.ask("stock.left", {"code": "9"}, within=5) is None


def test_a_command_is_done_once_for_its_key(at_work: Callable[..., Departments], company: Engine) -> None:
    departments = at_work()
    done = [departments.do("stock.take", {"code": "1001"}, key="k", within=5) for _ in range(2)]
    assert done == [Done(1), Done(1)]
    with company.connect() as connection:
        assert connection.execute(text('SELECT count(*) FROM "TAKEN"')).scalar() == 1
    assert departments.outbox.rows() == []


def test_somebody_elses_transaction_is_not_the_engines(at_work: Callable[..., Departments]) -> None:
    with pytest.raises(DepartmentFailed):
        at_work().ask("stock.session", {}, within=5)


def test_a_database_that_is_not_there_fails_the_step(
    at_work: Callable[..., Departments], tmp_path: Path
) -> None:
    departments = at_work(f"sqlite:///{tmp_path}/no/such/folder/x.db")
    with pytest.raises(DepartmentFailed):
        departments.ask("stock.left", {"code": "1001"}, within=5)


def test_an_address_that_is_none_is_refused_at_the_start(at_work: Callable[..., Departments]) -> None:
    with pytest.raises(PluginError, match="no URL"):
        at_work("nonsense")
