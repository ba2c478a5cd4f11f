"""A call that we owe, as it stands in its row, and the place in a queue that it may keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Kept:
    """A place that is kept: what its caller's queue step had asked for. ``first``: who is rung first, the reserved
    "agent" (the caller, once there, waits for nobody) or the "caller"."""

    skills: Mapping[str, int] = field(default_factory=dict)
    priority: int = 0
    agent: str = ""
    tier: str = ""
    site: str = ""
    away: Sequence[str] = ()  # sites whose agents must not have it
    first: str = "agent"
    last_agent: str = ""  # who had talked to this caller last, where the queue is sticky
    call: str = ""  # the id under which it stands in the queue, and which its call will have


@dataclass(frozen=True, slots=True)
class Owed:
    """A row."""

    id: str
    queue: str
    number: str
    department: str
    flow: str
    language: str
    state: str
    why: str
    created: datetime
    since: datetime
    due: datetime
    until: datetime
    next: datetime
    tries: int
    most: int
    dialled: str
    call: str
    last: str
    data: Mapping[str, Any]
    place: Kept | None = None
