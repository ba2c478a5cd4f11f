"""Closing a calendar in an emergency, and opening it again: at once, kept in the store, and written down.

What holds is made of three: the calendars as written with the closures in their file, the closures made by
command or by phone, and what was ended early of either. Whoever reads the calendars gets them as one immutable
object; each change publishes a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

import structlog

from engine.clock import Clock
from engine.errors import NotFound, WrongState
from engine.flows.calendars import Calendars, Closure
from engine.records import closures as kept
from engine.records.closures import KeptClosure
from engine.types import CalendarView, ClosureView, JournalEntry

log = structlog.get_logger(__name__)

LONGEST = timedelta(days=366)
"""A closure ends within a year: longer ones are a mistyped date, or belong into the week of the calendar."""


class Keeper(kept.Database, Protocol):
    """What is needed of the store: rows, and the journal."""

    def journal(self, entry: JournalEntry) -> None: ...


class Closing:
    """Closes and opens the calendars of one centre. Blocks the greenlet that asks (for the database), not the hub.

    ``calendars`` is what holds now; ``publish`` is told of every new one. ``missing`` says in which of the
    centre's languages a prompt is not there.
    """

    def __init__(
        self,
        written: Calendars,
        store: Keeper,
        clock: Clock,
        *,
        publish: Callable[[Calendars], None] = lambda _: None,
        missing: Callable[[str], list[str]] = lambda _: [],
    ) -> None:
        self._written = written
        self._store = store
        self._clock = clock
        self._publish = publish
        self._missing = missing
        self._rows: list[KeptClosure] = []
        self.calendars = written

    def refresh(self) -> None:
        """Read what the store holds: at the start, and when another engine may have written. Raises StoreError."""
        self._rows = kept.load(self._store, self._clock.now())
        self._compose()

    def rewritten(self, written: Calendars) -> None:
        """``conf/calendars.yaml`` says something else from now on."""
        self._written = written
        self._compose()

    # -- what is asked --------------------------------------------------------------------------------

    def state(self, calendar: str, at: datetime | None = None) -> CalendarView:
        """What a calendar says of this moment (or of the aware moment ``at``). Raises NotFound."""
        now = self._clock.now()
        opening = self.calendars.at(calendar, at or now)
        zone = self.calendars[calendar].zone
        mine = [
            ClosureView(
                calendar=one.calendar, begin=one.begin.astimezone(zone), until=one.until.astimezone(zone),
                prompt=one.prompt, by=one.by, why=one.why, how=one.how,
            )
            for one in self.calendars.closures
            if one.calendar == calendar and one.until > now
        ]  # fmt: skip
        return CalendarView(
            name=calendar, timezone=zone.key, open=opening.open, why=opening.why, prompt=opening.prompt,
            until=opening.until, closures=tuple(mine),
        )  # fmt: skip

    def states(self) -> list[CalendarView]:
        """All calendars, by name."""
        return [self.state(name) for name in sorted(self.calendars.names)]

    # -- what is done ---------------------------------------------------------------------------------

    def close(
        self,
        calendar: str,
        until: datetime,
        *,
        by: str,
        why: str = "",
        prompt: str = "",
        begin: datetime | None = None,
        how: str = "command",
        key: str = "",
        instead: bool = False,
    ) -> CalendarView:
        """Close a calendar from now (or ``begin``) on, up to ``until``; a naive time is the calendar's own.

        ``prompt`` is what its callers hear of it. The same ``key`` twice is one closure. ``instead`` ends
        those that hold already. Raises NotFound (no such
        calendar or prompt), WrongState (a time that makes no sense), StoreError: then nothing is closed.
        """
        zone = self.calendars[calendar].zone
        now = self._clock.now()
        key = key or f"{how}:{uuid4().hex}"
        if any(row.key == key for row in self._rows):
            return self.state(calendar)
        begin, until = _aware(begin or now, zone), _aware(until, zone)
        if until <= now:
            raise WrongState(f"{until.astimezone(zone):%Y-%m-%d %H:%M} is over already")
        if until <= begin:
            raise WrongState("a closure can't end before it begins")
        if until - now > LONGEST:
            raise WrongState("a closure ends within a year; what is longer belongs into conf/calendars.yaml")
        if prompt and (missing := self._missing(prompt)):
            raise NotFound(f"there is no prompt {prompt} in {', '.join(missing)}")
        row = KeptClosure(key, calendar, begin, until, prompt, by, why, how)
        others = self._holding(calendar, now) if instead else []
        kept.keep(self._store, row)
        self._put(row)
        if others:
            self._end(others, by, now)
        self._compose()
        self._journal("calendar.closed", calendar, by, why, how, begin=begin, until=until, prompt=prompt)
        return self.state(calendar)

    def open(
        self, calendar: str, *, by: str, why: str = "", how: str = "command", planned: bool = False
    ) -> CalendarView:
        """End the closures of a calendar that hold now (``planned``: also those that are to come).

        The calendar is then open or closed as its hours say. Raises NotFound, WrongState (there is no such
        closure), StoreError.
        """
        self.calendars[calendar]
        now = self._clock.now()
        ended = self._holding(calendar, now, planned=planned)
        if not ended:
            raise WrongState(f"{calendar} has no closure that could be ended")
        self._end(ended, by, now)
        self._compose()
        self._journal("calendar.opened", calendar, by, why, how, closures=len(ended))
        return self.state(calendar)

    # -- inside ---------------------------------------------------------------------------------------

    def _effective(self) -> list[KeptClosure]:
        """Every closure with the end that it has now; those that never took effect are left out."""
        now = self._clock.now()
        known = {row.key: row for row in self._rows}
        every = [known.get(row.key, row) for row in map(_of_file, self._written.closures)]
        every += [row for row in self._rows if row.how != "file"]
        cut = [row if row.ended is None else replace(row, until=min(row.until, row.ended)) for row in every]
        return [row for row in cut if row.until > max(row.begin, now)]

    def _holding(self, calendar: str, now: datetime, *, planned: bool = False) -> list[KeptClosure]:
        return [
            row for row in self._effective() if row.calendar == calendar and (planned or row.begin <= now)
        ]

    def _end(self, rows: list[KeptClosure], by: str, now: datetime) -> None:
        ended = [replace(row, ended=now, ended_by=by) for row in rows]
        kept.end(self._store, ended)
        self._put(*ended)

    def _put(self, *rows: KeptClosure) -> None:
        keys = {row.key for row in rows}
        self._rows = [*(row for row in self._rows if row.key not in keys), *rows]

    def _compose(self) -> None:
        names = self._written.names
        self.calendars = self._written.with_only(
            Closure(row.calendar, row.begin, row.until, row.prompt, row.by, row.why, row.how)
            for row in self._effective()
            if row.calendar in names
        )
        self._publish(self.calendars)

    def _journal(self, kind: str, calendar: str, by: str, why: str, how: str, **more: object) -> None:
        data = {"calendar": calendar, "by": by, "why": why, "how": how, **more}
        self._store.journal(JournalEntry(at=self._clock.now(), kind=kind, data=data))
        log.info(kind, calendar=calendar, by=by, why=why, how=how)


def _aware(when: datetime, zone: object) -> datetime:
    return when if when.tzinfo is not None else when.replace(tzinfo=zone)  # type: ignore[arg-type]


def _of_file(closure: Closure) -> KeptClosure:
    key = f"file:{closure.calendar}:{closure.begin.isoformat()}:{closure.until.isoformat()}"
    return KeptClosure(
        key, closure.calendar, closure.begin, closure.until, closure.prompt, closure.by, closure.why, "file"
    )
