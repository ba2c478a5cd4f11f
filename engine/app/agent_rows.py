"""What is kept of an agent for the next engine: as the ACD says it, and as a row of the store."""

from __future__ import annotations

from datetime import datetime

from engine.acd.acd import AgentMemory
from engine.acd.tallies import TallyMemory
from engine.store.rows import AgentRow
from engine.types import AgentState


def agent_row(memory: AgentMemory) -> AgentRow:
    """The row of an agent."""
    return AgentRow(
        agent=memory.id,
        state=str(memory.state),
        since=memory.since,
        reason=memory.reason,
        phone=memory.phone,
        call=memory.call,
        data={
            "until": memory.until.isoformat() if memory.until else None,
            "free_since": memory.free_since.isoformat() if memory.free_since else None,
            "misses": memory.misses,
            "calls_taken": memory.calls_taken,
            "queue": memory.queue,
            "calls": memory.tally.calls,
            "talked": round(memory.tally.talked, 3),
            "offered": {queue: when.isoformat() for queue, when in memory.tally.offered.items()},
        },
    )


def agent_memory(row: AgentRow) -> AgentMemory:
    """What :func:`agent_row` was made of."""

    def moment(key: str) -> datetime | None:
        text = row.data.get(key)
        return datetime.fromisoformat(text) if text else None

    return AgentMemory(
        id=row.agent,
        state=AgentState(row.state),
        since=row.since,
        reason=row.reason,
        phone=row.phone,
        until=moment("until"),
        free_since=moment("free_since"),
        misses=int(row.data.get("misses", 0)),
        calls_taken=int(row.data.get("calls_taken", 0)),
        call=row.call,
        queue=str(row.data.get("queue", "")),
        tally=TallyMemory(
            int(row.data.get("calls", 0)),
            float(row.data.get("talked", 0.0)),
            {
                str(queue): datetime.fromisoformat(when)
                for queue, when in (row.data.get("offered") or {}).items()
            },
        ),
    )
