"""kill -9 of a real process at each statement, commit and request of ``orders.place``: one order, one number, and its
stock reserved once. Over the desk's own tables, and at a remote sales system and warehouse."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from gevent import subprocess
from sqlalchemy import NullPool, create_engine, func, select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.hooks.loading import load_folder
from engine.testing.twin import Twin

PLUGIN = load_folder(Path(__file__).parents[1])
MODELS: Any = sys.modules["insideline_plugins.orders.models"]
STOCK: Any = sys.modules["insideline_plugins.orders.stock"]
SQL: Any = sys.modules["insideline_plugins.orders.sql"]


def killed(folder: Path, *words: str) -> list[list[str]]:
    """The lines that the child printed: killed, draft, number."""
    program = Path(__file__).with_name("killed_child.py")
    done = subprocess.run(
        [sys.executable, str(program), str(folder), *words],
        capture_output=True,
        timeout=400,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return [line.split() for line in done.stdout.decode().splitlines()]


def all_once(engine: Any, points: list[list[str]]) -> None:
    assert sum(was == "1" for was, _, _ in points) >= 10
    with Session(engine) as session:
        for at, (_, draft, number) in enumerate(points, 1):
            found = session.scalars(select(MODELS.Order.number).where(MODELS.Order.draft == int(draft))).all()
            assert found == [number], f"killed at {at}"
        reserved = session.scalar(select(MODELS.Article.reserved).where(MODELS.Article.code == "10010001"))
        assert reserved == 2 * len(points)
        states = session.execute(
            select(MODELS.Reservation.state, func.count()).group_by(MODELS.Reservation.state)
        ).all()
        assert [tuple(one) for one in states] == [("confirmed", len(points))]


def test_killed_at_any_moment_over_its_own_tables_it_has_placed_one_order(tmp_path: Path) -> None:
    points = killed(tmp_path, "sql")
    engine = create_engine(f"sqlite:///{tmp_path}/il.db", poolclass=NullPool)
    all_once(engine, points)
    engine.dispose()


def test_killed_at_any_moment_at_a_remote_it_has_placed_one_order(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/remote.db", poolclass=NullPool)
    PLUGIN.department.models.create_all(engine)
    with Session(engine) as session:
        PLUGIN.department.sample(session, date(2026, 11, 23))
        session.commit()

    def opened(made: Callable[[Session], Any]) -> Callable[[], Any]:
        @contextmanager
        def one() -> Iterator[Any]:
            with Session(engine) as session:
                yield made(session)
                session.commit()

        return one

    sales = Twin(PLUGIN.OrderSystem, opened(SQL.SqlOrders), Clock())
    warehouse = Twin(PLUGIN.Warehouse, opened(STOCK.SqlWarehouse), Clock())
    try:
        all_once(engine, killed(tmp_path, sales.url, warehouse.url))
    finally:
        sales.close()
        warehouse.close()
        engine.dispose()
