"""What comes to one waiting caller, and when: relaxing, the end of a sticky wait, overflow, the longest wait.

All of it is known when the caller enters, so nothing is polled. A caller has one timer, for whatever comes next;
the clock keeps the timers of all in one heap (libev's), where thousands cost no more than a few.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from engine.clock import Clock, Timer

SOON = 0.000_001  # timers come a rounding error early: what is due within this is due


class Timeline:
    """The future of one caller, on the clock's monotonic time. ``cancel`` when it does not wait any more."""

    __slots__ = ("_clock", "_events", "_order", "_over", "_timer")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._timer: Timer | None = None
        self._over = False

    def at(self, moment: float, deed: Callable[[], object]) -> None:
        """Let something happen at a moment, or as soon as :meth:`start` is called where that has passed. What comes at
        the same moment comes in the order in which it was told."""
        heapq.heappush(self._events, (moment, next(self._order), deed))

    def start(self) -> None:
        """Wait for what is next. To be called after any :meth:`at`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._events and not self._over:
            seconds = max(0.0, self._events[0][0] - self._clock.monotonic())
            self._timer = self._clock.after(seconds, self._come)

    def cancel(self) -> None:
        """Nothing happens any more."""
        self._over = True
        self._events.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _come(self) -> None:
        self._timer = None
        while not self._over and self._events and self._events[0][0] <= self._clock.monotonic() + SOON:
            _, _, deed = heapq.heappop(self._events)
            deed()
        self.start()
