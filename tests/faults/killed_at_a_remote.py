"""Run by test_once_killed.py: engines that die by SIGKILL at each statement, commit and request of a command.

``killed_at_a_remote.py <folder> <url>``: for each point an engine that is killed there, and another one on the same
folder that is asked for the same key, as a redial does. Each is forked before there is any thread. Prints a line for
each point: whether the first one was killed, the key, and the number that the second one was told.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, Protocol  # noqa: E402
from zoneinfo import ZoneInfo  # noqa: E402

import httpx  # noqa: E402, F401 - once, and not in each child
from sqlalchemy import event  # noqa: E402

from engine import log  # noqa: E402
from engine.api import Adapter, Context, Department, HttpClient, command  # noqa: E402
from engine.clock import Clock  # noqa: E402
from engine.hooks.departments import Departments, Done  # noqa: E402
from engine.store import Store  # noqa: E402
from engine.store.upgrades import Upgrades  # noqa: E402


class Orders(Protocol):
    def place(self, draft: str, *, key: str) -> int: ...


class HttpOrders:
    def __init__(self, client: HttpClient) -> None:
        self.client = client

    def place(self, draft: str, *, key: str) -> int:
        move()
        number = self.client.do("place", {"draft": draft}, int, key=key)
        move()
        return int(number)


department = Department("orders", adapters=[Adapter(Orders, http=HttpOrders)])


@command(department)
def place(ctx: Context, draft: str) -> int:
    return ctx.adapter(Orders).place(draft, key=ctx.key)


moves, point = 0, 0


def move(*_: Any) -> None:
    global moves
    moves += 1
    if moves == point:
        os.kill(os.getpid(), signal.SIGKILL)


def open_store(folder: Path, clock: Clock) -> Store:
    store = Store(f"sqlite:///{folder}/il.db", clock, folder)
    store.open()
    return store


def ask(folder: Path, url: str, key: str) -> None:
    clock = Clock()
    store = open_store(folder, clock)
    departments = Departments(
        [department],
        clock=clock,
        store=store,
        agents=None,  # type: ignore[arg-type]
        timezone=ZoneInfo("Asia/Shanghai"),
        systems={"orders.Orders": url},
    )
    assert store._workers is not None
    database = store._workers._connections.engine
    event.listen(database, "before_cursor_execute", move)
    event.listen(database, "commit", move)
    done = departments.do("orders.place", {"draft": key}, key=key, within=10)
    move()
    assert isinstance(done, Done), done
    (folder / "heard").write_text(str(done.value))


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


def main(folder: Path, url: str) -> None:
    log.set_up("error")
    Upgrades([]).load()  # what each child would import
    in_a_child(0, lambda: open_store(folder, Clock()))  # the tables are there
    finished, at = False, 0
    while not finished:
        at += 1
        key = f"draft-{at}"
        finished = in_a_child(at, ask, folder, url, key)
        in_a_child(0, ask, folder, url, key)
        print(int(not finished), key, (folder / "heard").read_text(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
