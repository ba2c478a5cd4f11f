"""Making a company system misbehave: it hangs, it fails, it takes its time.

The department's own adapter is wrapped, so that everything between the flow and the system is the real thing:
worker thread, transaction, outbox, time limit. On the virtual clock a thread that hangs would stop time itself; it says
that it hangs, so that time goes on and its limit can pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gevent import monkey
from gevent.hub import get_hub

from engine.clock import VirtualClock
from engine.hooks.department import Department

_lock: Any = monkey.get_original("_thread", "allocate_lock")
_ident: Any = monkey.get_original("_thread", "get_ident")


class Trouble:
    """One company system of a department. ``over`` puts everything right again."""

    def __init__(self, clock: VirtualClock, department: Department, contract: str) -> None:
        known = [adapter.name for adapter in department.adapters]
        if contract not in known:
            raise AssertionError(f"{department.name} has no {contract}, only {', '.join(known) or 'nothing'}")
        self._clock = clock
        self._hub = get_hub()
        self._thread = _ident()
        self._department = department
        self._contract = contract
        self._waiting: list[tuple[int, Any]] = []  # threads that hang, and the lock of each
        self._back = clock.event()  # what hangs on the hub waits for it

    def hangs(self) -> None:
        """Every call to it never returns (until the trouble is over)."""
        self._wrap(self._hang)

    def raises(self, error: Exception) -> None:
        """Every call to it raises ``error``."""

        def fail() -> None:
            raise error

        self._wrap(fail)

    def after(self, seconds: float | str) -> None:
        """Every call to it takes so much longer: ``"4s"`` or seconds."""
        from engine.testing.centre import seconds_of

        self._wrap(lambda: self._pause(seconds_of(seconds)))

    def over(self) -> None:
        """It works again; whatever hangs returns."""
        self._department.around.pop(self._contract, None)
        waiting, self._waiting = self._waiting, []
        for thread, lock in waiting:
            self._return(thread, lock)
        self._back.set()
        self._back = self._clock.event()

    def _wrap(self, before: Callable[[], None]) -> None:
        self._department.around[self._contract] = lambda system: _Wrapped(system, before)

    @property
    def _on_hub(self) -> bool:
        return bool(_ident() == self._thread)

    def _hang(self) -> None:
        if self._on_hub:
            self._back.wait()
            return
        thread, lock = _ident(), _lock()
        lock.acquire()
        self._waiting.append((thread, lock))
        self._hub.loop.run_callback_threadsafe(self._clock.outside_hangs, thread)
        lock.acquire()

    def _pause(self, seconds: float) -> None:
        if self._on_hub:
            self._clock.sleep(seconds)
            return
        thread, lock = _ident(), _lock()
        lock.acquire()

        def on_hub() -> None:
            self._clock.outside_hangs(thread)
            self._clock.after(seconds, self._return, thread, lock)

        self._hub.loop.run_callback_threadsafe(on_hub)
        lock.acquire()

    def _return(self, thread: int, lock: Any) -> None:
        self._clock.outside_returns(thread)
        lock.release()


class _Wrapped:
    """A company system behind its trouble."""

    def __init__(self, system: Any, before: Callable[[], None]) -> None:
        self._system = system
        self._before = before

    def __getattr__(self, name: str) -> Any:
        self._before()
        return getattr(self._system, name)
