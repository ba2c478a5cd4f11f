"""The virtual clock jumps only when nothing else can run, and the real one keeps the same promises."""

from __future__ import annotations

import socket
import time
from datetime import timedelta

import gevent
import pytest
from gevent.monkey import get_original
from gevent.threadpool import ThreadPool

from engine.clock import Clock, Empty, Full, TimeUp, VirtualClock, get_ident


@pytest.fixture
def clock():
    clock = VirtualClock()
    yield clock
    clock.close()


def test_ten_hours_pass_in_no_time(clock: VirtualClock) -> None:
    began = time.monotonic()
    clock.sleep(36_000)
    assert clock.monotonic() == 36_000
    assert time.monotonic() - began < 5


def test_timers_fire_in_order_of_their_moment_then_of_their_making(clock: VirtualClock) -> None:
    seen: list[str] = []
    clock.after(2, seen.append, "b")
    clock.after(1, seen.append, "a")
    clock.after(2, seen.append, "c")
    clock.sleep(3)
    assert seen == ["a", "b", "c"]


def test_a_cancelled_timer_never_fires(clock: VirtualClock) -> None:
    seen: list[int] = []
    clock.after(1, seen.append, 1).cancel()
    clock.sleep(2)
    assert seen == []


def test_runnable_greenlets_finish_before_time_moves(clock: VirtualClock) -> None:
    turns: list[float] = []

    def busy() -> None:
        for _ in range(500):
            turns.append(clock.monotonic())
            clock.sleep(0)

    gevent.spawn(busy)
    clock.sleep(1)
    assert turns == [0.0] * 500


def test_time_stands_still_while_a_thread_works(clock: VirtualClock) -> None:
    pool = ThreadPool(1)
    fired: list[float] = []
    clock.after(5, lambda: fired.append(clock.monotonic()))
    assert clock.blocking(pool, lambda: sum(range(2_000_000))) > 0
    assert fired == []
    assert clock.monotonic() == 0


class Hanging:
    """A thread that hangs, says so, and is given up by who waited for it."""

    def __init__(self, clock: VirtualClock, pool: ThreadPool) -> None:
        self._clock, self._loop = clock, gevent.get_hub().loop
        self._lock = get_original("_thread", "allocate_lock")()
        self._thread = 0
        with pytest.raises(TimeUp), clock.timeout(5):
            clock.blocking(pool, self._hang)

    def _hang(self) -> None:
        self._thread = get_ident()
        self._lock.acquire()
        self._loop.run_callback_threadsafe(self._clock.outside_hangs, self._thread)
        self._lock.acquire()

    def over(self) -> None:
        self._clock.outside_returns(self._thread)
        self._lock.release()


def test_time_stands_still_for_a_thread_that_works_beside_one_that_hangs(clock: VirtualClock) -> None:
    pool = ThreadPool(2)
    hanging = Hanging(clock, pool)
    assert clock.monotonic() == 5
    clock.after(10, lambda: None)
    clock.blocking(pool, get_original("time", "sleep"), 0.05)
    assert clock.monotonic() == 5
    hanging.over()
    clock.blocking(pool, get_original("time", "sleep"), 0.05)
    assert clock.monotonic() == 5
    clock.sleep(1)
    pool.kill()


def test_who_waits_for_the_thread_of_one_that_hangs_keeps_a_time_limit(clock: VirtualClock) -> None:
    pool = ThreadPool(1)
    hanging = Hanging(clock, pool)
    with pytest.raises(TimeUp), clock.timeout(5):
        clock.blocking(pool, len, "never begun")
    assert clock.monotonic() == 10
    hanging.over()
    assert clock.blocking(pool, len, "abc") == 3
    pool.kill()


def test_bytes_on_a_loopback_socket_arrive_before_time_moves(clock: VirtualClock) -> None:
    ours, theirs = socket.socketpair()
    seen: list[tuple[float, bytes]] = []

    def echo() -> None:
        while data := theirs.recv(10):
            theirs.sendall(data)

    def talk() -> None:
        for _ in range(20):
            ours.sendall(b"x")
            seen.append((clock.monotonic(), ours.recv(10)))
        ours.close()

    gevent.spawn(echo)
    gevent.spawn(talk)
    clock.sleep(1)
    assert seen == [(0.0, b"x")] * 20


@pytest.mark.parametrize("make", [VirtualClock, Clock])
def test_waits_end_by_the_event_or_by_the_limit(make) -> None:
    clock = make()
    flag = clock.event()
    assert flag.wait(0.01) is False
    clock.after(0.01, flag.set)
    assert flag.wait(10) is True
    box = clock.queue()
    with pytest.raises(Empty):
        box.get(timeout=0.01)
    clock.after(0.01, box.put, "x")
    assert box.get(timeout=10) == "x"


def test_who_waits_longest_at_a_mailbox_is_served_first_and_nobody_twice(clock: VirtualClock) -> None:
    box = clock.queue()
    got: list[tuple[str, int]] = []
    for name in ("first", "second"):
        clock.spawn(lambda name: got.append((name, box.get())), name)
    clock.sleep(1)
    box.put(1)
    box.put(2)
    box.put(3)
    clock.sleep(1)
    assert got == [("first", 1), ("second", 2)]
    assert len(box) == 1


def test_an_item_is_not_lost_with_the_one_who_was_woken_for_it(clock: VirtualClock) -> None:
    box = clock.queue()
    got: list[int] = []
    first = clock.spawn(box.get)
    clock.spawn(lambda: got.append(box.get()))
    clock.sleep(1)
    first.kill(block=False)  # it dies in the next turn of the hub …
    box.put(1)  # … and until then still is the one who is woken
    clock.sleep(1)
    assert got == [1]


def test_a_getter_that_was_overtaken_waits_on_and_its_limit_stays(clock: VirtualClock) -> None:
    box = clock.queue()
    seen: list[object] = []

    def wait() -> None:
        try:
            seen.append(box.get(timeout=10))
        except Empty:
            seen.append(clock.monotonic())

    clock.spawn(wait)
    clock.sleep(1)
    box.put("x")
    assert box.get() == "x"  # taken before the woken one runs
    clock.sleep(20)
    assert seen == [10.0]
    clock.spawn(wait)
    clock.sleep(0)
    box.put("y")  # goes to the one who waits, not to one who gave up
    clock.sleep(0)
    assert seen == [10.0, "y"]


def test_a_mailbox_with_a_limit_refuses_what_is_too_much(clock: VirtualClock) -> None:
    box = clock.queue(2)
    box.put(1)
    box.put(2)
    with pytest.raises(Full):
        box.put(3)
    assert [box.get(), box.get()] == [1, 2]
    with pytest.raises(Empty):
        box.get(timeout=0)


def test_nested_limits_are_told_apart(clock: VirtualClock) -> None:
    with pytest.raises(TimeUp) as caught, clock.timeout(1) as outer:
        with clock.timeout(5):
            clock.sleep(10)
    assert caught.value is outer
    assert clock.monotonic() == 1


def test_a_plugins_except_exception_does_not_swallow_the_limit(clock: VirtualClock) -> None:
    def plugin() -> str:
        try:
            clock.sleep(9)
        except Exception:  # noqa: BLE001 - the very thing that is tested
            return "swallowed"
        return "slept"

    with pytest.raises(TimeUp), clock.timeout(1):
        plugin()


def test_a_jump_of_the_wall_clock_moves_no_wait(clock: VirtualClock) -> None:
    before = clock.now()
    clock.shift_wall(timedelta(hours=1))
    assert clock.now() - before == timedelta(hours=1)
    assert clock.monotonic() == 0


def test_what_a_thread_raises_is_raised_where_it_is_waited_for_and_printed_nowhere(
    clock: VirtualClock, capfd: pytest.CaptureFixture[str]
) -> None:
    pool = ThreadPool(1)
    try:
        with pytest.raises(ValueError, match="invalid literal"):
            clock.blocking(pool, int, "no number")
    finally:
        pool.kill()
    assert capfd.readouterr().err == ""


def test_a_closed_virtual_clock_stands_still_for_whoever_was_left_behind() -> None:
    clock = VirtualClock()
    turns = []

    def left_behind() -> None:
        while True:
            clock.sleep(1)
            turns.append(clock.monotonic())

    greenlet = clock.spawn(left_behind)
    clock.sleep(3.5)
    assert turns == [1, 2, 3]
    clock.close()
    gevent.idle()
    Clock().sleep(0.02)
    assert turns == [1, 2, 3]
    greenlet.kill(block=False)
