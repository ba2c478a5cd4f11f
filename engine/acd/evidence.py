"""The journal's rows that an explanation needs, by functions for ``Store.read``.

    told = store.read(lambda session: about_call(session, "3f2a9c1b", clock.now()), timeout=5.0)

They work beside a running engine and without one, for a call of today and for one of last month.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from engine.acd.explain import Explanation, explain_call
from engine.acd.explain_agent import AgentExplanation, explain_agent
from engine.errors import NotFound
from engine.store import queries
from engine.types import JournalEntry

SHORTEST = 4  # signs of the beginning of a call's id
REACH = timedelta(hours=12)  # who came into a queue longer ago than that is not looked for
MOST = 50_000  # rows of one explanation
FAMILIES = ("queue.", "offer.", "offers.", "agent.s", "call.ended")  # agent.state and agent.seated
LATER = ("callback.", "talk.transferred", "transfer.missed")  # of the call itself, whenever that was
_MARGIN = timedelta(seconds=1)


def about_call(session: Any, name: str, now: datetime) -> Explanation:
    """Why the call of that id (or of its unique beginning) waited. :class:`NotFound` for one that nobody knows."""
    call = _call_named(session, name)
    own = queries.journal(session, call=call, limit=MOST)
    waits = [row for row in own if row.kind.startswith(("queue.", "offer."))]
    if not waits:
        return explain_call(own, call)
    since, until = waits[0].at, waits[-1].at
    if waits[-1].kind not in ("queue.answered", "queue.left"):
        until = now  # it waits still, or nobody saw how that ended
    before = [row for row in own if row.kind == "call.arrived"]
    later = [row for row in own if row.kind.startswith(LATER)]  # it may be days until a promise is kept
    rows = sorted([*_around(session, since, until), *later], key=lambda row: row.at)
    return explain_call([*before, *rows], call, now)


def about_agent(session: Any, agent: str, since: datetime, until: datetime) -> AgentExplanation:
    """What the agent did between two moments, and who waited meanwhile. :class:`NotFound` for an unknown agent."""
    if not queries.journal(session, agent=agent, kind="agent.", limit=1):
        raise NotFound(f"the journal knows no agent {agent}")
    return explain_agent(_around(session, since, until), agent, since, until)


def _around(session: Any, since: datetime, until: datetime) -> list[JournalEntry]:
    """What agents and callers did from ``since`` on, and before it what still held then."""
    start = since - _MARGIN
    before = [
        *queries.last_of_agents(session, "agent.seated", start),
        *queries.last_of_agents(session, "agent.state", start),
        *queries.waited_at(session, start, start - REACH),
    ]
    before.sort(key=lambda row: row.at)
    return [*before, *queries.happened(session, start, until + _MARGIN, FAMILIES, MOST)]


def _call_named(session: Any, name: str) -> str:
    found = queries.calls_beginning(session, name) if len(name) >= SHORTEST else []
    if name in found:
        return name
    if not found:
        raise NotFound(f"there is no call {name}")
    if len(found) > 1:
        raise NotFound(f"more than one call begins with {name}")
    return found[0]
