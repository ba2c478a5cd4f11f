"""Time, as the whole engine sees it.

There are two times. *Monotonic* time (seconds, a float) is for waits and limits, and never jumps;
*wall* time (an aware UTC ``datetime``) is for records. Every wait, time-out, event and queue with a
limit comes from a ``Clock``, so that a test, or a whole simulated day, can run on a ``VirtualClock``.

A virtual clock stands still while anything is runnable. Only when the gevent hub is idle and no
outside job (thread pool, subprocess, foreign socket; see ``Clock.outside``) is open does it jump to
the next timer. So nothing in a test depends on how fast the machine is.

Theory: everything that waits is built on one primitive, ``after(seconds, function)``. A wait with a
limit arms a timer that throws into the waiting greenlet, as gevent's own Timeout does.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast

import gevent
import gevent.event
import gevent.queue
from gevent.hub import Hub, Waiter, get_hub
from gevent.monkey import get_original
from gevent.threadpool import ThreadPool
from greenlet import getcurrent

_lock: Any = get_original("_thread", "allocate_lock")

P = ParamSpec("P")
T = TypeVar("T")

Empty = gevent.queue.Empty
Full = gevent.queue.Full

get_ident: Callable[[], int] = get_original("_thread", "get_ident")


class TimeUp(BaseException):
    """A time limit passed. Like ``gevent.Timeout`` it is no ``Exception``: a plugin's ``except Exception``
    must not swallow the limit that it ran into."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"time is up after {self.seconds:g} s"


class Timer(Protocol):
    """Something that will happen, until it is cancelled."""

    def cancel(self) -> None:
        """Make sure that it does not happen. Harmless when it already has."""


class Clock:
    """The real time of this machine, on the gevent hub."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; differences are what counts."""
        return time.monotonic()

    def now(self) -> datetime:
        """The wall time, aware, in UTC."""
        return datetime.now(UTC)

    def after(self, seconds: float, function: Callable[..., object], *args: object) -> Timer:
        """Call ``function(*args)`` in the hub ``seconds`` from now. It must not block."""
        return _HubTimer(max(0.0, seconds), function, args)

    def sleep(self, seconds: float) -> None:
        """Let other greenlets run for ``seconds`` (0: one turn of the hub)."""
        gevent.sleep(max(0.0, seconds))

    # -- what follows is the same on every clock ------------------------------------------------

    def timeout(self, seconds: float | None) -> Limit:
        """``with clock.timeout(5) as mine:`` raises the :class:`TimeUp` that it yields in this greenlet if the block
        takes longer; None: no limit.

        Nested limits are told apart by identity: ``except TimeUp as up: if up is not mine: raise``.
        """
        return Limit(self, seconds)

    def event(self) -> Event:
        """A flag that greenlets can wait for."""
        return Event(self)

    def queue(self, maxsize: int | None = None) -> Mailbox[Any]:
        """A first-in first-out queue between greenlets."""
        return Mailbox(self, maxsize)

    def spawn(
        self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs
    ) -> gevent.Greenlet[..., Any]:
        """Start a greenlet that carries this greenlet's context variables (structlog's among them)."""
        run: Callable[..., Any] = copy_context().run
        return gevent.spawn(run, function, *args, **kwargs)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Count an outside job (thread, subprocess, foreign socket) as open: a virtual clock stands still."""
        yield

    def blocking(self, pool: ThreadPool, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``function`` in a thread of ``pool`` and wait for its result without blocking the hub.

        What it raises is raised here, and here only: the pool itself would also print it to stderr.
        """
        with self.outside():
            return _applied(pool, function, args, kwargs)

    def on_hub(self, hub: Hub, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For a thread that :meth:`blocking` began: run ``function`` in a greenlet of ``hub``, and wait for its result
        in this thread. What it raises is raised here."""
        thread, done = get_ident(), cast(Any, _lock())
        done.acquire()
        outcome: list[tuple[T | None, BaseException | None]] = []

        def run() -> None:
            outcome.append(_caught(function, args, kwargs))
            self.outside_returns(thread)
            done.release()

        def begin() -> None:
            self.outside_hangs(thread)
            self.spawn(run)

        hub.loop.run_callback_threadsafe(begin)
        done.acquire()
        ((result, error),) = outcome
        if error is not None:
            raise error
        return cast(T, result)

    def outside_hangs(self, thread: int = 0) -> None:
        """That thread (as the operating system counts them), or with 0 an open job outside, waits for the hub or hangs:
        a virtual clock need not stand still for it."""

    def outside_returns(self, thread: int = 0) -> None:
        """What hung goes on."""

    def end_threads(self, pool: ThreadPool) -> None:
        """End the idle threads of ``pool``. They take their own time for it, which is none of a virtual clock's."""
        with self.outside():
            pool.kill()


class Limit:
    """What :meth:`Clock.timeout` gives. A class and no generator: a call enters dozens of them."""

    __slots__ = ("_clock", "_seconds", "_timer")

    def __init__(self, clock: Clock, seconds: float | None) -> None:
        self._clock = clock
        self._seconds = seconds
        self._timer: Timer | None = None

    def __enter__(self) -> TimeUp | None:
        if self._seconds is None:
            return None
        up = TimeUp(self._seconds)
        self._timer = self._clock.after(self._seconds, getcurrent().throw, up)
        return up

    def __exit__(self, *raised: object) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _applied(
    pool: ThreadPool, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> T:
    result, error = pool.apply(_caught, (function, args, kwargs))
    if error is not None:
        raise error
    return cast(T, result)


def _caught(
    function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[T | None, BaseException | None]:
    try:
        return function(*args, **kwargs), None
    except BaseException as error:  # noqa: BLE001 - carried to the greenlet that waits
        return None, error


class _HubTimer:
    __slots__ = ("_timer",)

    def __init__(self, seconds: float, function: Callable[..., object], args: tuple[object, ...]) -> None:
        # update=True: the loop's cached "now" may be stale after a long Python computation.
        timer = get_hub().loop.timer(seconds)
        self._timer: Any = timer
        timer.start(self._fire, function, args, update=True)

    def _fire(self, function: Callable[..., object], args: tuple[object, ...]) -> None:
        self.cancel()
        function(*args)

    def cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.stop()
            timer.close()


class Event:
    """A flag to wait for, like ``gevent.event.Event``, with limits on the clock's time."""

    __slots__ = ("_clock", "_event")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._event = gevent.event.Event()

    def is_set(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        self._event.clear()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the flag is set; False when ``timeout`` seconds passed first."""
        if self._event.is_set():
            return True
        if timeout is not None and timeout <= 0:
            return False
        if timeout is None:
            self._event.wait()
            return True
        try:
            with self._clock.timeout(timeout) as mine:
                self._event.wait()
        except TimeUp as up:
            if up is not mine:
                raise
            return self._event.is_set()
        return True


class Mailbox(Generic[T]):
    """A queue between greenlets, like ``gevent.queue.Queue``, with limits on the clock's time.

    Of its own, because each call has some for as long as it lives, and waits in one most of that time:
    gevent's takes three times the memory (2.6 KiB) and twice the time of this one.
    """

    __slots__ = ("_clock", "_getters", "_items", "_most")

    def __init__(self, clock: Clock, maxsize: int | None = None) -> None:
        self._clock = clock
        self._most = maxsize
        self._items: deque[T] = deque()
        self._getters: list[
            Any
        ] = []  # gevent's Waiters, the longest waiting first; hardly ever more than one

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Add ``item``; :class:`Full` at once when a limit is reached (nobody waits to put)."""
        if self._most is not None and len(self._items) >= self._most:
            raise Full
        self._items.append(item)
        if self._getters:
            self._wake()

    def get(self, timeout: float | None = None) -> T:
        """Take the oldest item, waiting ``timeout`` seconds (None: for ever); :class:`Empty` when none came."""
        if not self._items:
            if timeout is not None and timeout <= 0:
                raise Empty
            self._wait(timeout)
        return self._items.popleft()

    def _wake(self) -> None:
        get_hub().loop.run_callback(self._getters.pop(0).switch, True)

    def _wait(self, timeout: float | None) -> None:
        """Until there is an item; :class:`Empty` when there is none in time."""
        waiter: Any = Waiter()
        timer = None if timeout is None else self._clock.after(timeout, waiter.switch, False)
        try:
            while not self._items:
                self._getters.append(waiter)
                if not waiter.get() and not self._items:
                    raise Empty
                waiter.clear()  # another greenlet may have taken what we were woken for
        except BaseException:
            # Whoever is killed here may have been the one who was woken.
            if waiter not in self._getters and self._items and self._getters:
                self._wake()
            raise
        finally:
            if waiter in self._getters:
                self._getters.remove(waiter)
            if timer is not None:
                timer.cancel()


class _Job:
    """Work for a thread, as long as somebody waits for it. ``thread``: 0 until one has begun it."""

    __slots__ = ("pool", "thread")

    def __init__(self, pool: ThreadPool) -> None:
        self.pool = pool
        self.thread = 0


class VirtualClock(Clock):
    """A clock for tests: it jumps to the next timer whenever everything else is idle.

    What hangs for good (a test made it so) says so, or time would stand still for ever. That is told apart by thread:
    beside one that hangs, another one may be at work, and time waits for that.
    """

    def __init__(self, start: datetime = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._timers: list[tuple[float, int, _VirtualTimer]] = []
        self._order = count()
        self._open_outside = 0
        self._hanging = 0
        self._jobs: set[_Job] = set()
        self._threads: dict[int, ThreadPool] = {}  # whose thread each one is
        self._hanging_threads: dict[int, ThreadPool | None] = {}
        self._hub = get_hub()
        loop: Any = self._hub.loop
        self._idle = loop.idle()
        self._idle.priority = loop.MINPRI
        self._watching = False
        self._closed = False
        self._wall_shift = timedelta()

    def monotonic(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed) + self._wall_shift

    def after(self, seconds: float, function: Callable[..., object], *args: object) -> Timer:
        timer = _VirtualTimer(function, args)
        heapq.heappush(self._timers, (self._elapsed + max(0.0, seconds), next(self._order), timer))
        self._watch()
        return timer

    def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            gevent.sleep(0)
            return
        done = gevent.event.Event()
        timer = self.after(seconds, done.set)
        try:
            done.wait()
        finally:
            timer.cancel()

    @contextmanager
    def outside(self) -> Iterator[None]:
        self._open_outside += 1
        self._unwatch()
        try:
            yield
        finally:
            self._open_outside -= 1
            self._watch()

    def blocking(self, pool: ThreadPool, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        job = _Job(pool)

        def work() -> T:
            job.thread = get_ident()
            self._threads[job.thread] = pool
            return function(*args, **kwargs)

        self._jobs.add(job)
        self._look()
        try:
            return _applied(pool, work, (), {})
        finally:
            self._jobs.discard(job)
            self._watch()

    def outside_hangs(self, thread: int = 0) -> None:
        if thread:
            self._hanging_threads[thread] = self._threads.get(thread)
        else:
            self._hanging += 1
        self._watch()

    def outside_returns(self, thread: int = 0) -> None:
        if thread:
            self._hanging_threads.pop(thread, None)
        else:
            self._hanging -= 1
        self._look()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass, with everything that is due in them."""
        self.sleep(seconds)

    def shift_wall(self, by: timedelta) -> None:
        """Make the wall clock jump, as an administrator or NTP might; monotonic time does not move."""
        self._wall_shift += by

    def close(self) -> None:
        """Forget all timers and take no more: a greenlet that a finished test left behind, and that sleeps for ever
        again, would keep the hub turning as fast as it can through all later tests."""
        self._closed = True
        self._timers.clear()
        self._unwatch()
        self._idle.close()

    def _watch(self) -> None:
        if not self._closed and not self._watching and self._timers and not self._stands():
            self._watching = True
            self._idle.start(self._on_idle)

    def _look(self) -> None:
        """Something at work has come, or gone on."""
        if self._stands():
            self._unwatch()
        else:
            self._watch()

    def _stands(self) -> bool:
        """Whether something is at work outside of the hub."""
        return self._open_outside > self._hanging or any(map(self._works, self._jobs))

    def _works(self, job: _Job) -> bool:
        hanging = self._hanging_threads
        if job.thread:
            return job.thread not in hanging
        # Not begun: it soon will be, unless all threads that could begin it hang.
        return sum(pool is job.pool for pool in hanging.values()) < job.pool.maxsize

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            self._idle.stop()

    def _on_idle(self) -> None:
        if self._jobs and self._stands():  # a thread has begun what had to wait for one
            self._unwatch()
            return
        timers = self._timers
        while timers and timers[0][2].function is None:
            heapq.heappop(timers)
        if not timers:
            self._unwatch()
            return
        due, _, timer = heapq.heappop(timers)
        self._elapsed = max(self._elapsed, due)
        function, args = timer.function, timer.args
        timer.cancel()
        if function is not None:
            function(*args)


class _VirtualTimer:
    __slots__ = ("args", "function")

    def __init__(self, function: Callable[..., object], args: tuple[object, ...]) -> None:
        self.function: Callable[..., object] | None = function
        self.args = args

    def cancel(self) -> None:
        self.function = None
        self.args = ()
