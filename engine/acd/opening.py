"""When queues are open: by the calendar that each names, and by what a supervisor says.

The calendars stand above this layer, so they are asked through :data:`HoursOf`. They are asked when something is
known to change, and whenever somebody says that they are others now (:meth:`Opening.look`); a calendar's answer is
never older than :data:`LONGEST`, because the wall clock may be set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from engine.acd.config import QueueConfig
from engine.acd.report import Reporter
from engine.clock import Clock, Timer

LONGEST = 900.0  # seconds between two looks at the calendars, at most
HOURS = "hours"  # why a queue is closed, when its calendar says so


class Hours(NamedTuple):
    """What a calendar says now: open or not, in how many seconds that changes (None: not soon), and ``why``
    ("Saturday", "closed by 8019: a typhoon")."""

    open: bool
    changes: float | None = None
    why: str = ""


HoursOf = Callable[[str], Hours]


class Opening:
    """Which queues take callers. ``closing(queue)`` is told of each that closes."""

    def __init__(
        self,
        queues: Mapping[str, QueueConfig],
        clock: Clock,
        report: Reporter,
        closing: Callable[[str], None],
    ) -> None:
        self._queues = queues
        self._clock = clock
        self._report = report
        self._closing = closing
        self._hours: HoursOf | None = None
        self._closed: dict[str, dict[str, str]] = {}  # queue -> why it is closed -> by whom
        self._since: dict[tuple[str, str], datetime] = {}  # queue, why
        self._timer: Timer | None = None

    def watch(self, hours: HoursOf) -> None:
        """Ask ``hours`` from now on."""
        self._hours = hours
        self.look()

    def look(self) -> None:
        """The calendars may be others now: see which queues they close and open."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._hours is None:
            return
        soonest = LONGEST
        for name, queue in self._queues.items():
            if queue.calendar is None:
                continue
            now = self._hours(queue.calendar)
            if now.changes is not None:
                soonest = min(soonest, max(0.001, now.changes))
            if now.open:
                self.open(name, HOURS)
            else:
                self.close(name, HOURS)
        if any(queue.calendar is not None for queue in self._queues.values()):
            self._timer = self._clock.after(soonest, self.look)

    def closed(self, queue: str) -> str:
        """Why the queue takes nobody; "" when it does."""
        return next(iter(self._closed.get(queue, ())), "")

    def because(self, queue: str) -> dict[str, str]:
        """What the journal says of a queue that takes nobody: ``why``, ``by``, and where its calendar closes it the
        ``calendar`` and what that ``says``; ``since`` when, where this engine knows it. {} when it takes callers."""
        why, calendar = self.closed(queue), self._queues[queue].calendar if queue in self._queues else None
        if why == HOURS and calendar is not None and self._hours is not None:
            return {"why": why, "calendar": calendar, "says": self._hours(calendar).why}
        if not why:
            return {}
        since = self._since.get((queue, why))
        return {"why": why, "by": self._closed[queue][why], **({"since": since.isoformat()} if since else {})}

    def close(self, queue: str, why: str, by: str = "") -> None:
        """Take nobody from now on. Harmless when it is closed for that already."""
        whys = self._closed.setdefault(queue, {})
        if why not in whys:
            whys[why] = by
            self._since[queue, why] = self._clock.now()
            said = self.because(queue) if why == HOURS else {}
            self._report.write("queue.closed", queue=queue, **{"why": why, "by": by, **said})
            self._report.tell("queue_closed", queue=queue, why=why)
            self._closing(queue)

    def open(self, queue: str, why: str, by: str = "") -> None:
        """Take that reason away; with none left the queue takes callers."""
        whys = self._closed.get(queue, {})
        self._since.pop((queue, why), None)
        if whys.pop(why, None) is not None:
            if not whys:
                self._report.write("queue.opened", queue=queue, why=why, by=by)
            if why != HOURS:
                self._report.tell("queue_opened", queue=queue, why=why)

    def by_hand(self) -> dict[str, dict[str, str]]:
        """Queue -> why it is closed -> by whom; what calendars say is not among it."""
        found = {
            name: {why: by for why, by in whys.items() if why != HOURS} for name, whys in self._closed.items()
        }
        return {name: whys for name, whys in found.items() if whys}

    def restore(self, kept: Mapping[str, Mapping[str, str]]) -> None:
        """After a restart: what :meth:`by_hand` said. Nothing has changed, so nothing is written."""
        for name, whys in kept.items():
            if name in self._queues:
                self._closed.setdefault(name, {}).update(whys)

    def reopen(self, queue: str, by: str = "") -> None:
        """Take away every reason but the calendar's."""
        for why in [why for why in self._closed.get(queue, {}) if why != HOURS]:
            self.open(queue, why, by)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
