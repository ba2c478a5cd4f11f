"""The picture that the journal's rows make when they are read again: who did what, and who waited, at any moment.

    picture = Picture()
    for row in rows:        # oldest first
        picture.take(row)

It knows what the rows say and nothing else: no configuration, no clock, no live state. So what is built on it
(:mod:`engine.acd.explain`) holds for a call of last month as for one that waits now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.acd.board import lacks
from engine.types import AgentState, JournalEntry

READY = AgentState.READY.value
LOGGED_OUT = AgentState.LOGGED_OUT.value
JOINING = frozenset({"queue.entered", "queue.resumed", "queue.moved"})
LEAVING = frozenset({"queue.answered", "queue.left", "call.ended"})


@dataclass(slots=True)
class Person:
    """An agent, as far as the rows have told. ``queues`` and ``has`` are None until a row said them."""

    id: str
    queues: Mapping[str, int] | None = None
    has: Mapping[str, int] | None = None
    withheld: Mapping[str, str] = field(default_factory=dict)  # skills that don't count, and why
    state: str = LOGGED_OUT
    reason: str = ""
    call: str = ""
    since: datetime | None = None

    def serves(self, queue: str) -> bool:
        """Whether it takes calls of that queue."""
        return self.queues is not None and queue in self.queues


@dataclass(slots=True)
class Waiter:
    """A caller in a queue. ``since`` is where its wait began, waits elsewhere included."""

    call: str
    queue: str
    since: datetime
    needs: Mapping[str, int] = field(default_factory=dict)
    priority: int = 0
    head_start: float = 0.0
    prefer: str = ""
    sticky: bool = False
    rings: list[str] = field(default_factory=list)  # agents whose phones ring for it

    @property
    def turn(self) -> float:
        """What callers of a queue are ordered by."""
        return self.since.timestamp() - self.head_start


class Picture:
    """Agents and callers after the rows that were taken."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.waiting: dict[str, Waiter] = {}
        self.held: dict[str, datetime] = {}  # why no offers are made, since when
        self.closed: dict[str, str] = {}  # queue -> why

    def person(self, agent: str) -> Person:
        """The agent; a new one when no row spoke of it yet."""
        return self.people.setdefault(agent, Person(agent))

    def of_queue(self, queue: str) -> Iterator[Person]:
        """The agents who serve a queue, by their ids."""
        for _, person in sorted(self.people.items()):
            if person.serves(queue):
                yield person

    def line(self, queue: str) -> list[Waiter]:
        """Who waits in a queue, in the order of their turns."""
        found = (waiter for waiter in self.waiting.values() if waiter.queue == queue)
        return sorted(found, key=lambda waiter: waiter.turn)

    def take(self, row: JournalEntry) -> None:
        """One more row."""
        data = row.data
        if row.kind in JOINING:
            self._join(row)
        elif row.kind in LEAVING:
            self.waiting.pop(row.call, None)
        elif row.kind == "agent.seated":
            person = self.person(row.agent)
            person.queues, person.has = data.get("queues") or {}, data.get("has") or {}
            person.withheld = data.get("withheld") or {}
        elif row.kind == "agent.state":
            person = self.person(row.agent)
            person.state, person.reason = str(data.get("state", "")), str(data.get("reason", ""))
            person.call, person.since = row.call, row.at
        elif row.kind == "offers.held":
            self.held.setdefault(str(data.get("why", "")), row.at)
        elif row.kind == "offers.made_again":
            self.held.clear()
        elif row.kind == "queue.closed":
            self.closed[row.queue] = str(data.get("why", ""))
        elif row.kind == "queue.opened":
            self.closed.pop(row.queue, None)
        elif (waiter := self.waiting.get(row.call)) is not None:
            _change(waiter, row)

    def _join(self, row: JournalEntry) -> None:
        data = row.data
        before = self.waiting.get(row.call)
        waiter = Waiter(row.call, row.queue, row.at - timedelta(seconds=float(data.get("waited", 0.0))))
        if before is not None and row.kind == "queue.moved":
            waiter.needs, waiter.priority = before.needs, before.priority
            waiter.head_start = before.head_start
        _change(waiter, row)
        self.waiting[row.call] = waiter


def _change(waiter: Waiter, row: JournalEntry) -> None:
    data = row.data
    if "needs" in data:
        waiter.needs = data["needs"] or {}
    if row.kind in JOINING or row.kind == "queue.raised":
        waiter.priority = int(data.get("priority", waiter.priority))
        waiter.head_start = float(data.get("head_start", waiter.head_start))
    if row.kind in JOINING or row.kind == "queue.sticky":
        waiter.prefer = str(data.get("prefer", waiter.prefer))
    if row.kind in ("queue.sticky", "queue.sticky_over"):
        waiter.sticky = row.kind == "queue.sticky"
    if row.kind == "offer.made":
        waiter.rings.append(row.agent)
    elif row.kind.startswith("offer.") and row.agent in waiter.rings:
        waiter.rings.remove(row.agent)


def missing(having: Mapping[str, int], asked: Mapping[str, int]) -> dict[str, int]:
    """Each thing that is asked and not had at that level, with the level asked."""
    return lacks(having, tuple(asked.items()))
