"""The departments at work, as the composition root makes them: their systems, their outbox, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from engine.app.installation import Installation
from engine.app.watchdog import Watchdog
from engine.clock import Clock, VirtualClock
from engine.config import SystemSection
from engine.errors import ConfigError, PluginError
from engine.hooks.breaker import BreakerView
from engine.hooks.brought import ALL
from engine.hooks.departments import Departments
from engine.hooks.systems import DATABASE, HTTP, SQL, System
from engine.store.store import Store
from engine.types import BlockedView, JournalEntry, SettledView

if TYPE_CHECKING:
    from engine.app.app import App


def make_departments(
    made: Installation, *, clock: Clock, store: Store, seed: int, **given: Any
) -> Departments:
    """The departments of an installation at work. :class:`ConfigError` when its systems don't fit them."""
    settings = made.settings
    systems = {
        f"{name}.{contract}": _system(said, made.home, f"departments.{name}.adapters.{contract}")
        for name, department in settings.departments.items()
        if name not in made.host.away
        for contract, said in department.adapters.items()
    }
    try:
        return Departments(
            made.host.departments.values(),
            clock=clock,
            store=store,
            timezone=settings.zone,
            systems=systems,
            settings=made.department_settings,
            failures=settings.limits.failures,
            rest=settings.limits.rest,
            seed=seed,
            away=frozenset(made.host.away),
            **given,
        )
    except PluginError as error:
        raise ConfigError(f"conf/engine.yaml: {error}") from error


def wire_departments(app: App, *, alarm: Callable[[str, bool, str], object]) -> None:
    """Let the outbox work while this engine leads, tell what comes of it, and watch for who blocks the engine."""
    departments, made, calls = app.departments, app.installation, app.calls
    clock, store = app.clock, app.store

    def settled(view: SettledView) -> None:
        data = {"command": view.command, "key": view.key, "outcome": view.outcome, "attempts": view.attempts}
        more = {"reason": view.reason, "error": view.error}
        store.journal(
            JournalEntry(
                at=clock.now(),
                kind="command.settled",
                call=view.call,
                data=data | {name: text for name, text in more.items() if text},
            )
        )
        made.host.tell.command_settled(settled=view)

    def changed(view: BreakerView) -> None:
        data = {"name": view.name, "state": view.state, "failures": view.failures, "error": view.error}
        store.journal(JournalEntry(at=clock.now(), kind="breaker.changed", data=data))

    departments.breaker_changed = changed
    made.host.give_context(partial(departments.in_context, writes=True, over=ALL))
    outbox = departments.outbox
    outbox.leads = lambda: calls.leading
    outbox.settled = settled
    outbox.alarm = alarm
    outbox.start()

    def blocked(view: BlockedView) -> None:
        data = {"plugin": view.plugin, "where": view.where, "seconds": round(view.seconds, 2)}
        store.journal(JournalEntry(at=view.at, kind="engine.blocked", data=data))
        made.host.tell.engine_blocked(blocked=view)

    app.watchdog = Watchdog(
        clock, made.host, limit=made.settings.limits.blocked, told=blocked, priority=app.priority
    )


def watch(app: App) -> None:
    """Begin to watch for who blocks the engine, once it is up: while it starts it serves nobody."""
    if not isinstance(app.clock, VirtualClock):  # a test's time stands still while something computes
        app.watchdog.start()


def _system(said: SystemSection, home: Path, where: str) -> System:
    secret = home / said.secret_file if said.secret_file is not None else None
    if said.kind == "http":
        return System(
            HTTP,
            said.url or "",
            limit=said.limit,
            secret_file=secret,
            ca_file=home / said.ca_file if said.ca_file is not None else None,
        )
    if said.url is None:
        return System(SQL)
    tables = {here: (table.name, table.columns) for here, table in said.tables.items()}
    return System(DATABASE, _url(said.url, secret, home, where), limit=said.limit, tables=tables)


def _url(text: str, secret: Path | None, home: Path, where: str) -> str:
    """The whole URL of a database: a file of SQLite's below the home, the password out of its file."""
    try:
        url = make_url(text)
        if secret is not None:
            url = url.set(password=secret.read_text(encoding="utf-8").strip())
    except ArgumentError:
        raise ConfigError(f"conf/engine.yaml: {where}: this is no URL of a database") from None
    except OSError as error:
        raise ConfigError(f"conf/engine.yaml: {where}: {secret} can't be read: {error.strerror}") from None
    if url.get_backend_name() == "sqlite" and url.database:
        url = url.set(database=str(home / url.database))
    return url.render_as_string(hide_password=False)
