"""What a handler is given for one run: its context, with the adapters, parties and records that it may use there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from gevent.hub import get_hub

from engine.clock import Clock
from engine.hooks.context import Agents, Calendars, Context, PartyBook, Records
from engine.hooks.department import Adapter, Department, Handler
from engine.hooks.elsewhere import Elsewhere
from engine.hooks.later import Later
from engine.hooks.systems import SQL, Systems

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Contexts:
    """Makes the contexts of the departments' handlers."""

    def __init__(
        self,
        departments: Mapping[str, Department],
        systems: Systems,
        clock: Clock,
        timezone: tzinfo,
        settings: Mapping[str, Any],
        agents: Agents,
        calendars: Calendars | None,
    ) -> None:
        self._departments = departments
        self._systems = systems
        self._clock = clock
        self._timezone = timezone
        self._settings = settings
        self._agents = agents
        self._calendars = calendars
        self._hub = get_hub()
        self.parties: PartyBook | None = None  # who is who, wired by the composition root
        self.records: Records | None = None  # tickets and notices, wired by the composition root

    def over_sql(
        self, handler: Handler, key: str, session: Session, *, foreign: Any = None, later: Later | None = None
    ) -> Context:
        """For a run within ``session``, which is that of another database when ``foreign``, a contract, is given."""
        adapters = self.local(self._departments[handler.department], session, foreign)
        given = {"notify": later} if later is not None else {}
        own = session if foreign is None else None
        return self._context(handler, key=key, session=own, adapters=adapters, **given)

    def on_hub(self, handler: Handler, key: str) -> Context:
        """For a run on the hub."""
        adapters = self.remotes(handler.department)
        if handler.over != "engine":
            return self._context(handler, key=key, adapters=adapters)
        return self._context(
            handler, key=key, adapters=adapters, agents=self._agents, calendars=self._calendars
        )

    def recorded(self, session: Session | None, department: str, by: str) -> dict[str, Any]:
        """What a handler has to owe people something, and to tell them."""
        if self.records is None:
            return {}
        return {
            "tickets": self.records.tickets_for(session, department, by),
            "notify": self.records.notifier_for(session, department),
            "notices": self.records.notices_for(session),
            **self.known(session, department, by),
        }

    def known(self, session: Session | None, department: str, by: str) -> dict[str, Any]:
        """What a handler may look up, and a command may change: the knowledge, who passed what, ratings."""
        if self.records is None:
            return {}
        return {
            "knowledge": self.records.library_for(session, department, by),
            "certification": self.records.certifications_for(session),
            "ratings": self.records.ratings_for(session),
        }

    def local(
        self, department: Department, session: Session, only: Any = None
    ) -> dict[Any, Callable[[], Any]]:
        """The adapters that speak to the database of ``session``: of the engine's own, or behind ``only``."""
        return {
            adapter.contract: partial(_adapted, department, adapter, session)
            for adapter in department.adapters
            if adapter.sql is not None
            and (
                adapter.contract is only
                if only is not None
                else self._systems.kind(department.name, adapter.contract) == SQL
            )
        }

    def everywhere(
        self, department: Department, session: Session, within: float, *, writes: bool
    ) -> dict[Any, Callable[[], Any]]:
        """All adapters, for a worker thread with ``session`` of the engine's own database: each other system is asked
        on the hub, while the thread waits (at most ``within`` seconds for another database)."""
        found = self.local(department, session)
        for adapter in department.adapters:
            if adapter.contract in found:
                continue
            remote = self._systems.remotes(department.name).get(adapter.contract)
            if remote is not None:
                there = Elsewhere.at_remote(self._clock, self._hub, _around(department, adapter.name, remote))
            else:
                database = self._systems.database(department.name, adapter.contract)
                there = Elsewhere.in_database(
                    self._clock, self._hub, partial(_adapted, department, adapter),
                    partial(database.work if writes else database.read, timeout=within),
                )  # fmt: skip
            found[adapter.contract] = partial(_same, there)
        return found

    def remotes(self, department: str) -> dict[Any, Callable[[], Any]]:
        """The adapters that speak over http."""
        return {
            contract: partial(_around, self._departments[department], contract.__name__, remote)
            for contract, remote in self._systems.remotes(department).items()
        }

    def made(self, department: str, where: str, **given: Any) -> Context:
        """A context of what is given; ``where`` names the run in logs and faults."""
        return Context(
            now=self._clock.now().astimezone(self._timezone),
            log=structlog.get_logger("insideline.plugins").bind(department=department, handler=where),
            settings=self._settings.get(department),
            where=where,
            **given,
        )

    def _context(self, handler: Handler, **given: Any) -> Context:
        if self.parties is not None:
            session = given.get("session")
            if session is not None:
                given["parties"] = self.parties.within(session)
            elif "session" not in given:
                given["parties"] = self.parties
        if given.get("session") is not None or "session" not in given:
            given = self.recorded(given.get("session"), handler.department, handler.name) | given
        return self.made(handler.department, handler.name, **given)


def _adapted(department: Department, adapter: Adapter, session: Session) -> Any:
    assert adapter.sql is not None
    return _around(department, adapter.name, adapter.sql(session))


def _same(system: Any) -> Any:
    return system


def _around(department: Department, contract: str, system: Any) -> Any:
    wrap = department.around.get(contract)
    return system if wrap is None else wrap(system)
