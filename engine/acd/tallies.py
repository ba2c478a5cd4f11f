"""What each agent has done since it logged in, as far as strategies and figures want to know it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from engine.acd.config import AcdConfig
from engine.acd.strategies import AVAILABLE, NEVER, Record, Strategy
from engine.clock import Clock


class Worked(NamedTuple):
    """A call kept an agent busy, from the first ring to the end of the work after it."""

    queue: str
    seconds: float


class TallyMemory(NamedTuple):
    """What has to be kept of an agent's counts, so that a restarted engine counts on. Times are aware UTC."""

    calls: int = 0
    talked: float = 0.0
    offered: Mapping[str, datetime] = {}


NOTHING_YET = TallyMemory()


class _Tally:
    __slots__ = ("began", "calls", "offered", "queue", "talked")

    def __init__(self) -> None:
        self.calls = 0
        self.talked = 0.0
        self.offered: dict[
            str, float
        ] = {}  # queue -> when a call of it was offered last; round robin goes by it
        self.began = 0.0
        self.queue = ""  # of the call that is being worked on


class Tallies:
    """Counts of all agents. :meth:`memory` and :meth:`restore` carry them over a restart."""

    def __init__(self, config: AcdConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._agents = {name: _Tally() for name in config.agents}
        self._places = {name: place for place, name in enumerate(config.agents)}
        self._counts_on: set[str] = set()  # who is put back as logged in, and has not logged in anew

    def memory(self, agent: str) -> TallyMemory:
        """What a restarted engine needs to know of this agent."""
        tally, now, wall = self._agents[agent], self._clock.monotonic(), self._clock.now()
        offered = {name: wall - timedelta(seconds=now - when) for name, when in tally.offered.items()}
        return TallyMemory(tally.calls, tally.talked, offered)

    def restore(self, memories: Mapping[str, TallyMemory]) -> None:
        """Before these agents are put back into their states: count on where the last engine was."""
        now, wall = self._clock.monotonic(), self._clock.now()
        for name, memory in memories.items():
            if (tally := self._agents.get(name)) is None:
                continue
            tally.calls, tally.talked = memory.calls, memory.talked
            tally.offered = {
                queue: now - max(0.0, (wall - when).total_seconds()) for queue, when in memory.offered.items()
            }
        self._counts_on = set(memories)

    def restored(self) -> None:
        """All are put back: who logs in from here counts from nothing."""
        self._counts_on.clear()

    def take_config(self) -> None:
        """The configuration has other agents: the new ones begin at nothing."""
        for name in self._config.agents:
            self._agents.setdefault(name, _Tally())
        self._places.update((name, place) for place, name in enumerate(self._config.agents))

    def strategy(self, queue: str) -> Strategy:
        """How a queue chooses."""
        return AVAILABLE[self._config.queues[queue].strategy]

    def ranks(self, agent: str, idle_since: float) -> Mapping[str, float]:
        """The agent's rank in each of its queues, now that it becomes free."""
        tally, place = self._agents[agent], self._places[agent]
        return {
            name: self.strategy(name).rank(
                Record(idle_since, tally.talked, tally.calls, tally.offered.get(name, NEVER), place)
            )
            for name in self._config.agents[agent].queues
        }

    def logged_in(self, agent: str) -> None:
        """Talks are counted from here; whose turn it is goes on."""
        if agent not in self._counts_on:
            tally = self._agents[agent]
            tally.calls, tally.talked = 0, 0.0

    def offered(self, agent: str, queue: str) -> None:
        """Its phone rings for a call of that queue."""
        # Never twice the same: agents who were offered something at the same instant keep their order.
        self._agents[agent].offered[queue] = self._clock.monotonic() + self._places[agent] * 1e-9

    def talked(self, agent: str, queue: str, seconds: float, began: float) -> None:
        """A talk of that queue is over, which ``began`` to ring then."""
        tally = self._agents[agent]
        tally.calls += 1
        tally.talked += seconds
        tally.queue, tally.began = queue, began

    def worked(self, agent: str) -> Worked | None:
        """The work after its last talk is over, too; None when that was told already."""
        tally = self._agents[agent]
        if not tally.queue:
            return None
        worked = Worked(tally.queue, self._clock.monotonic() - tally.began)
        tally.queue = ""
        return worked
