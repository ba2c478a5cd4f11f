"""Making a company system misbehave: it hangs, it fails, it takes its time.

The department's own adapter is wrapped, so that everything between the flow and the system is the real thing:
worker thread, transaction, time limit. On the virtual clock a thread that hangs would stop time itself; it says
that it hangs, so that time goes on and its limit can pass.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gevent import monkey
from gevent.hub import get_hub

from engine.clock import VirtualClock
from engine.hooks.department import Adapter, Department

_lock: Any = monkey.get_original("_thread", "allocate_lock")


class Trouble:
    """One company system of a department. ``over`` puts everything right again."""

    def __init__(self, clock: VirtualClock, department: Department, contract: str) -> None:
        adapters = {adapter.name: adapter for adapter in department.adapters}
        if contract not in adapters:
            raise AssertionError(
                f"{department.name} has no {contract}, only {', '.join(adapters) or 'nothing'}"
            )
        self._clock = clock
        self._hub = get_hub()
        self._department = department
        self._former = department.adapters
        self._adapter = adapters[contract]
        self._waiting: list[Any] = []

    def hangs(self) -> None:
        """Every call to it never returns (until the test is over)."""
        self._wrap(self._hang)

    def raises(self, error: Exception) -> None:
        """Every call to it raises ``error``."""

        def fail() -> None:
            raise error

        self._wrap(fail)

    def after(self, seconds: float) -> None:
        """Every call to it takes ``seconds`` longer."""
        self._wrap(lambda: self._pause(seconds))

    def over(self) -> None:
        """It works again; whatever hangs returns."""
        self._department.adapters = self._former
        waiting, self._waiting = self._waiting, []
        for lock in waiting:
            lock.release()

    def _wrap(self, before: Any) -> None:
        made = self._adapter
        assert made.sql is not None

        def build(session: Any) -> Any:
            return _Wrapped(made.sql(session), before)  # type: ignore[misc]

        wrapped = replace(made, sql=build)
        self._department.adapters = tuple(_same(one, made, wrapped) for one in self._former)

    def _hang(self) -> None:
        lock = _lock()
        lock.acquire()
        self._waiting.append(lock)
        self._hub.loop.run_callback_threadsafe(self._clock.outside_hangs)
        lock.acquire()
        self._hub.loop.run_callback_threadsafe(self._clock.outside_returns)

    def _pause(self, seconds: float) -> None:
        lock = _lock()
        lock.acquire()

        def on_hub() -> None:
            self._clock.outside_hangs()
            self._clock.after(seconds, self._return, lock)

        self._hub.loop.run_callback_threadsafe(on_hub)
        lock.acquire()

    def _return(self, lock: Any) -> None:
        self._clock.outside_returns()
        lock.release()


class _Wrapped:
    """A company system behind its trouble."""

    def __init__(self, system: Any, before: Any) -> None:
        self._system = system
        self._before = before

    def __getattr__(self, name: str) -> Any:
        self._before()
        return getattr(self._system, name)


def _same(one: Adapter, made: Adapter, wrapped: Adapter) -> Adapter:
    return wrapped if one is made else one
