"""A circuit breaker: who fails again and again is left alone for a while.

closed --(failures in a row)--> open --(rest)--> half open --(one good answer)--> closed
                                  ^------------(one more failure)------'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from engine.clock import Clock

CLOSED = "closed"
OPEN = "open"
HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerView:
    """A breaker at this moment."""

    name: str
    state: str
    failures: int  # in a row
    since: datetime  # when it came into this state
    error: str  # the last failure


class Breaker:
    """One thing that may fail. ``failures`` in a row open it for ``rest`` seconds."""

    __slots__ = (
        "_clock",
        "_failures",
        "_most",
        "_on_change",
        "_open_at",
        "_probing",
        "_rest",
        "_view",
        "name",
    )

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        failures: int = 5,
        rest: float = 30.0,
        on_change: Callable[[BreakerView], object] | None = None,
    ) -> None:
        self.name = name
        self._clock = clock
        self._most = failures
        self._rest = rest
        self._on_change = on_change
        self._failures = 0
        self._open_at = 0.0
        self._probing = False
        self._view = BreakerView(name, CLOSED, 0, clock.now(), "")

    @property
    def view(self) -> BreakerView:
        """Its state at this moment."""
        old = self._view
        return BreakerView(old.name, self.state, self._failures, old.since, old.error)

    @property
    def state(self) -> str:
        if self._view.state == OPEN and self._clock.monotonic() - self._open_at >= self._rest:
            return HALF_OPEN
        return self._view.state

    @property
    def rest_left(self) -> float:
        """Seconds until the next try is let through."""
        if self._view.state != OPEN:
            return 0.0
        return max(0.0, self._open_at + self._rest - self._clock.monotonic())

    def admits(self) -> bool:
        """May it be tried now? In half open one may, until it is told how that went."""
        state = self.state
        if state == CLOSED:
            return True
        if state == OPEN or self._probing:
            return False
        self._probing = True
        return True

    def good(self) -> None:
        """It gave an answer."""
        self._failures = 0
        self._probing = False
        if self._view.state != CLOSED:
            self._become(CLOSED, "")

    def bad(self, error: str) -> None:
        """It failed."""
        self._failures += 1
        self._probing = False
        if self._view.state == OPEN:
            if self._clock.monotonic() - self._open_at >= self._rest:
                self._open_at = self._clock.monotonic()  # the try in half open failed: it rests again
        elif self._failures >= self._most:
            self._open_at = self._clock.monotonic()
            self._become(OPEN, error)

    def neither(self) -> None:
        """It was stopped before it could do either."""
        self._probing = False

    def _become(self, state: str, error: str) -> None:
        self._view = BreakerView(self.name, state, self._failures, self._clock.now(), error)
        if self._on_change is not None:
            self._on_change(self._view)
