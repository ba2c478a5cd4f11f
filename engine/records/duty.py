"""Work that is due at moments: done by the leader only, again after every restart, and never by polling.

A duty's ``work`` does what is due now and answers in how many seconds it wants to be asked again (None: when it is
woken). Whoever changes what may be due wakes it. Now and then it is asked anyway, for changes that came from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import structlog

from engine.clock import Clock
from engine.errors import InsidelineError

log = structlog.get_logger(__name__)

ANYWAY: Final = 60.0
"""Seconds between two looks at least: another node may share the database."""
AGAIN: Final = 5.0
"""Seconds after a look that failed (the database was away)."""


class Duty:
    """One such work, in a greenlet of its own."""

    def __init__(
        self, name: str, clock: Clock, work: Callable[[], float | None], *, leads: Callable[[], bool]
    ) -> None:
        self.name = name
        self._clock = clock
        self._work = work
        self._leads = leads
        self._wake = clock.event()
        self._greenlet: Any = None

    def start(self) -> None:
        """Begin to look."""
        self._greenlet = self._clock.spawn(self._run)

    def stop(self) -> None:
        """End at once; what is under way is found in the tables by the next engine."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
            self._greenlet = None

    def wake(self) -> None:
        """Look now: something may be due. From the hub only."""
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.clear()
            self._wake.wait(self._look())

    def _look(self) -> float:
        if not self._leads():
            return ANYWAY
        try:
            pause = self._work()
        except InsidelineError as error:
            log.warning("duty.failed", duty=self.name, error=str(error))
            return AGAIN
        except Exception:
            log.exception("duty.crashed", duty=self.name)
            return AGAIN
        return ANYWAY if pause is None else min(max(0.05, pause), ANYWAY)
