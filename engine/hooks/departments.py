"""Running the queries and commands of the departments, so that a handler can harm its own step only.

Over sql a handler runs in a worker thread inside one transaction; over http and over "engine" it runs on the
hub, in the calling greenlet. Either way it has a time limit, and whatever it raises, however long it hangs
and whatever it answers, the caller of :meth:`Departments.ask` or :meth:`Departments.do` gets one of a few
outcomes in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog

from engine.clock import Clock, TimeUp
from engine.errors import DepartmentFailed, NotFound, Pending, PluginError, Refused, StoreTimeout
from engine.hooks.context import Agents, Calendars, Context
from engine.hooks.department import Argument, BadArguments, Command, Department, Handler, Query
from engine.hooks.kinds import FieldType, holds_private, record_fields

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: How many handlers of one department may hang in worker threads at a time. A thread can't be killed; one
#: department must not take them all.
MOST_STUCK = 4


class Database(Protocol):
    """What the departments need of the store (:class:`engine.store.Store`).

    Both run ``work`` in a worker thread within one transaction, and pass on what it raises. Both raise
    :class:`StoreTimeout` when ``timeout`` seconds passed: then nothing was changed, and nothing will be.
    """

    def read(self, work: Callable[[Session], T], timeout: float, /) -> T:
        """Roll back afterwards."""

    def deed(self, key: str, department: str, work: Callable[[Session], Any], timeout: float, /) -> Any:
        """Commit the rows together with the key and the (JSON) result; for a key that is there already,
        return the result that is kept and do not run ``work``. What ``work`` raises rolls everything back.
        :class:`Pending` when it is not known whether the commit took effect.
        """


@dataclass(frozen=True, slots=True)
class Done:
    """The command took effect, now or when its key was first used."""

    value: Any


@dataclass(frozen=True, slots=True)
class QueryType:
    """What the checker may know of a query."""

    arguments: Mapping[str, Argument]
    result: Any
    optional: bool  # None is an answer, so the step needs `not_found`
    private: bool
    fields: Mapping[str, FieldType] | None  # of a record


@dataclass(frozen=True, slots=True)
class CommandType:
    """What the checker may know of a command."""

    arguments: Mapping[str, Argument]
    result: Any  # NoneType: it returns nothing
    optional: bool
    refusals: tuple[str, ...]
    fields: Mapping[str, FieldType] | None


@dataclass(frozen=True, slots=True)
class Known:
    """All queries and commands by their full names."""

    queries: Mapping[str, QueryType]
    commands: Mapping[str, CommandType]


def known_of(departments: Iterable[Department]) -> Known:
    """What the checker may know of these departments, without anything at work."""
    queries, commands = {}, {}
    for department in departments:
        for name, query in department.queries.items():
            result = query.result
            queries[name] = QueryType(
                query.arguments, result, query.optional, holds_private(result), record_fields(result)
            )
        for name, command in department.commands.items():
            commands[name] = CommandType(
                command.arguments,
                command.result,
                command.optional,
                command.refusals,
                record_fields(command.result),
            )
    return Known(queries, commands)


@dataclass(slots=True)
class _Run:
    """One run of a handler in a worker thread, as its thread tells the greenlet that waits for it."""

    began: bool = False
    ended: bool = False


class Departments:
    """The departments of a centre at work."""

    def __init__(
        self,
        departments: Iterable[Department],
        *,
        clock: Clock,
        store: Database,
        agents: Agents,
        timezone: tzinfo,
        systems: Mapping[str, str] | None = None,
        calendars: Calendars | None = None,
    ) -> None:
        """``systems`` says which contracts are spoken to over http: ``{"logistics.WaybillSystem": "https://…"}``;
        the others use their sql adapter. Raises :class:`PluginError` when that does not fit the departments.
        """
        self._clock = clock
        self._store = store
        self._agents = agents
        self._calendars = calendars
        self._timezone = timezone
        self._departments = {one.name: one for one in departments}
        self._queries: dict[str, Query] = {}
        self._commands: dict[str, Command] = {}
        for department in self._departments.values():
            self._queries.update(department.queries)
            self._commands.update(department.commands)
        self._http = self._open_systems(dict(systems or {}))
        self._stuck: dict[str, list[_Run]] = {name: [] for name in self._departments}
        for command in self._commands.values():
            if self._kind(command) == "http":
                # Exactly once over http needs a key kept before the request goes out, and its outcome after.
                raise PluginError(
                    f"{command.name} changes something over http, and there is no outbox to keep its key"
                )

    def known(self) -> Known:
        """Names and types for the checker of the flows."""
        return known_of(self._departments.values())

    def query(self, name: str) -> Query:
        """The query of that name, e.g. for ``revive``; :class:`NotFound` when there is none."""
        found = self._queries.get(name)
        if found is None:
            raise NotFound(f"there is no query {name}")
        return found

    def command(self, name: str) -> Command:
        """The command of that name; :class:`NotFound` when there is none."""
        found = self._commands.get(name)
        if found is None:
            raise NotFound(f"there is no command {name}")
        return found

    # -- asking and doing -----------------------------------------------------------------------

    def ask(self, name: str, values: Mapping[str, object], *, within: float) -> Any:
        """The answer of a query within ``within`` seconds; None is "not found".

        ``values`` are the arguments as the flow has them. Raises :class:`DepartmentFailed` for whatever goes
        wrong, and :class:`NotFound` for an unknown name.
        """
        handler = self.query(name)
        arguments = self._arguments(handler, values)
        if self._kind(handler) == "sql":
            run = _Run()

            def work(session: Session) -> Any:
                return self._in_thread(handler, run, session, arguments, "")

            return self._wait(handler, run, partial(self._store.read, work, within), within)
        return self._checked_on_hub(handler, arguments, within)

    def do(
        self, name: str, values: Mapping[str, object], *, key: str, within: float
    ) -> Done | Refused | Pending:
        """Carry out a command exactly once for ``key`` (an empty key is refused).

        Returns :class:`Done`, or the :class:`Refused` that the command raised with one of its declared
        reasons, or :class:`Pending` when it is not known whether it took effect: the same key tells later.
        Raises :class:`DepartmentFailed` when nothing was done, and :class:`NotFound` for an unknown name.
        """
        handler = self.command(name)
        if not key:
            raise ValueError("a command needs a key")
        arguments = self._arguments(handler, values)
        if self._kind(handler) != "sql":
            try:
                return Done(self._checked_on_hub(handler, arguments, within, key))
            except Refused as refusal:
                return self._declared(handler, refusal)
        run = _Run()

        def work(session: Session) -> Any:
            return handler.plain(self._in_thread(handler, run, session, arguments, key))

        deed = partial(self._store.deed, key, handler.department, work, within)
        try:
            plain = self._wait(handler, run, deed, within)
        except Refused as refusal:
            return self._declared(handler, refusal)
        except Pending as pending:
            return pending
        return Done(handler.revive(plain))

    # -- how ------------------------------------------------------------------------------------

    def _arguments(self, handler: Handler, values: Mapping[str, object]) -> dict[str, Any]:
        try:
            return handler.coerce(values)
        except BadArguments as error:
            raise self._failed(handler, "arguments", str(error)) from None

    def _kind(self, handler: Handler) -> str:
        if handler.over == "engine":
            return "engine"
        department = self._departments[handler.department]
        contract = handler.over or (department.adapters[0].contract if department.adapters else None)
        return "http" if contract is not None and contract in self._http[department.name] else "sql"

    def _open_systems(self, systems: dict[str, str]) -> dict[str, dict[Any, Any]]:
        opened: dict[str, dict[Any, Any]] = {}
        for department in self._departments.values():
            mine = opened.setdefault(department.name, {})
            for adapter in department.adapters:
                full = f"{department.name}.{adapter.name}"
                url = systems.pop(full, None)
                if url is not None:
                    if adapter.http is None:
                        raise PluginError(
                            f"{full} has no http adapter, but the configuration gives it an address"
                        )
                    mine[adapter.contract] = adapter.http(url)
                elif adapter.sql is None:
                    raise PluginError(
                        f"{full} has only an http adapter, and the configuration gives it no address"
                    )
        if systems:
            raise PluginError(f"the configuration names a system that no department has: {min(systems)}")
        return opened

    def _sql_context(self, handler: Handler, key: str, session: Session) -> Context:
        department = self._departments[handler.department]
        adapters: dict[Any, Callable[[], Any]] = {
            adapter.contract: partial(adapter.sql, session)
            for adapter in department.adapters
            if adapter.contract not in self._http[department.name] and adapter.sql is not None
        }
        return self._context(handler, key=key, session=session, adapters=adapters)

    def _hub_context(self, handler: Handler, key: str) -> Context:
        adapters: dict[Any, Callable[[], Any]] = {
            contract: partial(_itself, remote) for contract, remote in self._http[handler.department].items()
        }
        if handler.over != "engine":
            return self._context(handler, key=key, adapters=adapters)
        return self._context(
            handler, key=key, adapters=adapters, agents=self._agents, calendars=self._calendars
        )

    def _context(self, handler: Handler, **given: Any) -> Context:
        return Context(
            now=self._clock.now().astimezone(self._timezone),
            log=structlog.get_logger("insideline.plugins").bind(
                department=handler.department, handler=handler.name
            ),
            where=handler.name,
            **given,
        )

    def _in_thread(
        self, handler: Handler, run: _Run, session: Session, arguments: dict[str, Any], key: str
    ) -> Any:
        run.began = True
        try:
            # Checked here, while the session is open: a row becomes a record.
            return self._checked(
                handler, handler.function(self._sql_context(handler, key, session), **arguments)
            )
        except SystemExit as error:  # would end the worker thread, or the engine
            raise PluginError(f"it called exit({error.code!r})") from error
        finally:
            run.ended = True

    def _wait(self, handler: Handler, run: _Run, job: Callable[[], T], within: float) -> T:
        stuck = self._stuck[handler.department]
        stuck[:] = [one for one in stuck if not one.ended]
        if len(stuck) >= MOST_STUCK:
            raise self._failed(handler, "busy", f"{len(stuck)} handlers of its department hang")
        try:
            return job()
        except StoreTimeout as error:
            raise self._failed(handler, "time_up", f"no answer within {within:g} s") from error
        except (DepartmentFailed, Pending):
            raise
        except Exception as error:
            if isinstance(error, Refused) and isinstance(handler, Command):
                raise
            raise self._raised(handler, error) from error
        finally:
            if run.began and not run.ended:
                stuck.append(run)

    def _checked_on_hub(
        self, handler: Handler, arguments: dict[str, Any], within: float, key: str = ""
    ) -> Any:
        began = self._clock.monotonic()
        try:
            with self._clock.timeout(within) as mine:
                value = self._checked(handler, handler.function(self._hub_context(handler, key), **arguments))
        except TimeUp as up:
            if up is not mine:
                raise
            raise self._failed(handler, "time_up", f"no answer within {within:g} s") from None
        except DepartmentFailed:
            raise
        except (Exception, SystemExit) as error:
            if isinstance(error, Refused) and isinstance(handler, Command):
                raise
            raise self._raised(handler, error) from error
        if self._clock.monotonic() - began > within:
            # It swallowed the limit in a bare except, or blocked the hub; an answer this late is none.
            raise self._failed(handler, "time_up", f"it ran on past its {within:g} s")
        return value

    def _checked(self, handler: Handler, value: Any) -> Any:
        try:
            return handler.check(value)
        except ValueError as error:
            kinds = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'the result'}: {fault['msg']}"
                for fault in getattr(error, "errors", _no_errors)(include_input=False)
            )
            raise self._failed(handler, "nonsense", f"answered {type(value).__name__}: {kinds}") from None

    def _declared(self, handler: Command, refusal: Refused) -> Refused:
        if refusal.reason not in handler.refusals:
            raise self._failed(
                handler, "nonsense", f"refused for {refusal.reason!r}, which it does not declare"
            )
        return refusal

    def _raised(self, handler: Handler, error: BaseException) -> DepartmentFailed:
        log.error("department.raised", handler=handler.name, at=handler.where, exc_info=error)
        return DepartmentFailed(handler.name, "raised", type(error).__name__)

    def _failed(self, handler: Handler, why: str, detail: str) -> DepartmentFailed:
        log.warning("department.failed", handler=handler.name, why=why, detail=detail)
        return DepartmentFailed(handler.name, why, detail)


def _itself(remote: Any) -> Any:
    return remote


def _no_errors(**_: Any) -> list[dict[str, Any]]:
    return []
