"""What goes into the store and comes out of it, as frozen records. Times are aware UTC, lengths seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Cdr:
    """A call that is over. ``call`` is its key: writing it again replaces what was known before."""

    call: str
    arrived: datetime
    ended: datetime
    answered: datetime | None = None
    node: str = ""
    origin: str = ""
    number: str = ""
    dialled: str = ""
    department: str = ""
    flow: str = ""  # the one it began with
    last_flow: str = ""
    last_step: str = ""
    revision: int = 0
    flow_hash: str = ""
    language: str = ""
    seconds: float = 0.0  # from the answer to the end
    waited: float = 0.0  # in queues
    talked: float = 0.0  # with agents
    outcome: str = ""  # how it went for the caller: "contained", "talked", "abandoned", "lost_place" …
    cause: str = ""  # the switch's hang-up cause
    ordinary: bool = True  # somebody hung up in the ordinary way
    queue: str = ""  # the last one it waited in
    agent: str = ""  # the last one it talked to
    recording: str = ""
    disposition: str = ""
    adopted: int = 0  # how often a restarted engine took it up
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentRow:
    """The last known state of an agent."""

    agent: str
    state: str  # engine.types.AgentState
    since: datetime
    reason: str = ""
    phone: str = ""
    call: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording as the store keeps it. ``path`` is relative to the recordings folder."""

    id: str
    call: str
    part: int
    path: str
    began: datetime
    policy: str = ""
    agent: str = ""
    ended: datetime | None = None
    seconds: float = 0.0  # read from the file, never from the clock
    size: int = 0  # bytes
    masks: tuple[tuple[datetime, datetime | None, str], ...] = ()
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeedRow:
    """What is known of a deed. ``state``: "done", or "pending" while a remote has not confirmed."""

    key: str
    department: str
    state: str
    result: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class Health:
    """How the store does at this moment, for ``status`` and the board."""

    spooling: bool  # the database can't be written; rows go to the disk instead
    since: datetime | None  # since when
    reason: str  # why, in one line
    waiting: int  # rows in memory
    spooled: int  # bytes on disk that wait for the database
    lost: int  # rows that found neither database nor disk
    refused: int  # rows that the database will never take; they are kept beside the spool
    stuck: int  # threads whose job ran into its limit and has not come back
    written: int  # rows written since the start


@dataclass(frozen=True, slots=True)
class DayQueue:
    """A queue's day."""

    queue: str
    calls: int
    answered: int
    abandoned: int
    waited: float  # seconds, mean of all
    longest: float


@dataclass(frozen=True, slots=True)
class Day:
    """What a stretch of time was, counted from the CDRs."""

    since: datetime
    until: datetime
    calls: int
    answered: int  # picked up by the centre
    talked: int  # talked to an agent
    abandoned: int  # hung up in a queue
    seconds: float  # of all calls together
    talk_seconds: float
    recordings: int
    outcomes: Mapping[str, int]
    flows: Mapping[str, int]
    agents: Mapping[str, int]
    queues: tuple[DayQueue, ...]
    busiest: int = 0  # the most calls at one time
