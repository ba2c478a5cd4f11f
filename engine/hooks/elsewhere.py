"""A company system for code that runs in a worker thread, in a transaction of the engine's own database: a system over
http, or another database. Each of its methods is run on the hub, while the thread waits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from gevent.hub import Hub

from engine.clock import Clock

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Elsewhere:
    """Has the methods of the system behind it."""

    def __init__(self, clock: Clock, hub: Hub, ask: Callable[..., Any]) -> None:
        """``ask(name, *args, **values)`` runs a method, on the hub."""
        self._clock, self._hub, self._ask = clock, hub, ask

    @classmethod
    def at_remote(cls, clock: Clock, hub: Hub, system: Any) -> Elsewhere:
        """An adapter over http."""

        def ask(name: str, /, *args: Any, **values: Any) -> Any:
            return getattr(system, name)(*args, **values)

        return cls(clock, hub, ask)

    @classmethod
    def in_database(
        cls, clock: Clock, hub: Hub, adapted: Callable[[Session], Any], run: Callable[..., Any]
    ) -> Elsewhere:
        """An sql adapter in another database: ``run(work)`` runs a function of a session, each in a transaction of its
        own."""

        def ask(name: str, /, *args: Any, **values: Any) -> Any:
            return run(lambda session: getattr(adapted(session), name)(*args, **values))

        return cls(clock, hub, ask)

    def __getattr__(self, name: str) -> Any:
        return partial(self._clock.on_hub, self._hub, self._ask, name)
