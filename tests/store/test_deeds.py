"""Deeds: exactly once, whatever is killed between the deed and its record (fault 13)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import gevent
import pytest
from gevent.monkey import get_original
from pydantic import TypeAdapter
from sqlalchemy import Column, Integer, MetaData, Table, Text, func, insert, select
from sqlalchemy.orm import Session

from engine.clock import Clock, VirtualClock
from engine.errors import NotFound, Pending, Refused, StoreTimeout
from engine.store import Store, deeds
from engine.store.upgrades import DepartmentTables

native_sleep: Callable[[float], None] = get_original("time", "sleep")
metadata = MetaData()
orders = Table("orders_order", metadata, Column("id", Integer, primary_key=True), Column("dealer", Text))
ORDERS = DepartmentTables("orders", metadata)


@pytest.fixture
def shop(make_store: Callable[..., Store]) -> Store:
    return make_store(departments=[ORDERS])


def place(session: Session) -> int:
    return session.execute(insert(orders).values(dealer="44010001").returning(orders.c.id)).scalar_one()


def placed(store: Store) -> int:
    return store.read(lambda s: s.execute(select(func.count()).select_from(orders)).scalar_one(), 2)


def test_a_second_time_hears_the_first_result_and_does_nothing(shop: Store) -> None:
    first = shop.deed("c1:place[3]:1", "orders", place, 2)
    again = shop.deed("c1:place[3]:1", "orders", place, 2)
    other = shop.deed("c1:place[3]:2", "orders", place, 2)
    assert (first, again, other) == (1, 1, 2)
    assert placed(shop) == 2
    known = shop.deed_result("c1:place[3]:1")
    assert known is not None
    assert (known.department, known.state, known.result) == ("orders", "done", 1)
    assert shop.deed_result("never") is None


def test_the_first_result_has_the_very_shape_of_the_second(shop: Store) -> None:
    slot = TypeAdapter(tuple[date, timedelta | None])

    def book(_session: Session) -> tuple[date, None]:
        return date(2026, 12, 1), None

    results = [shop.deed("k", "warranty", book, 2, returns=slot) for _ in range(2)]
    assert results == [(date(2026, 12, 1), None)] * 2
    plain = [shop.deed("p", "warranty", lambda s: {"slot": date(2026, 12, 1)}, 2) for _ in range(2)]
    assert plain == [{"slot": "2026-12-01"}] * 2
    assert [shop.deed("none", "warranty", lambda s: None, 2) for _ in range(2)] == [None, None]


def test_a_refusal_keeps_nothing_and_may_be_asked_again(shop: Store) -> None:
    def refuse(session: Session) -> int:
        place(session)
        raise Refused("credit", missing="100.00")

    for _ in range(2):
        with pytest.raises(Refused) as refused:
            shop.deed("k", "orders", refuse, 2)
        assert refused.value.details == {"missing": "100.00"}
    assert placed(shop) == 0
    assert shop.deed_result("k") is None
    assert shop.deed("k", "orders", place, 2) >= 1  # PostgreSQL uses no number twice
    assert placed(shop) == 1


def test_a_handler_that_raises_keeps_nothing(shop: Store) -> None:
    def breaks(session: Session) -> int:
        place(session)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        shop.deed("k", "orders", breaks, 2)
    assert placed(shop) == 0
    assert shop.deed_result("k") is None


def test_two_who_ask_at_once_with_one_key_cause_one_deed(shop: Store) -> None:
    clock = Clock()

    def slowly(session: Session) -> int:
        native_sleep(0.02)
        return place(session)

    asked = [clock.spawn(shop.deed, "once", "orders", slowly, 10) for _ in range(8)]
    gevent.joinall(asked, raise_error=True)
    assert [job.value for job in asked] == [1] * 8
    assert placed(shop) == 1


def test_two_engines_on_one_database_cause_one_deed(make_store: Callable[..., Store]) -> None:
    stores = [make_store(departments=[ORDERS], node=name) for name in ("a", "b")]
    clock = Clock()
    asked = [clock.spawn(store.deed, "once", "orders", place, 10) for store in stores for _ in range(4)]
    gevent.joinall(asked, raise_error=True)
    assert [job.value for job in asked] == [1] * 8
    assert placed(stores[0]) == 1


def test_a_deed_that_was_too_slow_is_certainly_not_done_and_may_be_tried_again(
    make_store: Callable[..., Store],
) -> None:
    shop = make_store(at=Clock(), departments=[ORDERS])

    def slow(session: Session) -> int:
        number = place(session)
        native_sleep(0.3)
        return number

    with pytest.raises(StoreTimeout):
        shop.deed("k", "orders", slow, 0.05)
    assert shop.deed_result("k") is None
    assert shop.deed("k", "orders", place, 5) >= 1
    native_sleep(0.35)
    assert placed(shop) == 1


def test_when_the_commit_was_under_way_the_stored_result_is_looked_up(
    shop: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop._workers is not None
    run = shop._workers.run

    def committed_but_not_told(function: Callable[[Session], object], timeout: float) -> object:
        run(function, timeout)
        raise Pending("a commit was under way")

    monkeypatch.setattr(shop._workers, "run", committed_but_not_told)
    assert shop.deed("k", "orders", place, 2) == 1

    def not_committed(function: Callable[[Session], object], timeout: float) -> object:
        raise Pending("a commit was under way")

    monkeypatch.setattr(shop._workers, "run", not_committed)
    with pytest.raises(Pending):
        shop.deed("other", "orders", place, 2)


# -- deeds in another company's system ----------------------------------------------------------------


def test_a_remote_deed_is_reserved_before_and_confirmed_after(shop: Store) -> None:
    assert shop.reserve_deed("k", "orders") is None
    known = shop.reserve_deed("k", "orders")
    assert known is not None
    assert known.state == deeds.PENDING
    with pytest.raises(Pending):
        shop.deed("k", "orders", place, 2)
    assert shop.confirm_deed("k", {"order": 7}) == {"order": 7}
    assert shop.confirm_deed("k", {"order": 8}) == {"order": 7}  # the answer to the first request, late
    assert shop.reserve_deed("k", "orders").result == {"order": 7}  # type: ignore[union-attr]
    assert shop.deed("k", "orders", place, 2) == {"order": 7}
    assert not shop.release_deed("k")
    assert placed(shop) == 0


def test_a_remote_that_certainly_did_nothing_releases_the_key(shop: Store) -> None:
    shop.reserve_deed("k", "orders")
    assert shop.release_deed("k")
    assert not shop.release_deed("k")
    with pytest.raises(NotFound):
        shop.confirm_deed("k", 1)
    assert shop.reserve_deed("k", "orders") is None


def test_deeds_whose_remote_never_answered_are_found(shop: Store, clock: VirtualClock) -> None:
    shop.reserve_deed("a", "orders")
    clock.advance(60)
    shop.reserve_deed("b", "orders")
    before = clock.now() - timedelta(seconds=30)
    assert [deed.key for deed in shop.read(lambda s: deeds.pending(s, before), 2)] == ["a"]


# -- killed ---------------------------------------------------------------------------------------------


def test_killed_at_every_point_there_is_one_order_and_the_redial_hears_its_number(tmp_path: Path) -> None:
    script = Path(__file__).with_name("killed_in_a_deed.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "points: " in done.stdout
    assert int(done.stdout.split("points: ")[1]) >= 6, done.stdout
