"""A whole ACD on a virtual clock and a floor of the tests' own, and short words to play with it."""

from __future__ import annotations

from typing import Any

from engine.acd.acd import Acd
from engine.acd.config import AcdConfig, AgentConfig, AgentRules, QueueConfig
from engine.acd.places import Leaving, News, Place, Request
from engine.acd.rules import Ageing
from engine.clock import Empty, VirtualClock
from engine.types import AgentState, JournalEntry
from tests.acd.floor import FakeFloor, FakeRing


def queue(**values: Any) -> QueueConfig:
    """A queue without wrap-up, unless told otherwise."""
    return QueueConfig.model_validate({"title": {"en": "Desk"}, "offer": "20s", "wrap_up": "0s", **values})


def agent(phone: Any, **values: Any) -> AgentConfig:
    """An agent of the queue ``desk``, logged in at the start."""
    values = {"name": f"Agent on {phone}", "queues": {"desk": "1"}, "login": "auto", **values}
    return AgentConfig.model_validate({"phone": phone, **values})


class Desk:
    """An ACD with its floor. Phones are registered and the ACD is started, unless ``start`` is False."""

    def __init__(
        self,
        clock: VirtualClock,
        *agents: str | tuple[str, dict[str, Any]],
        queues: dict[str, QueueConfig] | None = None,
        rules: dict[str, Any] | None = None,
        tiers: dict[str, int] | None = None,
        ageing: dict[str, Any] | None = None,
        start: bool = True,
    ) -> None:
        people = {}
        for number, entry in enumerate(agents, 1):
            name, values = entry if isinstance(entry, tuple) else (entry, {})
            people[name] = agent(**{"phone": str(1000 + number), **values})
        config = AcdConfig(
            queues or {"desk": queue()},
            people,
            AgentRules.model_validate(rules or {}),
            tiers or {},
            Ageing.model_validate(ageing or {}),
        )
        self.clock = clock
        self.floor = FakeFloor(clock)
        self.journal: list[JournalEntry] = []
        self.told: list[tuple[str, dict[str, object]]] = []
        self.places: dict[str, Place] = {}
        self.acd = Acd(config, clock, self.floor, self.journal.append, self._notify)
        self.acd.phones_are({entry.number for entry in people.values() if entry.away is None})
        if start:
            self.acd.start()
            self.settle()

    def _notify(self, event: str, /, **facts: object) -> None:
        self.told.append((event, facts))

    def settle(self) -> None:
        """Let everything run that can run now."""
        self.clock.sleep(0.001)

    def enter(self, call: str, queue: str = "desk", **values: Any) -> Place:
        """A caller comes into the queue."""
        self.floor.callers.add(call)
        place = self.acd.enter(Request(call, "+8613800000000", queue, **values))
        self.places[call] = place
        self.settle()
        return place

    def hang_up(self, call: str) -> None:
        """The caller hangs up; its flow tells the ACD."""
        self.floor.hang_up(call)
        self.places[call].leave(Leaving.CALLER)
        self.settle()

    def answer(self, agent: str = "", call: str = "") -> FakeRing:
        """The phone that rings (of that agent, for that call) is answered and the two talk."""
        ring = self.floor.ringing(agent, call)
        ring.answer()
        self.settle()
        assert ring.bridged
        return ring

    def news(self, place: Place) -> list[News]:
        """All news so far."""
        found = []
        while True:
            try:
                found.append(place.news.get(timeout=0))
            except Empty:
                return found

    def state(self, agent: str) -> AgentState:
        return self.acd.agent(agent).state

    def offered(self) -> list[tuple[str, str]]:
        """Who was rung for whom, in order."""
        return [(ring.agent, ring.call_id) for ring in self.floor.rings]

    def rows(self, kind: str) -> list[JournalEntry]:
        return [entry for entry in self.journal if entry.kind == kind]
