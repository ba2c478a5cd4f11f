"""Two weeks that never were: what a department puts into the sample company's past (``Department(history=…)``).

A :class:`History` knows the days and how busy each was (Mondays are, and on the day of the typhoon everybody calls),
and writes what would have been written: CDRs, rows of the journal, tickets, ratings, knowledge, certificates. All of it
is drawn from a seed, so that two databases get the same past.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from engine.records.certification import Certifications
from engine.records.knowledge import Library
from engine.records.party_table import PartiesIn
from engine.records.tickets import Desk, Due, Kinds, SiteOf
from engine.store import tables, tables_tickets
from engine.store.columns import encode
from engine.store.tables_clips import ratings
from engine.types import PartyView

NODE: Final = "sample"
"""The node of calls that never were: what tells them from real ones."""
_WEEK: Final = (1.6, 1.1, 1.0, 0.95, 1.05, 0.35, 0.2)
_TYPHOON: Final = 2.6
_BATCH: Final = 2_000


class Calendar:
    """The days of the past, and how busy each was."""

    def __init__(self, today: date, days: int) -> None:
        self.today = today
        #: Oldest first; the last one is yesterday.
        self.days = [today - timedelta(days=back) for back in range(days, 0, -1)]
        workdays = [day for day in self.days if 1 <= day.weekday() <= 3]
        #: The day of the typhoon: a working day in the second half, no Monday. None in a past too short for one.
        self.typhoon = next((day for day in workdays if day >= self.days[len(self.days) // 2]), None)

    @property
    def mondays(self) -> list[date]:
        return [day for day in self.days if day.weekday() == 0]

    @property
    def workdays(self) -> list[date]:
        return [day for day in self.days if day.weekday() < 5]

    def weight(self, day: date) -> float:
        """How many calls there were, against an ordinary Wednesday."""
        return _TYPHOON if day == self.typhoon else _WEEK[day.weekday()]


class History:
    """One department's hand in the past."""

    def __init__(
        self,
        session: Session,
        calendar: Calendar,
        *,
        department: str,
        zone: tzinfo,
        e164: Callable[[str], str],
        due: Due,
        kinds: Kinds | None = None,
        site_of: SiteOf = lambda session, who: None,
        ids: list[int] | None = None,
        hand: str = "",
    ) -> None:
        """``ids`` is the last id of the journal, shared by all departments of a seeding. Two hands in one department's
        past have a name each, or their calls would get the same ids."""
        self.session = session
        self.calendar = calendar
        self.today, self.days, self.typhoon = calendar.today, calendar.days, calendar.typhoon
        self.random = random.Random(f"{department}{hand} {calendar.today}")
        self.department = department
        self._zone = zone
        self._e164 = e164
        self._due = due
        self._kinds = kinds or {}
        self._site_of = site_of
        self._ids = ids if ids is not None else [0]
        self._rows: dict[str, tuple[Table, list[dict[str, Any]]]] = {}

    # -- time -----------------------------------------------------------------------------------------

    def at(self, day: date, clock: str | time) -> datetime:
        """A moment of a day, by the centre's clock: ``history.at(day, "09:30")``. Aware UTC."""
        when = clock if isinstance(clock, time) else time.fromisoformat(clock)
        return datetime.combine(day, when, self._zone).astimezone(UTC)

    def weight(self, day: date) -> float:
        """How busy a day was, against an ordinary Wednesday: Mondays 1.6, the day of the typhoon 2.6."""
        return self.calendar.weight(day)

    def times(self, day: date, count: float) -> list[datetime]:
        """Moments of a working day, in their order: ``count`` on an ordinary Wednesday, as many more or fewer as the
        day was busy. Most are in the hours before and after lunch."""
        wanted = count * self.weight(day)
        number = int(wanted) + (self.random.random() < wanted % 1)
        found = []
        for _ in range(number):
            hour = self.random.choices(range(8, 18), (4, 11, 14, 12, 4, 8, 13, 12, 9, 3))[0]
            minute = 30 + self.random.random() * 30 if hour == 8 else self.random.random() * 60
            found.append(self.at(day, time(hour)) + timedelta(minutes=minute))
        return sorted(found)

    # -- who ------------------------------------------------------------------------------------------

    @property
    def parties(self) -> PartiesIn:
        """Who is who, in this transaction."""
        return PartiesIn(self.session, self._e164, self.at(self.days[0], "08:00"))

    def party(self, code: str, *kinds: str) -> PartyView | None:
        """A party by its code."""
        return self.parties.by_code(code, *kinds)

    # -- what was written -----------------------------------------------------------------------------

    def call(
        self,
        at: datetime,
        *,
        queue: str = "",
        agent: str = "",
        number: str = "",
        party: PartyView | None = None,
        waited: float = 0.0,
        talked: float = 0.0,
        wrap: float = 0.0,
        abandoned: bool = False,
        left: str = "",
        flow: str = "",
        dialled: str = "",
        served: float = 30.0,
        language: str = "zh-CN",
        disposition: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> str:
        """A call that arrived ``at``: its CDR, and its rows in the journal. Its id.

        It was led by a flow for ``served`` seconds, waited in ``queue`` for ``waited`` seconds and was talked to for
        ``talked`` seconds by ``agent``, who then worked on it for ``wrap`` seconds. ``abandoned``: the caller hung up
        in the queue; ``left``: it left the queue otherwise (``too_long``, ``closed`` …)."""
        id = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        number = number or (party.numbers[0] if party is not None and party.numbers else "")
        entered = at + timedelta(seconds=served)
        over = entered + timedelta(seconds=waited)
        ended = over + timedelta(seconds=talked)
        outcome = "talked" if talked else "abandoned" if abandoned else "served"
        about: dict[str, Any] = (
            {"party": party.id, "of": party.kind, "code": party.code, "tier": party.tier} if party else {}
        )
        self._row(
            tables.cdr, call=id, node=NODE, number=number, dialled=dialled, department=self.department,
            flow=flow or f"{self.department}/main", last_flow=flow or f"{self.department}/main", revision=1,
            language=language, arrived=at, answered=at, ended=ended, seconds=round((ended - at).total_seconds(), 1),
            waited=round(waited, 1), talked=round(talked, 1), outcome=outcome, cause="NORMAL_CLEARING",
            queue=queue, agent=agent if talked else "", disposition=disposition,
            data=encode({"direction": "in", "ended_by": "caller", **(data or {})}),
        )  # fmt: skip
        self.journal(at, "call.arrived", call=id, number=number, dialled=dialled)
        if about:
            self.journal(at, "party.identified", call=id, by="number", **about)
        if queue:
            self.journal(entered, "queue.entered", call=id, queue=queue, position=1)
            if talked:
                self.journal(
                    over,
                    "queue.answered",
                    call=id,
                    queue=queue,
                    agent=agent,
                    waited=round(waited, 1),
                    rang=4.0,
                )
                self.journal(
                    ended,
                    "talk.over",
                    call=id,
                    queue=queue,
                    agent=agent,
                    by="caller",
                    seconds=round(talked, 1),
                )
                self._state(ended, agent, id, "talking", "wrap_up", talked)
                self._state(ended + timedelta(seconds=wrap), agent, "", "wrap_up", "ready", wrap)
            else:
                reason = "caller" if abandoned else left or "too_long"
                self.journal(over, "queue.left", call=id, queue=queue, reason=reason, waited=round(waited, 1))
        self.journal(ended, "call.ended", call=id, cause="NORMAL_CLEARING", outcome=outcome)
        return id

    def free(self, at: datetime, agent: str, seconds: float) -> None:
        """The agent had been ready for so long when a call came."""
        self._state(at, agent, "", "ready", "talking", seconds)

    def rating(
        self,
        call: str,
        question: str,
        score: int,
        at: datetime,
        *,
        agent: str = "",
        queue: str = "",
        party: PartyView | None = None,
    ) -> None:
        """What a caller answered to a question of the survey (solution, attitude, effort), 1 to 5."""
        self._row(
            ratings, key=f"sample:{call}:{question}", at=at, question=question, score=score, most=5, call=call,
            department=self.department, flow="common/survey", queue=queue, agent=agent, language="zh-CN",
            party=party.id if party is not None else None,
        )  # fmt: skip

    def notice(
        self,
        at: datetime,
        group: str,
        prompt: str,
        *,
        key: str = "",
        text: str = "",
        by: str = "",
        ended: datetime | None = None,
        **values: Any,
    ) -> None:
        """A notice that was told ``at``, in the words ``text``, and acknowledged ``by`` somebody at ``ended``."""
        self._row(
            tables_tickets.notices, id=f"{self.random.getrandbits(48):012x}", group=group, level="warning",
            prompt=prompt, values=encode(values) if values else None, department=self.department, key=key, text=text,
            call="", state="acknowledged" if by else "told", created=at, next=at, way=0, tries=1, by=by, error="",
            ended=ended or at,
        )  # fmt: skip

    def journal(
        self, at: datetime, kind: str, *, call: str = "", agent: str = "", queue: str = "", **data: Any
    ) -> None:
        """A row of the journal."""
        self._ids[0] += 1
        self._row(
            tables.journal, id=self._ids[0], at=at, kind=kind, call=call, agent=agent, queue=queue,
            data=encode(data) if data else None,
        )  # fmt: skip

    def desk(self, at: datetime, by: str = "sample") -> Desk:
        """The tickets as they were at a moment: ``history.desk(at).open(…)``, and ``desk(later, "8012").answer(…)``."""
        return Desk(
            self.session, now=at, due=self._due, numbers=self.random, department=self.department, by=by,
            kinds=self._kinds, site_of=self._site_of,
        )  # fmt: skip

    def knowledge(self, at: datetime, by: str = "sample") -> Library:
        """The knowledge as it was at a moment."""
        day = at.astimezone(self._zone).date()
        return Library(
            self.session, now=at, today=day, department=self.department, by=by, numbers=self.random
        )

    def certification(self, at: datetime) -> Certifications:
        """The certificates as they were at a moment."""
        return Certifications(self.session, self.knowledge(at), now=at)

    def flush(self) -> None:
        """Write what was collected. The engine does it when the department is done."""
        for table, rows in self._rows.values():
            for begin in range(0, len(rows), _BATCH):
                self.session.execute(insert(table), rows[begin : begin + _BATCH])
            rows.clear()

    # -- inside ---------------------------------------------------------------------------------------

    def _state(self, at: datetime, agent: str, call: str, before: str, state: str, spent: float) -> None:
        self.journal(
            at, "agent.state", call=call, agent=agent, before=before, state=state, seconds=round(spent, 1)
        )

    def _row(self, table: Table, **values: Any) -> None:
        self._rows.setdefault(table.name, (table, []))[1].append(values)


__all__ = ["NODE", "Calendar", "History"]
