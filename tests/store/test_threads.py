"""In a thread of a pool nobody may wait for a lock of gevent's: it could be for ever."""

from __future__ import annotations

import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import gevent
import pytest
from gevent.monkey import get_original
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from engine.clock import Clock
from engine.store import Store, queries
from engine.store.rows import Cdr
from engine.store.upgrades import DepartmentTables
from engine.types import JournalEntry

get_ident: Callable[[], int] = get_original("_thread", "get_ident")


class Base(DeclarativeBase):
    pass


class Waybill(Base):
    __tablename__ = "logistics_waybill"
    number: Mapped[str] = mapped_column(primary_key=True)
    city: Mapped[str]


@pytest.fixture
def taken() -> Iterator[Counter[str]]:
    """Where locks of gevent's were taken, blocking, in other threads than this one."""
    found: Counter[str] = Counter()
    hub = get_ident()

    def watch(frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event != "call" or get_ident() == hub or not code.co_filename.endswith("gevent/thread.py"):
            return
        if code.co_name in ("acquire", "__enter__") and frame.f_locals.get("blocking", True):
            found["".join(traceback.format_stack(frame.f_back, limit=4))] += 1

    threading.setprofile(watch)
    yield found
    threading.setprofile(None)


def use(store: Store, n: int) -> None:
    store.work(lambda s: s.merge(Waybill(number=str(n), city="广州")), 5)
    store.read(lambda s: [waybill.city for waybill in s.query(Waybill)], 5)
    store.deed(f"k{n}", "logistics", lambda s: n, 5)
    store.journal(JournalEntry(at=store._clock.now(), kind="x", call="c", data={"n": n}))
    store.cdr(Cdr(call=str(n), arrived=store._clock.now(), ended=store._clock.now()))
    store.flush()
    store.read(lambda s: queries.day(s, store._clock.now(), store._clock.now()), 5)


def test_no_lock_of_gevents_is_waited_for_in_a_thread(
    make_store: Callable[..., Store], taken: Counter[str]
) -> None:
    store = make_store(at=Clock(), departments=[DepartmentTables("logistics", Base.metadata)])
    use(store, 0)  # imports within functions, which happen once
    taken.clear()
    for n in range(1, 4):
        use(store, n)
    assert not taken, "\n\n".join(taken)


def test_many_threads_may_begin_at_once(make_store: Callable[..., Store]) -> None:
    clock = Clock()
    for _ in range(5):
        store = make_store(at=clock)
        jobs = [clock.spawn(store.work, queries.agents, 20) for _ in range(12)]
        jobs += [clock.spawn(store.read, queries.agents, 20) for _ in range(12)]
        gevent.joinall(jobs, raise_error=True)
        store.close()
