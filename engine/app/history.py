"""The sample company's past: ordinary traffic for every queue, and what each department adds (``history=``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine.app.installation import Installation
from engine.app.records import kinds_of_tickets, site_of
from engine.app.sample import seed_sample
from engine.clock import Clock
from engine.errors import WrongState
from engine.flows.dialplan_file import Rule
from engine.flows.numbers import Numbers
from engine.flows.working_time import working_after
from engine.records.history import NODE, Calendar, History
from engine.records.party_table import PartiesIn
from engine.records.past_calls import PastQueue, fill, repeat_caller
from engine.store.store import Store
from engine.store.tables import cdr
from engine.store.tables_tickets import ticket_history
from engine.types import PartyView

SECONDS = 120.0
KEY = "sample:history"


@dataclass(frozen=True, slots=True)
class Seeded:
    """What `data seed` did."""

    samples: tuple[str, ...]  # departments whose tables were filled now
    days: int  # of history; 0 when there was one already, or none was wanted
    calls: int
    departments: tuple[str, ...]  # that added a history of their own


def seed(made: Installation, store: Store, clock: Clock, days: int) -> Seeded:
    """Put the sample company in, and ``days`` of its past. Done twice is as done once. :class:`WrongState` for a
    database with real calls."""
    samples = tuple(seed_sample(made, store, clock))
    if not days:
        return Seeded(samples, 0, 0, ())
    kept: dict[str, Any] = {}

    def once(session: Session) -> None:
        real = session.execute(select(func.count()).select_from(cdr).where(cdr.c.node != NODE)).scalar() or 0
        if real:
            raise WrongState(f"this database has {real} real calls: a past that never was has no place in it")
        kept["calls"], kept["departments"] = _write(made, session, clock, days)

    store.deed(KEY, "core", once, SECONDS)
    return Seeded(samples, days if kept else 0, kept.get("calls", 0), tuple(kept.get("departments", ())))


def _write(made: Installation, session: Session, clock: Clock, days: int) -> tuple[int, list[str]]:
    zone, e164 = made.settings.zone, Numbers(made.settings.region).e164
    calendar = Calendar(clock.now().astimezone(zone).date(), days)
    calendars = made.calendars
    assert calendars is not None
    parties = PartiesIn(session, e164, clock.now())
    ids = [0]

    def due(name: str, at: datetime, seconds: float) -> datetime:
        return working_after(calendars, name, at, seconds)

    def history(department: str, hand: str = "") -> History:
        return History(
            session,
            calendar,
            department=department,
            zone=zone,
            e164=e164,
            due=due,
            kinds=kinds_of_tickets(made),
            site_of=lambda session, who: site_of(made.acd, parties, who),
            ids=ids,
            hand=hand,
        )

    calls = 0
    every = _queues(made, parties)
    again = "logistics" if "logistics" in every else next((name for name in every), "")
    for department, queues in every.items():
        past = history(department, " traffic")
        calls += fill(past, queues)
        if department == again:
            calls += repeat_caller(past, queues[0])
        past.flush()
    added = []
    for name, one in made.host.departments.items():
        write: Callable[[Session, History], None] | None = one.history
        if write is not None:
            past = history(name)
            write(session, past)
            past.flush()
            added.append(name)
    # Nobody is told today of what happened then; the journal has it at its time.
    past = history("core")
    rows = session.execute(select(ticket_history).where(ticket_history.c.told.is_(False))).all()
    for row in rows:
        past.journal(
            row.at, f"ticket.{row.what}", ticket=row.ticket, by=row.by, before=row.before, after=row.after
        )
    past.flush()
    session.execute(update(ticket_history).where(ticket_history.c.told.is_(False)).values(told=True))
    return calls, added


def _queues(made: Installation, parties: PartiesIn) -> dict[str, list[PastQueue]]:
    """The queues with agents, by the department whose flow leads to them (as its name, or its department's, says)."""
    assert made.acd is not None
    assert made.dialplan is not None
    ways = {}
    for _, way in made.dialplan.rules:
        department = way.flow.partition("/")[0] if way.flow else ""
        if isinstance(way, Rule) and department not in ways:
            ways[department] = (str(way.to), way.flow, way.identity == "deferred")
    found: dict[str, list[PastQueue]] = {}
    for name in made.acd.queues:
        agents = tuple(id for id, agent in made.acd.agents.items() if name in agent.queues)
        department = name if name in ways else name.partition("_")[0]
        if not agents or department not in ways:
            continue
        number, flow, anonymous = ways[department]
        callers = _callers(parties, department)
        queue = PastQueue(name, agents, number, flow or "", tuple(callers), anonymous)
        found.setdefault(department, []).append(queue)
    return found


def _callers(parties: PartiesIn, department: str) -> list[PartyView]:
    """Who calls a department: the parties that it looks after, with numbers."""
    return [one for one in parties.search(department=department, limit=200) if one.numbers]
