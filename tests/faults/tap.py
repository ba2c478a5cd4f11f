"""Between the event socket and the calls: events are lost, come twice, or overtake those of other calls."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any


class Tap:
    """On the events of the engine that runs now. Nothing is done to them until one of the methods says so."""

    def __init__(self, centre: Any, seed: int = 0) -> None:
        self._clock = centre.virtual
        self._dice = random.Random(seed)
        connection = centre.app.connection
        self._deliver = connection._on_event
        self._loses: Callable[[Any], bool] = lambda event: False
        self._times = 1
        self._shuffled = False
        self._waiting: dict[str, deque[Any]] = {}
        self.lost: list[str] = []
        connection._on_event = self._take

    def loses(self, name: str, uuid: str = "", times: int = 1) -> None:
        """The next ``times`` events of this name (and of this channel) never arrive."""
        left = [times]

        def lost(event: Any) -> bool:
            if event.name != name or (uuid and event.uuid != uuid) or not left[0]:
                return False
            left[0] -= 1
            return True

        self._loses = lost

    def loses_all(self, names: tuple[str, ...]) -> None:
        """No event of these names arrives."""
        self._loses = lambda event: event.name in names

    def loses_some(self, share: float) -> None:
        """Of all events this share never arrives."""
        self._loses = lambda event: self._dice.random() < share

    def doubles(self) -> None:
        """Every event comes twice."""
        self._times = 2

    def shuffles(self) -> None:
        """Events of different channels overtake one another; those of one keep their order, as on the switch."""
        self._shuffled = True

    def heals(self) -> None:
        """Everything arrives from here on."""
        self._loses, self._times, self._shuffled = (lambda event: False), 1, False

    def _take(self, event: Any) -> None:
        if self._loses(event):
            self.lost.append(event.name)
            return
        if not self._shuffled:
            self._give(event)
            return
        self._waiting.setdefault(event.uuid, deque()).append(event)
        self._clock.after(self._dice.uniform(0.0, 0.05), self._some)

    def _some(self) -> None:
        """One event of any channel: as many turns as events, so that each comes in the end."""
        uuid = self._dice.choice(sorted(self._waiting))
        events = self._waiting[uuid]
        self._give(events.popleft())
        if not events:
            del self._waiting[uuid]

    def _give(self, event: Any) -> None:
        for _ in range(self._times):
            self._deliver(event)
