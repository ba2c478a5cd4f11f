"""kill -9 of a real process at each statement, commit and request of a command to a remote: one order, one number."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gevent import subprocess

from engine.clock import Clock
from engine.testing.twin import Twin
from tests.faults import killed_at_a_remote as child


class Remote:
    def __init__(self) -> None:
        self.orders: list[str] = []

    def place(self, draft: str, *, key: str) -> int:
        self.orders.append(draft)
        return 9000 + len(self.orders)


def test_killed_at_any_of_its_moves_it_has_placed_one_order_when_somebody_dials_again(tmp_path: Path) -> None:
    remote = Remote()

    @contextmanager
    def opened() -> Iterator[Remote]:
        yield remote

    twin = Twin(child.Orders, opened, Clock())
    try:
        words = [sys.executable, child.__file__, str(tmp_path), twin.url]
        root = Path(__file__).parents[2]
        done = subprocess.run(words, capture_output=True, timeout=120, check=False, cwd=root)
    finally:
        twin.close()
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    points = [line.split() for line in done.stdout.decode().splitlines()]
    assert sum(killed == "1" for killed, _, _ in points) >= 10
    for at, (_, key, number) in enumerate(points, 1):
        assert remote.orders.count(key) == 1, f"killed at {at}"
        assert int(number) == 9001 + remote.orders.index(key), f"killed at {at}"
