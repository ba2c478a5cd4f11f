"""Run by test_killed.py: engines that die by SIGKILL at each statement, commit and request of ``orders.place``.

``killed_child.py <folder> sql`` or ``… <folder> <url of the sales system> <url of the warehouse>``. For each point an
engine that is killed there; then another one on the same folder is asked for each of the attempts, as redials do. A
line for each: whether the first one was killed, the key, and the number that the other one was told.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from datetime import date  # noqa: E402
from decimal import Decimal  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402
from zoneinfo import ZoneInfo  # noqa: E402

import httpx  # noqa: E402, F401 - once, and not in each child
from sqlalchemy import event  # noqa: E402

from engine import log  # noqa: E402
from engine.clock import Clock  # noqa: E402
from engine.hooks.departments import Departments, Done  # noqa: E402
from engine.hooks.loading import load_folder  # noqa: E402
from engine.store import Store, engines  # noqa: E402
from engine.store.upgrades import Upgrades  # noqa: E402

PLUGIN = load_folder(Path(__file__).parents[1])
moves, point = 0, 0


def move(*_: Any) -> None:
    global moves
    moves += 1
    if moves == point:
        os.kill(os.getpid(), signal.SIGKILL)


class Moved:
    """A company system whose every request has a moment before and one behind it."""

    def __init__(self, system: Any) -> None:
        self._system = system

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._system, name)

        def asked(*args: Any, **values: Any) -> Any:
            move()
            answer = found(*args, **values)
            move()
            return answer

        return asked


def open_store(folder: Path, clock: Clock) -> Store:
    store = Store(f"sqlite:///{folder}/il.db", clock, folder)
    store.open()
    return store


def seeded(folder: Path) -> None:
    store = open_store(folder, Clock())

    def fill(session: Any) -> None:
        PLUGIN.department.models.create_all(session.connection())
        PLUGIN.department.sample(session, date(2026, 11, 23))

    store.work(fill, 60.0)
    store.close()


def quote(draft: int) -> dict[str, Any]:
    line = {"article": "10010001", "name": "x", "cases": 2, "price": "35.00", "amount": "70.00"}
    return {
        "draft": draft, "dealer": "44010001", "lines": [line], "cases": 2, "goods": "70.00", "discount": "0",
        "rebate": "0", "total": "70.00", "policy": "", "version": 0, "allowance": "0", "excused": False,
        "approved_by": "",
    }  # fmt: skip


def ask(folder: Path, systems: dict[str, str], *drafts: int) -> None:
    """Place these, and write down the number of each."""
    clock = Clock()
    store = open_store(folder, clock)
    for one in ("OrderSystem", "Warehouse") if systems else ():
        PLUGIN.department.around[one] = Moved
    departments = Departments(
        [PLUGIN.department],
        clock=clock,
        store=store,
        agents=None,  # type: ignore[arg-type]
        timezone=ZoneInfo("Asia/Shanghai"),
        systems=systems,
    )
    assert store._workers is not None
    database = store._workers._connections.engine
    event.listen(database, "before_cursor_execute", move)
    event.listen(database, "commit", move)
    heard = []
    for draft in drafts:
        key = f"order-44010001-{draft}-1-0"
        values = {"quote": quote(draft), "key": key, "confirmed": Decimal("70.00")}
        done = departments.do("orders.place", values, key=f"once:{key}", within=20)
        move()
        assert isinstance(done, Done), done
        heard.append(str(done.value))
    (folder / "heard").write_text("\n".join(heard))


def in_a_child(at: int, function: Callable[..., object], *args: object) -> bool:
    """True when ``function`` came to its end; False when it was killed."""
    global point
    point = at
    child = os.fork()
    if child == 0:
        status = 1
        try:
            function(*args)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    assert os.WEXITSTATUS(status) == 0, "the child failed"
    return True


def main(folder: Path, urls: list[str]) -> None:
    log.set_up("error")
    Upgrades([]).load()  # what each child would import
    systems = (
        dict(zip(("orders.OrderSystem", "orders.Warehouse"), urls, strict=True)) if urls != ["sql"] else {}
    )
    in_a_child(0, seeded, folder)
    engines.DURABLE = False  # what dies here are processes
    ends: list[bool] = []
    while not ends or not ends[-1]:
        ends.append(in_a_child(len(ends) + 1, ask, folder, systems, 1001 + len(ends)))
    drafts = [1001 + at for at in range(len(ends))]
    in_a_child(0, ask, folder, systems, *drafts)  # each dealer calls again
    for finished, draft, number in zip(
        ends, drafts, (folder / "heard").read_text().splitlines(), strict=True
    ):
        print(int(not finished), draft, number)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
