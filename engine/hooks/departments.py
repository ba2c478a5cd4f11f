"""Running the queries and commands of the departments, so that a handler can harm its own step only.

Over sql a handler runs in a worker thread inside one transaction; over http and over "engine" it runs on the
hub. A command to another system (http, another database) goes through the outbox, which keeps its key before the
first request. A circuit breaker stands before each query and command.

Either way it has a time limit, and whatever it raises, however long it hangs and whatever it answers, the caller of
:meth:`Departments.ask` or :meth:`Departments.do` gets one of a few outcomes in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog

from engine.clock import Clock, TimeUp
from engine.errors import (
    DepartmentFailed,
    NotFound,
    Pending,
    PluginError,
    Refused,
    RemoteFailed,
    StoreTimeout,
)
from engine.hooks.breaker import OPEN, Breaker, BreakerView
from engine.hooks.brought import ALL
from engine.hooks.context import Agents, Calendars, Context
from engine.hooks.contexts import Contexts
from engine.hooks.department import BadArguments, Command, Department, Handler, Query
from engine.hooks.kinds import holds_private
from engine.hooks.known import Known, known_of
from engine.hooks.later import Later
from engine.hooks.outbox import Outbox, Told
from engine.hooks.systems import DATABASE, HTTP, SQL, System, Systems
from engine.log import Secret

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from engine.store.foreign import ForeignDatabase

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

    def work(self, work: Callable[[Session], T], timeout: float, /) -> T:
        """Commit what it wrote."""

    def deed(self, key: str, department: str, work: Callable[[Session], Any], timeout: float, /) -> Any:
        """Commit the rows together with the key and the (JSON) result; for a key that is there already,
        return the result that is kept and do not run ``work``. What ``work`` raises rolls everything back.
        :class:`Pending` when it is not known whether the commit took effect.
        """


@dataclass(frozen=True, slots=True)
class Done:
    """The command took effect, now or when its key was first used."""

    value: Any


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
        systems: Mapping[str, System | str] | None = None,
        calendars: Calendars | None = None,
        settings: Mapping[str, Any] | None = None,
        failures: int = 5,
        rest: float = 30.0,
        seed: int = 0,
        away: frozenset[str] = frozenset(),
    ) -> None:
        """``systems`` says where company systems are: ``{"logistics.WaybillSystem": System("http", "https://…")}``;
        the others use their sql adapter and the department's own tables. ``failures`` in a row open the breaker of a
        query or command for ``rest`` seconds. ``settings``: what conf/engine.yaml says to each
        department. ``away`` are departments that were kept out: asking them fails, and what was promised to their
        remote systems waits. Raises :class:`PluginError` when ``systems`` does not fit the departments.
        """
        self._away = away
        self._clock = clock
        self._store = store
        self._departments = {one.name: one for one in departments}
        self._queries: dict[str, Query] = {}
        self._commands: dict[str, Command] = {}
        for department in self._departments.values():
            self._queries.update(department.queries)
            self._commands.update(department.commands)
            self._commands.update({name: one.command for name, one in department.schedules.items()})
        self._stuck: dict[str, list[_Run]] = {name: [] for name in self._departments}
        self._failures, self._rest = failures, rest
        self._breakers: dict[str, Breaker] = {}
        self.breaker_changed: Callable[[BreakerView], object] = lambda view: None
        self.systems = Systems(self._departments.values(), systems or {}, clock, self._breaker)
        self.contexts = Contexts(
            self._departments, self.systems, clock, timezone, dict(settings or {}), agents, calendars
        )
        self.outbox = Outbox(clock, store, self._send, seed=seed)

    def stop(self) -> None:
        """Send nothing more to anybody."""
        self.outbox.stop()
        self.systems.close()

    def breakers(self) -> list[BreakerView]:
        """The breakers that are not closed, or were failing last."""
        views = [breaker.view for breaker in self._breakers.values()]
        return sorted((one for one in views if one.failures), key=lambda one: one.name)

    def known(self) -> Known:
        """Names and types for the checker of the flows."""
        return known_of(self._departments.values())

    def query(self, name: str) -> Query:
        """The query of that name, e.g. for ``revive``; :class:`NotFound` when there is none, and
        :class:`DepartmentFailed` when its department was kept out."""
        found = self._queries.get(name)
        if found is None:
            raise self._missing(name, "query")
        return found

    def command(self, name: str) -> Command:
        """The command of that name; :class:`NotFound` when there is none."""
        found = self._commands.get(name)
        if found is None:
            raise self._missing(name, "command")
        return found

    def _missing(self, name: str, what: str) -> NotFound | DepartmentFailed:
        department = name.partition(".")[0]
        if department in self._away:
            return DepartmentFailed(name, "away", f"the plugin {department} was kept out")
        return NotFound(f"there is no {what} {name}")

    # -- asking and doing -----------------------------------------------------------------------

    def ask(self, name: str, values: Mapping[str, object], *, within: float) -> Any:
        """The answer of a query within ``within`` seconds; None is "not found".

        ``values`` are the arguments as the flow has them. Raises :class:`DepartmentFailed` for whatever goes
        wrong, and :class:`NotFound` for an unknown name.
        """
        handler = self.query(name)
        arguments = self._arguments(handler, values)
        return self._guarded(handler, lambda: self._ask(handler, arguments, within))

    def _ask(self, handler: Handler, arguments: dict[str, Any], within: float) -> Any:
        kind = self._kind(handler)
        if kind in (SQL, DATABASE):
            run = _Run()

            def work(session: Session) -> Any:
                return self._in_thread(handler, run, session, arguments, "")

            read = self._store.read if kind == SQL else self._database(handler).read
            return self._wait(handler, run, partial(read, work, within), within)
        try:
            return self._checked_on_hub(handler, arguments, within)
        except RemoteFailed as error:
            raise self._failed(handler, "remote", str(error)) from error

    def do(
        self,
        name: str,
        values: Mapping[str, object],
        *,
        key: str,
        within: float,
        call: str = "",
        patient: bool = True,
    ) -> Done | Refused | Pending:
        """Carry out a command exactly once for ``key`` (an empty key is refused).

        Returns :class:`Done`, or the :class:`Refused` that the command raised with one of its declared
        reasons, or :class:`Pending` when it is not known whether it took effect: the same key tells later.
        Raises :class:`DepartmentFailed` when nothing was done, and :class:`NotFound` for an unknown name.

        ``call`` is the call that it is done for. Without ``patient`` a command that certainly did not reach its
        remote system in time has failed and is forgotten; with it, it is pending and goes on.
        """
        handler = self.command(name)
        if not key:
            raise ValueError("a command needs a key")
        arguments = self._arguments(handler, values)
        kind = self._kind(handler)
        try:
            if kind in (HTTP, DATABASE):
                outcome = self.outbox.do(
                    name,
                    handler.keep(arguments),
                    department=handler.department,
                    remote=self._remote(handler),
                    key=key,
                    within=within,
                    call=call,
                    private=_withheld(handler, values),
                    admits=lambda: self._admit(handler, self._breaker(name), probe=False),
                    patient=patient,
                )
                if isinstance(outcome, Told):
                    return Done(handler.revive(outcome.plain))
                return self._declared(handler, outcome) if isinstance(outcome, Refused) else outcome
            if kind == SQL:
                return Done(
                    handler.revive(
                        self._guarded(handler, lambda: self._deed(handler, arguments, key, within))
                    )
                )
            return Done(self._guarded(handler, lambda: self._checked_on_hub(handler, arguments, within, key)))
        except Refused as refusal:
            return self._declared(handler, refusal)
        except Pending as pending:
            return pending

    def _deed(self, handler: Command, arguments: dict[str, Any], key: str, within: float) -> Any:
        run = _Run()

        def work(session: Session) -> Any:
            return handler.plain(self._in_thread(handler, run, session, arguments, key))

        deed = partial(self._store.deed, key, handler.department, work, within)
        try:
            return self._wait(handler, run, deed, within)
        finally:
            if self.contexts.records is not None:
                self.contexts.records.settled(
                    "tickets", "notices", "knowledge"
                )  # a ticket or a notice may have come of it

    def _send(self, name: str, kept: Mapping[str, Any], key: str, limit: float) -> Any:
        """One attempt of the outbox; see :data:`engine.hooks.outbox.Send`."""
        handler = self._commands.get(name)
        kind = self._kind(handler) if handler is not None else SQL
        if handler is None and name.partition(".")[0] in self._away:
            raise RemoteFailed(f"the plugin of {name} was kept out", sent=False)
        if handler is None or kind not in (HTTP, DATABASE):
            raise RemoteFailed(f"{name} has no remote system any more", sent=False, lasting=True)
        breaker = self._breaker(name)
        try:
            arguments = self._arguments(handler, kept)
            if kind == HTTP:
                value = handler.plain(self._checked_on_hub(handler, arguments, limit, key))
            else:
                run, later = _Run(), Later(key)

                def work(session: Session) -> Any:
                    return handler.plain(self._in_thread(handler, run, session, arguments, key, later))

                job = partial(self._database(handler).work, work, limit)
                value = self._wait(handler, run, job, limit)
                if later.said and self.contexts.records is not None:
                    later.tell(self.contexts.records.notifier_for(None, handler.department))
        except (Refused, Pending):
            breaker.good()
            raise
        except (RemoteFailed, DepartmentFailed) as error:
            breaker.bad(str(error))
            raise
        except BaseException:
            breaker.neither()
            raise
        breaker.good()
        return value

    # -- how ------------------------------------------------------------------------------------

    def _arguments(self, handler: Handler, values: Mapping[str, object]) -> dict[str, Any]:
        try:
            return handler.coerce(values)
        except BadArguments as error:
            raise self._failed(handler, "arguments", str(error)) from None

    def _contract(self, handler: Handler) -> Any:
        department = self._departments[handler.department]
        return handler.over or (department.adapters[0].contract if department.adapters else None)

    def _kind(self, handler: Handler) -> str:
        if handler.over == "engine":
            return "engine"
        return self.systems.kind(handler.department, self._contract(handler))

    def _database(self, handler: Handler) -> ForeignDatabase:
        return self.systems.database(handler.department, self._contract(handler))

    def _remote(self, handler: Handler) -> str:
        return f"{handler.department}.{self._contract(handler).__name__}"

    def _breaker(self, name: str) -> Breaker:
        breaker = self._breakers.get(name)
        if breaker is None:
            breaker = self._breakers[name] = Breaker(
                name, self._clock, failures=self._failures, rest=self._rest, on_change=self._changed
            )
        return breaker

    def _changed(self, view: BreakerView) -> None:
        log.warning("breaker.changed", name=view.name, state=view.state, error=view.error)
        self.breaker_changed(view)

    def _admit(self, handler: Handler, breaker: Breaker, *, probe: bool) -> None:
        if breaker.admits() if probe else breaker.state != OPEN:
            return
        raise self._failed(handler, "open", f"it failed {breaker.view.failures} times, and rests")

    def _guarded(self, handler: Handler, job: Callable[[], T]) -> T:
        breaker = self._breaker(handler.name)
        self._admit(handler, breaker, probe=True)
        try:
            value = job()
        except DepartmentFailed as error:
            breaker.bad(str(error))
            raise
        except Refused:
            breaker.good()
            raise
        except BaseException:
            breaker.neither()
            raise
        breaker.good()
        return value

    def in_context(
        self,
        department: str,
        where: str,
        function: Callable[[Context], T],
        within: float,
        *,
        writes: bool = False,
        over: Any = None,
    ) -> T:
        """``function(ctx)`` as a handler of the department would run: where the system behind the contract ``over`` is
        (by default its first one), over sql in a worker thread, in a transaction that is committed only with
        ``writes``; then it also has tickets and notices. ``over="all"``: in the engine's own database, with every
        system of the department. Raises what it raises, and :class:`StoreTimeout` or TimeUp.
        For hooks, reports and commands."""
        found = self._departments.get(department)
        if found is None:
            raise PluginError(f"{where} takes ctx, but its plugin has no department")
        contract = over or (found.adapters[0].contract if found.adapters else None)
        kind = SQL if over == ALL else self.systems.kind(department, contract)
        if kind == HTTP:
            with self._clock.timeout(within):
                return function(
                    self.contexts.made(department, where, adapters=self.contexts.remotes(department))
                )
        run = _Run()
        made: list[Context] = []

        def work(session: Session) -> T:
            run.began = True
            try:
                given: dict[str, Any] = {"session": session if kind == SQL else None}
                given["adapters"] = (
                    self.contexts.everywhere(found, session, within, writes=writes)
                    if over == ALL
                    else self.contexts.local(found, session, contract if kind == DATABASE else None)
                )
                if kind == SQL and self.contexts.parties is not None:
                    given["parties"] = self.contexts.parties.within(session)
                if kind == SQL and self.contexts.records is not None:
                    given["notices"] = self.contexts.records.notices_for(session)
                    given |= self.contexts.known(session, department, where)
                if kind == SQL and writes:
                    given |= self.contexts.recorded(session, department, where)
                made.append(self.contexts.made(department, where, **given))
                return function(made[0])
            except SystemExit as error:  # would end the worker thread, or the engine
                raise PluginError(f"it called exit({error.code!r})") from error
            finally:
                run.ended = True

        stuck = self._stuck[department]
        stuck[:] = [one for one in stuck if not one.ended]
        if len(stuck) >= MOST_STUCK:
            raise DepartmentFailed(where, "busy", f"{len(stuck)} handlers of its department hang")
        store = self._store if kind == SQL else self.systems.database(department, contract)
        try:
            return (store.work if writes else store.read)(work, within)
        finally:
            if run.began and not run.ended:
                stuck.append(run)
            if self.contexts.records is not None and any(context.recorded for context in made):
                self.contexts.records.settled("tickets", "notices", "knowledge")

    def _in_thread(
        self,
        handler: Handler,
        run: _Run,
        session: Session,
        arguments: dict[str, Any],
        key: str,
        later: Later | None = None,
    ) -> Any:
        run.began = True
        try:
            # Checked here, while the session is open: a row becomes a record.
            foreign = self._contract(handler) if self._kind(handler) == DATABASE else None
            context = self.contexts.over_sql(handler, key, session, foreign=foreign, later=later)
            return self._checked(handler, handler.function(context, **arguments))
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
        except (DepartmentFailed, Pending, RemoteFailed):
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
                value = self._checked(
                    handler, handler.function(self.contexts.on_hub(handler, key), **arguments)
                )
        except TimeUp as up:
            if up is not mine:
                raise
            raise self._failed(handler, "time_up", f"no answer within {within:g} s") from None
        except (DepartmentFailed, RemoteFailed):
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


def _withheld(handler: Handler, values: Mapping[str, object]) -> bool:
    """Whether something among the arguments must not be written down."""
    return any(isinstance(value, Secret) for value in values.values()) or any(
        holds_private(argument.type) for argument in handler.arguments.values()
    )


def _no_errors(**_: Any) -> list[dict[str, Any]]:
    return []
