"""Runs what departments declare by the clock: each slot once, in the engine that leads.

The last slot of each schedule stands in a table. One that passed while no engine ran is made up for (only the last);
one that failed is tried twice more. A schedule that is seen for the first time begins with its next slot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import InsidelineError, StoreError
from engine.hooks.schedules import Schedule
from engine.store.store import Store
from engine.store.tables_tickets import schedules
from engine.store.upserts import insert_in
from engine.types import JournalEntry

log = structlog.get_logger(__name__)

TRIES: Final = 3
AGAIN: Final = 60.0
BACK: Final = 8  # days that are looked back for the last slot, and ahead for the next
DATABASE: Final = 5.0


class Hours(Protocol):
    """What is asked of the calendars."""

    def is_open(self, calendar: str, moment: datetime) -> bool: ...
    def works(self, calendar: str, day: date) -> bool: ...


@dataclass(frozen=True, slots=True)
class Last:
    """The last slot of a schedule, and what came of it."""

    name: str
    slot: datetime
    state: str  # seen, running, done, failed
    tries: int
    error: str
    at: datetime


def slots(
    schedule: Schedule,
    day: date,
    zone: tzinfo,
    hours: Hours,
    *,
    since: datetime | None = None,
    back: bool = False,
) -> Iterator[datetime]:
    """The slots of one day, in order, aware in UTC: those behind ``since``, or (``back``) those up to it, the last one
    first. A day of a schedule that runs every quarter of a minute has thousands, so only what is asked for is made."""
    if schedule.at is not None:
        slot = datetime.combine(day, schedule.at, zone).astimezone(UTC)
        there = since is None or (slot <= since if back else slot > since)
        if there and (not schedule.calendar or hours.works(schedule.calendar, day)):
            yield slot
        return
    begin = datetime.combine(day, time(), zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    every = timedelta(seconds=schedule.every)
    most = -((begin - end) // every)  # so many of them begin before the day ends
    passed = most if since is None else max(0, min(most, (since - begin) // every + 1))
    for number in range(passed - 1, -1, -1) if back else range(0 if since is None else passed, most):
        slot = begin + number * every
        if not schedule.calendar or hours.is_open(schedule.calendar, slot):
            yield slot


def last_slot(schedule: Schedule, now: datetime, zone: tzinfo, hours: Hours) -> datetime | None:
    """The last slot that has come; None when there was none for a week."""
    today = now.astimezone(zone).date()
    days = (today - timedelta(days=back) for back in range(BACK))
    return next(
        (slot for day in days for slot in slots(schedule, day, zone, hours, since=now, back=True)), None
    )


def next_slot(schedule: Schedule, now: datetime, zone: tzinfo, hours: Hours) -> datetime | None:
    """The next slot that will come; None when there is none for a week."""
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(BACK))
    return next((slot for day in days for slot in slots(schedule, day, zone, hours, since=now)), None)


class Schedules:
    """``work`` is a :class:`~engine.records.duty.Duty`'s."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        declared: Iterable[Schedule],
        *,
        zone: tzinfo,
        hours: Hours,
        run: Callable[[Schedule, str], None],
    ) -> None:
        """``run(schedule, key)`` does the work, exactly once for its key; raises an :class:`InsidelineError`."""
        self.declared = {one.name: one for one in declared}
        self.wake: Callable[[], None] = lambda: None
        self._store = store
        self._clock = clock
        self._zone = zone
        self._hours = hours
        self._run = run
        self._busy: set[str] = set()

    def work(self) -> float | None:
        """Begin what is due; seconds until the next."""
        if not self.declared:
            return None
        now = self._clock.now()
        # Also those that end while the rows are read: a row may still say that it runs, as if its engine were gone.
        busy = set(self._busy)
        known = {row.name: row for row in self._store.read(last_runs, DATABASE)}
        pauses: list[float] = []
        for one in self.declared.values():
            coming = next_slot(one, now, self._zone, self._hours)
            if coming is not None:
                pauses.append((coming - now).total_seconds())
            if one.name in busy or one.name in self._busy:
                continue
            row = known.get(one.name)
            if row is None:
                self._keep(one.name, slot=now, state="seen", tries=0, error="", at=now)
                continue
            again = self._again(row, now)
            slot = last_slot(one, now, self._zone, self._hours)
            if slot is not None and slot > row.slot:
                self._begin(one, slot, 1)
            elif again is not None and again <= 0:
                self._begin(one, row.slot, row.tries + 1)
            elif again is not None:
                pauses.append(again)
        return min(pauses, default=None)

    def _again(self, row: Last, now: datetime) -> float | None:
        """In how many seconds the row's slot is to be tried again; None: never."""
        if row.state == "running":
            return 0.0  # the engine that ran it is gone; what it did is known by its key
        if row.state == "failed" and row.tries < TRIES:
            return (row.at + timedelta(seconds=AGAIN * row.tries) - now).total_seconds()
        return None

    def _begin(self, one: Schedule, slot: datetime, tries: int) -> None:
        self._busy.add(one.name)
        self._clock.spawn(self._do, one, slot, tries)

    def _do(self, one: Schedule, slot: datetime, tries: int) -> None:
        key = f"schedule:{one.name}:{slot.isoformat()}"
        began = self._clock.monotonic()
        try:
            self._keep(one.name, slot=slot, state="running", tries=tries, error="", at=self._clock.now())
            try:
                self._run(one, key)
            except InsidelineError as error:
                self._end(one, slot, "failed", began, tries, str(error))
            else:
                self._end(one, slot, "done", began, tries)
        except StoreError as error:
            log.warning("schedule.not_kept", schedule=one.name, error=str(error))
        except Exception:
            log.exception("schedule.crashed", schedule=one.name)
        finally:
            self._busy.discard(one.name)
            self.wake()

    def _end(
        self, one: Schedule, slot: datetime, state: str, began: float, tries: int, error: str = ""
    ) -> None:
        now = self._clock.now()

        def keep(session: Session) -> None:
            session.execute(
                update(schedules).where(schedules.c.name == one.name).values(state=state, error=error, at=now)
            )

        self._store.work(keep, DATABASE)
        took = round(self._clock.monotonic() - began, 3)
        data: dict[str, Any] = {
            "schedule": one.name,
            "slot": slot.isoformat(),
            "tries": tries,
            "seconds": took,
        }
        if error:
            data["error"] = error
        self._store.journal(JournalEntry(at=now, kind=f"schedule.{state}", data=data))

    def _keep(self, name: str, **values: Any) -> None:
        def keep(session: Session) -> None:
            add = insert_in(session)
            session.execute(
                add(schedules)
                .values(name=name, **values)
                .on_conflict_do_update(index_elements=["name"], set_=values)
            )

        self._store.work(keep, DATABASE)


def last_runs(session: Session) -> list[Last]:
    """The last slot of every schedule that ever ran, by name."""
    query = select(schedules).order_by(schedules.c.name)
    return [Last(**row._mapping) for row in session.execute(query)]
