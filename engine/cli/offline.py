"""What commands can do with a home while no engine runs in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from engine.clock import Clock
from engine.errors import ConfigError
from engine.web.answers import to_json

if TYPE_CHECKING:
    from engine.app.installation import Installation
    from engine.config import Settings
    from engine.records.parties import Parties
    from engine.store.store import Store

T = TypeVar("T")

LOOK = 30.0  # seconds that a look into the database may take


def quiet() -> None:
    """Only warnings are heard: the engine's own talk is not what a command was asked for."""
    from engine.log import set_up

    set_up("warning", "console")
    logging.captureWarnings(True)


def settings_of(home: Path) -> Settings:
    """conf/engine.yaml, but for the switch's section. :class:`ConfigError` with every fault of it."""
    from engine.config import Settings
    from engine.schema.faults import Faults
    from engine.schema.shapes import load_file

    settings, found = load_file(home / "conf" / "engine.yaml", Settings, name="conf/engine.yaml")
    Faults(found).raise_errors()
    if settings is None:
        raise ConfigError(f"{home}/conf/engine.yaml can't be read")
    return settings


def installation_of(home: Path) -> Installation:
    """Everything that the home holds, read and checked. What refused plugins say stands in it, not in the log."""
    from engine.app.installation import read_installation

    # The host logs each plugin that it refuses; a command shows that itself, in its own form.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return read_installation(home, Clock())


@contextmanager
def store_of(home: Path, *, readonly: bool = True) -> Iterator[Store]:
    """The database of the home; open when ``readonly``. :class:`StoreError` when it is not there or older."""
    from engine.store.store import Store

    if readonly:
        folders = settings_of(home).folders(home)
        store = Store(folders.database_url, Clock(), folders.var)
        store.open(readonly=True)
    else:
        from engine.app.app import department_tables

        made = installation_of(home)
        store = Store(
            made.folders.database_url, Clock(), made.folders.var, departments=department_tables(made)
        )
    try:
        yield store
    finally:
        store.close()


@contextmanager
def parties_of(home: Path) -> Iterator[Parties]:
    """The parties of the home, to read and to change while no engine runs."""
    from engine.flows.numbers import Numbers
    from engine.records.parties import Parties

    with store_of(home, readonly=False) as store:
        store.open()
        parties = Parties(store, Clock(), Numbers(settings_of(home).region).e164)
        try:
            parties.open()
            yield parties
        finally:
            parties.close()


def _rows(found: list[Any]) -> list[dict[str, Any]]:
    """Rows as the control API would give them, so that they are shown the same."""
    import orjson

    rows: list[dict[str, Any]] = orjson.loads(to_json(found))
    return rows


def cdrs_of(home: Path, **wanted: Any) -> list[dict[str, Any]]:
    """The calls that are over, from the database."""
    from engine.store import queries

    quiet()
    with store_of(home) as store:
        return _rows(store.read(lambda session: queries.cdrs(session, **wanted), LOOK))


def recordings_of(home: Path, **wanted: Any) -> list[dict[str, Any]]:
    """The recordings, from the database."""
    from engine.store import queries

    quiet()
    with store_of(home) as store:
        return _rows(store.read(lambda session: queries.recordings(session, **wanted), LOOK))


def call_of(home: Path, id: str) -> dict[str, Any]:
    """A call that is over, with its journal, as the control API gives it. :class:`NotFound`."""
    from engine.store import queries
    from engine.web.naming import cdr_named

    def look(session: Any) -> Any:
        found = cdr_named(session, id)
        return {"cdr": found, "journal": queries.journal(session, call=found.call, limit=1000)}

    quiet()
    with store_of(home) as store:
        return _rows([store.read(look, LOOK)])[0]


def recording_file(home: Path, id: str) -> tuple[dict[str, Any], Path]:
    """A recording and its file. :class:`NotFound` when there is none of that id."""
    from engine.web.naming import recording_named

    quiet()
    with store_of(home) as store:
        row = store.read(lambda session: recording_named(session, id), LOOK)
    return _rows([row])[0], settings_of(home).folders(home).recordings / row.path


def messages_of(home: Path, box: str, limit: int) -> list[dict[str, Any]]:
    """The messages in boxes, from the database."""
    from engine.web.clips import list_messages

    quiet()
    with store_of(home) as store:
        return _rows(list_messages(store, box, limit))


def message_file(home: Path, id: str) -> tuple[dict[str, Any], Path]:
    """A message and its file. :class:`NotFound` when there is none of that id."""
    from engine.web.clips import one_message

    quiet()
    with store_of(home) as store:
        found = one_message(store, id)
    return _rows([found["message"]])[0], settings_of(home).folders(home).recordings / found["path"]


def ratings_of(home: Path, by: str, **wanted: Any) -> list[dict[str, Any]]:
    """The answers to surveys, or their means, from the database."""
    from engine.web.clips import list_ratings

    quiet()
    with store_of(home) as store:
        return _rows(list_ratings(store, by, **wanted))


def ticket_kinds_of(home: Path) -> list[dict[str, Any]]:
    """The kinds of tickets that the home's departments declare."""
    from engine.app.records import kinds_of_tickets
    from engine.records.records import kinds_shown

    return kinds_shown(kinds_of_tickets(installation_of(home)))


def explained_call(home: Path, id: str) -> dict[str, Any]:
    """Why a call waited, from the database. :class:`NotFound`."""
    from engine.acd.evidence import about_call

    quiet()
    with store_of(home) as store:
        now = Clock().now()
        return _rows([store.read(lambda session: about_call(session, id, now), LOOK)])[0]


def explained_agent(home: Path, id: str, since: datetime, until: datetime) -> dict[str, Any]:
    """What an agent did, and who waited meanwhile, from the database. :class:`NotFound`."""
    from engine.acd.evidence import about_agent

    quiet()
    with store_of(home) as store:
        return _rows([store.read(lambda session: about_agent(session, id, since, until), LOOK)])[0]


def knowledge_done(home: Path, deed: str, told: dict[str, Any]) -> Any:
    """A deed with the knowledge (:mod:`engine.records.knowledge_desk`) while no engine runs, as the control API gives
    it. What is published is told by the engine that runs next."""
    import orjson

    from engine.app.records import roles_of
    from engine.records import knowledge_desk
    from engine.records.certification import Certifications
    from engine.records.knowledge import Library

    made, clock = installation_of(home), Clock()
    quiet()
    settings = made.settings
    now = clock.now()

    def work(session: Any) -> Any:
        library = Library(
            session,
            now=now,
            today=now.astimezone(settings.zone).date(),
            roles_of=lambda who: roles_of(made.acd, who),
        )
        certificates = Certifications(session, library, now=now, grace=settings.certification.grace)
        return orjson.loads(to_json(knowledge_desk.do(library, certificates, deed, told)))

    looks = deed in knowledge_desk.LOOKS
    with store_of(home, readonly=looks) as store:
        if looks:
            return store.read(work, LOOK)
        store.open()
        return store.work(work, LOOK)
