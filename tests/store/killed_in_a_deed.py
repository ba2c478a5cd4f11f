"""Run by test_deeds.py: kills an engine with SIGKILL before its first, second, … move within a deed.

A move is a statement, a commit, or handing the result over. Each child is forked before there is any
thread, dies, and the next one opens the same database and asks again with the same key, as a redial does.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

from sqlalchemy import Column, Integer, MetaData, Table, Text, event, insert, select  # noqa: E402

from engine.clock import Clock  # noqa: E402
from engine.store import Store  # noqa: E402
from engine.store.upgrades import DepartmentTables  # noqa: E402

metadata = MetaData()
orders = Table("orders_order", metadata, Column("id", Integer, primary_key=True), Column("dealer", Text))


def open_store(folder: Path) -> Store:
    store = Store(
        f"sqlite:///{folder}/il.db", Clock(), folder, departments=[DepartmentTables("orders", metadata)]
    )
    store.open()
    return store


def place(session) -> int:  # type: ignore[no-untyped-def]
    return session.execute(insert(orders).values(dealer="44010001").returning(orders.c.id)).scalar_one()


def in_a_child(function: Callable[[], None]) -> bool:
    """True when ``function`` came to its end; False when it was killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            function()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    assert os.WEXITSTATUS(status) == 0, "the child failed"
    return True


def main(folder: Path) -> None:
    in_a_child(lambda: open_store(folder).close() or None)  # the tables are there

    def deed_killed_at(point: int, key: str) -> None:
        store = open_store(folder)
        assert store._workers is not None
        engine = store._workers._connections.engine
        moves = 0

        def move(*_: object) -> None:
            nonlocal moves
            moves += 1
            if moves == point:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(engine, "before_cursor_execute", move)
        event.listen(engine, "commit", move)
        number = store.deed(key, "orders", place, 5)
        move()
        (folder / "heard").write_text(str(number))

    def redial(point: int, key: str) -> None:
        store = open_store(folder)
        known = store.deed_result(key)
        rows = store.read(lambda s: list(s.execute(select(orders.c.id)).scalars()), 5)
        assert len(rows) == before + (known is not None), "the key and the order are not true together"
        number = store.deed(key, "orders", place, 5)
        rows = store.read(lambda s: list(s.execute(select(orders.c.id)).scalars()), 5)
        assert len(rows) == before + 1, f"killed at {point}: {len(rows) - before} orders"
        assert number == rows[-1]
        assert known is None or known.result == number
        store.close()

    before = 0
    point = 0
    while True:
        point += 1
        key = f"c{point}:place:1"
        finished = in_a_child(lambda point=point, key=key: deed_killed_at(point, key))
        in_a_child(lambda point=point, key=key: redial(point, key))
        before += 1
        if finished:
            break
    print(f"points: {point - 1}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
