"""An engine that is killed with -9 keeps what it had promised to keep."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.clock import Clock
from engine.store import Store, queries

WRITER = """
from gevent import monkey; monkey.patch_all()
import sys
from pathlib import Path
from engine.clock import Clock
from engine.store import Store
from engine.types import JournalEntry
from engine.store import engines
from engine import log
log.set_up("error")  # to stderr; stdout is for the promises
engines.BUSY_SECONDS = 0.05
clock = Clock()
folder = Path(sys.argv[1])
store = Store(sys.argv[2], clock, folder)
store.open()
print("open", flush=True)
number = 0
while True:
    for _ in range(40):
        store.journal(JournalEntry(at=clock.now(), kind=str(number), call="c"))
        number += 1
    if store.flush(5):
        print(number, flush=True)   # promised: everything below this number
"""


@contextmanager
def engine(folder: Path, url: str = "") -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), url or f"sqlite:///{folder}/il.db"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "open\n"
        yield child
    finally:
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
        child.stdout.close()


def kill_after(child: subprocess.Popen[str], promises: int) -> int:
    """Kill the engine in the midst of its work; the number that it had promised last."""
    assert child.stdout is not None
    promised = 0
    for _ in range(promises):
        promised = int(child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL)
    child.wait(10)
    lines = [line for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    return int(lines[-1]) if lines else promised


def lock_until_spooled(folder: Path, rows: int) -> sqlite3.Connection:
    """Lock the database as another program might, and wait until ``rows`` rows lie in the spool."""
    other = sqlite3.connect(folder / "il.db", isolation_level=None, timeout=10)
    other.execute("BEGIN IMMEDIATE")
    clock = Clock()
    end = clock.monotonic() + 20
    while sum(path.read_bytes().count(b"\n") for path in (folder / "spool").rglob("*.jsonl")) < rows:
        assert clock.monotonic() < end, "nothing was spooled"
        clock.sleep(0.01)
    return other


def numbers(store: Store) -> list[int]:
    return [
        int(item.kind) for item in store.read(lambda s: queries.journal(s, call="c", limit=1_000_000), 10)
    ]


def test_killed_in_the_midst_of_batches_nothing_promised_is_missing_or_twice(
    tmp_path: Path, url: str, make_store: Callable[..., Store]
) -> None:
    with engine(tmp_path, url) as child:
        promised = kill_after(child, 20)
    found = numbers(make_store())
    assert found == list(range(len(found)))
    assert len(found) >= promised
    assert promised >= 800


@pytest.mark.sqlite
def test_killed_while_the_database_was_locked_nothing_promised_is_missing_or_twice(
    tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    with engine(tmp_path) as child:
        other = lock_until_spooled(tmp_path, 1)
        promised = kill_after(child, 30)
        other.execute("COMMIT")
        other.close()
    assert list((tmp_path / "spool").rglob("*.jsonl"))
    store = make_store()
    assert store.caught_up(30)
    found = numbers(store)
    assert found == list(range(len(found)))
    assert len(found) >= promised
    assert not list((tmp_path / "spool").rglob("*.jsonl"))


@pytest.mark.sqlite
def test_killed_in_the_midst_of_a_replay_the_next_one_goes_on_with_it(
    tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    with engine(tmp_path) as child:
        other = lock_until_spooled(tmp_path, 200)
        kill_after(child, 1)
        other.execute("COMMIT")
        other.close()
    (spooled,) = (tmp_path / "spool").rglob("*.jsonl")
    rows = len(spooled.read_bytes().splitlines())
    # This child replays in small batches and is killed after the third one.
    dying = WRITER.replace(
        "clock = Clock()",
        """
import os, signal
from engine.store import writer
writer.Writer.__init__.__kwdefaults__["batch"] = 10
write, done = writer.Database.write, []
def dies(self, batch):
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(len(batch))
    return write(self, batch)
writer.Database.write = dies
clock = Clock()""",
    )
    child_died = subprocess.run(
        [sys.executable, "-c", dying, str(tmp_path), f"sqlite:///{tmp_path}/il.db"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert child_died.returncode == -signal.SIGKILL, child_died.stderr
    store = make_store()
    assert store.caught_up(30)
    found = numbers(store)
    assert found == list(range(len(found)))
    assert len(found) >= rows
