"""Functions in threads: in one transaction, within their time, and without a trace when they are late."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from gevent.monkey import get_original
from sqlalchemy import Column, Integer, MetaData, Table, event, func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from engine.clock import Clock, TimeUp, VirtualClock
from engine.errors import Pending, StoreDown, StoreError, StoreTimeout
from engine.store import Store
from engine.store.engines import Connections
from engine.store.jobs import Abandoned, _Job
from engine.store.upgrades import DepartmentTables

native_sleep: Callable[[float], None] = get_original("time", "sleep")
native_lock: Callable[[], Any] = get_original("_thread", "allocate_lock")
metadata = MetaData()
stock = Table("orders_stock", metadata, Column("id", Integer, primary_key=True), Column("amount", Integer))
ORDERS = DepartmentTables("orders", metadata)


@pytest.fixture
def real(make_store: Callable[..., Store]) -> Store:
    """A store on the real clock: limits must be able to pass while a thread works."""
    return make_store(at=Clock(), departments=[ORDERS])


def put(amount: int, id: int | None = None) -> Callable[[Session], None]:
    def function(session: Session) -> None:
        session.execute(insert(stock).values(amount=amount, **({} if id is None else {"id": id})))

    return function


def total(store: Store) -> int:
    return store.read(lambda s: s.execute(select(func.coalesce(func.sum(stock.c.amount), 0))).scalar_one(), 2)


def wait_until(condition: Callable[[], bool], clock: Clock, limit: float = 5.0) -> None:
    end = clock.monotonic() + limit
    while not condition():
        assert clock.monotonic() < end, "it did not come to pass"
        clock.sleep(0.005)


def test_what_a_function_writes_is_there_when_it_has_returned(real: Store) -> None:
    real.work(put(5), 2)
    assert total(real) == 5


def test_nothing_is_there_when_it_raised_and_the_error_is_the_functions_own(real: Store) -> None:
    def function(session: Session) -> None:
        put(5)(session)
        raise LookupError("no such article")

    with pytest.raises(LookupError, match="no such article"):
        real.work(function, 2)
    with pytest.raises(IntegrityError):
        real.work(lambda s: (put(1, 7)(s), put(2, 7)(s)), 2)
    assert total(real) == 0


def test_objects_of_a_departments_models_are_written_and_read(make_store: Callable[..., Store]) -> None:
    class Base(DeclarativeBase):
        pass

    class Waybill(Base):
        __tablename__ = "logistics_waybill"
        number: Mapped[str] = mapped_column(primary_key=True)
        city: Mapped[str]

    store = make_store(departments=[DepartmentTables("logistics", Base.metadata)])
    store.work(lambda s: s.add(Waybill(number="01088886666", city="成都")), 2)
    assert store.read(lambda s: s.get(Waybill, "01088886666").city, 2) == "成都"  # type: ignore[union-attr]


def test_a_handler_can_not_commit_by_itself(real: Store) -> None:
    def function(session: Session) -> None:
        put(5)(session)
        session.commit()
        put(6)(session)
        raise LookupError

    with pytest.raises(LookupError):
        real.work(function, 2)
    assert total(real) == 0


def test_a_handler_that_rolls_back_and_goes_on_is_told(real: Store) -> None:
    def function(session: Session) -> None:
        put(5)(session)
        session.rollback()

    with pytest.raises(Exception, match="rolled"):
        real.work(function, 2)
    real.work(put(1), 2)
    assert total(real) == 1


def test_a_reader_can_not_write(real: Store) -> None:
    with pytest.raises(StoreError, match="tried to write"):
        real.read(put(5), 2)
    assert total(real) == 0


def test_a_handler_that_hangs_is_left_changes_nothing_and_holds_no_lock(real: Store) -> None:
    clock = Clock()
    go_on = get_original("threading", "Event")()
    after: list[object] = []

    def hangs(session: Session) -> None:
        put(5)(session)
        go_on.wait(10)
        try:
            put(6)(session)
        except BaseException as error:  # noqa: BLE001 - the most careless handler that there is
            after.append(error)

    with pytest.raises(StoreTimeout, match="did not answer within"):
        real.work(hangs, 0.1)
    assert real.health().stuck == 1
    real.work(put(1), 2)  # while it still hangs
    assert total(real) == 1
    go_on.set()
    wait_until(lambda: real.health().stuck == 0, clock)
    assert [type(error).__name__ for error in after] == ["Abandoned"]
    assert total(real) == 1
    real.work(put(2), 2)
    assert total(real) == 3


def test_a_handler_that_comes_too_late_does_not_commit(real: Store) -> None:
    def late(session: Session) -> None:
        put(5)(session)
        native_sleep(0.3)

    with pytest.raises(StoreTimeout):
        real.work(late, 0.05)
    wait_until(lambda: real.health().stuck == 0, Clock())
    assert total(real) == 0


def test_a_statement_that_does_not_end_is_interrupted(real: Store) -> None:
    endless = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
    with pytest.raises(StoreTimeout):
        real.read(lambda s: s.execute(endless).scalar(), 0.1)
    wait_until(lambda: real.health().stuck == 0, Clock())
    assert total(real) == 0


def test_handlers_that_hang_do_not_take_the_threads_of_the_others(real: Store) -> None:
    clock = Clock()
    go_on = get_original("threading", "Event")()
    hanging: list[None] = []

    def hang(session: Session) -> None:
        hanging.append(None)
        go_on.wait(60)

    while len(hanging) < 10:  # on a busy machine one may be given up before its thread has begun it
        with pytest.raises(StoreTimeout):
            real.read(hang, 0.02)
    wait_until(lambda: real.health().stuck >= 10, clock)  # one that was given up may begin even so
    assert total(real) == 0
    go_on.set()
    wait_until(lambda: real.health().stuck == 0, clock)
    assert total(real) == 0


def test_a_caller_who_hangs_up_takes_the_job_along(real: Store) -> None:
    clock = Clock()
    go_on = get_original("threading", "Event")()
    begun = get_original("threading", "Event")()

    def works(session: Session) -> None:
        put(5)(session)
        begun.set()
        go_on.wait(10)

    greenlet = clock.spawn(real.work, works, 60)
    wait_until(begun.is_set, clock)
    greenlet.kill()
    real.work(put(1), 2)
    go_on.set()
    wait_until(lambda: real.health().stuck == 0, clock)
    assert total(real) == 1


def test_an_outer_limit_is_not_taken_for_ones_own(real: Store) -> None:
    clock = Clock()
    with pytest.raises(TimeUp) as up, clock.timeout(0.05) as mine:
        real.work(lambda s: native_sleep(0.3), 60)
    assert up.value is mine
    wait_until(lambda: real.health().stuck == 0, clock)


@pytest.mark.sqlite
def test_a_job_that_waits_for_a_thread_and_is_given_up_never_runs(real: Store) -> None:
    clock = Clock()
    go_on = get_original("threading", "Event")()
    ran = []
    busy = [clock.spawn(real.work, lambda s: go_on.wait(10), 20) for _ in range(1)]
    clock.sleep(0.05)
    # SQLite has one writer: this one waits for it, in its thread, no longer than its limit.
    with pytest.raises((StoreTimeout, StoreDown)):
        real.work(lambda s: ran.append(1), 0.1)
    go_on.set()
    gevent.joinall(busy)
    assert ran == []
    real.work(put(1), 2)
    assert total(real) == 1


@pytest.mark.sqlite
def test_a_locked_database_is_down_for_a_job_and_the_next_one_finds_it_up(
    real: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.jobs.BUSY_SECONDS", 0.05)
    other = sqlite3.connect(tmp_path / "il.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown, match="locked"):
        real.work(put(5), 2)
    assert total(real) == 0  # readers do not wait for writers
    other.execute("COMMIT")
    other.close()
    real.work(put(1), 2)
    assert total(real) == 1


@pytest.mark.sqlite
def test_a_database_lost_in_the_midst_of_a_commit_leaves_the_outcome_open(real: Store) -> None:
    assert real._workers is not None

    def breaks(_connection: Any) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR  # type: ignore[attr-defined]
        raise OperationalError("COMMIT", None, error)

    engine = real._workers._connections.engine
    event.listen(engine, "commit", breaks)
    with pytest.raises(Pending, match="midst of a commit"):
        real.work(put(5), 2)
    event.remove(engine, "commit", breaks)
    real.work(put(1), 2)
    assert total(real) == 1


def test_under_the_virtual_clock_time_stands_still_while_a_thread_works(
    make_store: Callable[..., Store], clock: VirtualClock
) -> None:
    store = make_store(departments=[ORDERS])
    before = clock.monotonic()
    clock.after(0.5, lambda: None)
    store.work(lambda s: native_sleep(0.05), 1)
    assert clock.monotonic() == before


def test_closing_leaves_a_stuck_thread_behind_and_does_not_wait_for_it(
    make_store: Callable[..., Store],
) -> None:
    clock = Clock()
    store = make_store(at=clock)
    go_on = get_original("threading", "Event")()
    with pytest.raises(StoreTimeout):
        store.read(lambda s: go_on.wait(10), 0.02)
    began = clock.monotonic()
    store.close()
    assert clock.monotonic() - began < 3
    go_on.set()


def test_many_greenlets_at_once_write_without_losing_anything(real: Store) -> None:
    clock = Clock()
    jobs = [clock.spawn(real.work, put(1), 20) for _ in range(60)]
    gevent.joinall(jobs, raise_error=True)
    assert total(real) == 60


class Driver:
    """A connection of SQLite's whose rollback takes as long as the test wants."""

    def __init__(self) -> None:
        self.rolls_back, self.may_end = native_lock(), native_lock()
        self.rolls_back.acquire()
        self.may_end.acquire()
        self.log: list[str] = []

    def interrupt(self) -> None: ...

    def rollback(self) -> None:
        self.rolls_back.release()
        self.may_end.acquire(timeout=10)
        self.log.append("rolled back from outside")


def test_nobody_ends_a_transaction_while_its_own_thread_does() -> None:
    """Two threads in one connection's rollback and close took the process down."""
    driver, job, over = Driver(), _Job(), native_lock()
    start: Callable[..., int] = get_original("_thread", "start_new_thread")
    over.acquire()
    job.use(SimpleNamespace(connection=SimpleNamespace(dbapi_connection=driver), info={}))  # type: ignore[arg-type]
    start(job.undo, ())
    assert driver.rolls_back.acquire(timeout=10)

    def own_thread() -> None:
        job.leave()
        driver.log.append("the thread's own end")
        over.release()

    start(own_thread, ())
    assert not over.acquire(timeout=0.05)  # it has to wait
    driver.may_end.release()
    assert over.acquire(timeout=10)
    assert driver.log == ["rolled back from outside", "the thread's own end"]
    job.undo()  # a janitor that comes late
    assert driver.log[2:] == []


def test_nobody_ends_the_transaction_of_a_job_that_found_itself_abandoned() -> None:
    """SQLAlchemy closes its connection for what it raises then: a rollback beside that took the process down."""
    driver, job = Driver(), _Job()
    job.use(SimpleNamespace(connection=SimpleNamespace(dbapi_connection=driver), info={}))  # type: ignore[arg-type]
    job.abandoned = True
    with pytest.raises(Abandoned):
        job.before_statement()
    job.undo()
    assert driver.log == []


@pytest.mark.sqlite
def test_nobody_ends_a_transaction_that_never_began(
    real: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is closed when BEGIN found the file locked, and not under a rollback from outside."""
    monkeypatch.setattr("engine.store.jobs.BUSY_SECONDS", 0.05)
    begun: list[bool] = []
    drop = Connections.drop

    def watched(connections: Connections) -> None:
        begun.append(connections.get().info["job"].open)
        drop(connections)

    monkeypatch.setattr(Connections, "drop", watched)
    other = sqlite3.connect(tmp_path / "il.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown, match="locked"):
        real.work(put(5), 2)
    other.close()
    assert begun == [False]
