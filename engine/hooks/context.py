"""What a handler of a department is given: no call, only what it needs to answer or to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from engine.errors import PluginError
from engine.types import AgentView, CalendarView

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

T = TypeVar("T")


class Agents(Protocol):
    """The agents, as a department may steer them (for handlers over "engine").

    Raises :class:`engine.errors.NotFound` for an unknown agent, :class:`engine.errors.LoginRefused`, and
    :class:`engine.errors.WrongState` for what can't be done now.
    """

    def login(self, agent: str, pin: str | None = None, phone: str | None = None) -> AgentView:
        """Log the agent in on a phone (an extension); the PIN is checked when one is given."""

    def logout(self, agent: str) -> AgentView:
        """Log the agent out."""

    def ready(self, agent: str) -> AgentView:
        """Ready for the next call."""

    def pause(self, agent: str, reason: str) -> AgentView:
        """Take no calls, for a reason that the reports show."""

    def agent_on(self, phone: str) -> AgentView | None:
        """Who is logged in on that extension."""

    def verify(self, agent: str, pin: str, phone: str = "", role: str = "") -> AgentView:
        """Who that is, by the PIN, without logging in; with ``role``, only somebody who has it.

        Raises :class:`engine.errors.LoginRefused` with the reason ``wrong_pin``, ``locked`` or ``not_allowed``.
        Wrong tries count as those of a log-in do."""


class Calendars(Protocol):
    """The opening hours, as a department may close and open them (for handlers over "engine").

    What is done holds at once for every call, survives the engine, and stands in the journal. Raises
    :class:`engine.errors.NotFound` for an unknown calendar, :class:`engine.errors.WrongState` for what makes no
    sense (a time that is over, nothing to open), :class:`engine.errors.StoreError`.
    """

    def close(
        self,
        calendar: str,
        until: datetime,
        *,
        by: str,
        why: str = "",
        prompt: str = "",
        how: str = "phone",
        key: str = "",
    ) -> CalendarView:
        """Close from now on up to ``until`` (a naive time is the calendar's own). With the same ``key`` once only."""

    def open(self, calendar: str, *, by: str, why: str = "", how: str = "phone") -> CalendarView:
        """End the closures that hold now."""

    def state(self, calendar: str) -> CalendarView:
        """What the calendar says now."""


class Context:
    """One run of one handler. It is given by the engine, and stays valid only while the handler runs.

    key       the key of the deed, to hand on to a remote system; "" in a query
    now       aware, in the centre's time zone
    today     the centre's date
    log       a structlog logger that names the department and the handler; log no argument
    """

    __slots__ = ("_adapters", "_agents", "_calendars", "_session", "_where", "key", "log", "now")

    def __init__(
        self,
        *,
        now: datetime,
        log: Any,
        key: str = "",
        session: Session | None = None,
        adapters: Mapping[Any, Callable[[], Any]] | None = None,
        agents: Agents | None = None,
        calendars: Calendars | None = None,
        where: str = "here",
    ) -> None:
        self.key = key
        self.now = now
        self.log = log
        self._session = session
        self._adapters = adapters or {}
        self._agents = agents
        self._calendars = calendars
        self._where = where

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def session(self) -> Session:
        """The department's transaction: the engine commits it with the key, or rolls it back."""
        if self._session is None:
            raise PluginError(f"{self._where} has no session: it does not run over sql")
        return self._session

    def adapter(self, contract: Callable[..., T]) -> T:
        """The company system behind a contract (a Protocol that the department declared)."""
        make = self._adapters.get(contract)
        if make is None:
            name = getattr(contract, "__name__", contract)
            raise PluginError(f"{self._where} has no adapter for {name}; does it say over={name}?")
        found: T = make()
        return found

    @property
    def agents(self) -> Agents:
        """The centre's agents; only over "engine", because they live on the hub."""
        if self._agents is None:
            raise PluginError(f'{self._where} has no agents; say over="engine"')
        return self._agents

    @property
    def calendars(self) -> Calendars:
        """The opening hours; only over "engine", because they live on the hub."""
        if self._calendars is None:
            raise PluginError(f'{self._where} has no calendars; say over="engine"')
        return self._calendars
