"""What the desk sees of every caller, beside what the flow and plugins tell it: past calls, open and solved tickets.

A caller whose identity is withheld has no past here: nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import structlog

from engine.errors import StoreError
from engine.records.tickets import OWED
from engine.store import queries
from engine.types import TicketView

if TYPE_CHECKING:
    from engine.flows.run import Run

log = structlog.get_logger(__name__)

CALLS: Final = 5
TICKETS: Final = 5
WITHIN: Final = 1.0
"""Seconds that the database may take: the caller is about to wait for somebody."""


def screen(run: Run) -> dict[str, Any]:
    """``stage`` and ``notes`` of the party, ``past_calls``, ``open_tickets`` and ``solved_tickets``: lists of texts,
    what there is of it."""
    if run.deferred or run.discarded:
        return {}
    call, party, services = run.call, run.party, run.services
    numbers = tuple(dict.fromkeys([*(party.numbers if party is not None else ()), call.number]))
    numbers = tuple(number for number in numbers if number)
    id = party.id if party is not None else 0
    if not numbers and not id:
        return {}
    zone = ZoneInfo(services.timezone)

    def look(session: Any) -> tuple[list[str], list[TicketView]]:
        calls = queries.past_calls(session, numbers, limit=CALLS)
        tickets = (
            services.records.desk(session).of_caller(numbers, id) if services.records is not None else []
        )
        said = [_call(row, zone) for row in calls]
        return said, tickets

    try:
        calls, tickets = services.store.read(look, WITHIN)
    except StoreError as error:
        log.warning("screen.not_looked_up", call=call.id, error=str(error))
        return {}
    found: dict[str, Any] = {
        "stage": party.stage if party is not None else "",
        "notes": party.notes if party is not None else "",
        "past_calls": calls,
        "open_tickets": _said([one for one in tickets if one.state in OWED], zone),
        "solved_tickets": _said([one for one in tickets if one.state not in OWED], zone),
    }
    return {name: value for name, value in found.items() if value}


def _call(row: Any, zone: ZoneInfo) -> str:
    who = f" with {row.agent}" if row.agent else ""
    came_to = f" ({row.disposition})" if row.disposition else ""
    return f"{_moment(row.arrived, zone)} {row.queue or row.flow}: {row.outcome}{who}{came_to}"


def _said(tickets: Sequence[TicketView], zone: ZoneInfo) -> list[str]:
    said = []
    for one in tickets[:TICKETS]:
        due = f", due {_moment(one.due, zone)}" if one.due is not None and one.state in OWED else ""
        said.append(f"{one.number} {one.kind}: {one.state}{due}")
    return said


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


__all__ = ["screen"]
