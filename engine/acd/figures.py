"""What a queue has done so far, and what follows from it for those who wait."""

from __future__ import annotations

from collections import deque

SAMPLES = 50  # the last so many calls speak for the queue
ENOUGH = 5  # with fewer, there is no honest estimate


class Figures:
    """Counters of one queue since the engine started, and how long its last calls kept an agent busy."""

    __slots__ = ("_handled", "_total", "abandoned", "answered", "in_time", "left", "overflowed")

    def __init__(self) -> None:
        self.answered = 0
        self.in_time = 0  # answered within the service level's time
        self.abandoned = 0  # the caller hung up while it waited
        self.left = 0  # left otherwise without an agent
        self.overflowed = 0  # went on elsewhere, as the queue says
        self._handled: deque[float] = deque(maxlen=SAMPLES)
        self._total = 0.0

    def handled(self, seconds: float) -> None:
        """An agent was busy with a call for ``seconds``: ring, talk and the work after it, as they were."""
        if len(self._handled) == SAMPLES:
            self._total -= self._handled[0]
        self._handled.append(seconds)
        self._total += seconds

    def handling_time(self) -> float | None:
        """The mean seconds that a call keeps an agent busy; None while too few are known."""
        return self._total / len(self._handled) if len(self._handled) >= ENOUGH else None

    def expected_wait(self, position: int, agents: float) -> float | None:
        """The probable wait of the caller at ``position`` when ``agents`` work for this queue (one who works for two
        counts half): one becomes free every (handling time / agents) seconds. None when there is no honest figure:
        too few calls are known, or nobody works for this queue now."""
        handling = self.handling_time()
        if handling is None or agents <= 0 or position < 1:
            return None
        return position * handling / agents
