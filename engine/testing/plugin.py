"""The pytest plugin for departments: ``centre`` with its callers and agents, ``seed``, ``centre_home``,
for flows of a test's own ``home`` and ``centre_of``, and for adapters and stores ``database_url`` (the test runs twice,
on SQLite and on PostgreSQL), ``postgresql_url`` and ``postgresql``.

A plugin outside this repository names its installation's folder by the ini option ``insideline_home`` (by
default the folder that pytest was started in).
"""

from __future__ import annotations

# gevent patches before anything else is imported.
from engine.testing import patched  # isort: skip  # noqa: F401

import gc
import io
import logging
import os
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from gevent.monkey import get_original

from engine.store import engines

_COLLECT = (10_000, 20, 20)  # new objects, and times; Python's own are 700, 10, 10

pytest_plugins = ("engine.testing.flow_coverage", "engine.testing.workers")

if TYPE_CHECKING:
    from engine.app import Installation
    from engine.testing.centre import Centre
    from engine.testing.home import Home
    from engine.testing.postgresql import PostgreSQL
    from engine.testing.seed import Seed


def pytest_configure(config: pytest.Config) -> None:
    from engine.testing.compiled import share_compiled

    engines.DURABLE = False
    share_compiled()
    config.addinivalue_line("markers", "postgresql: needs PostgreSQL (left out where there is none)")
    config.addinivalue_line("markers", "xdist_group(name): with pytest-xdist, all in one process")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """The collector of garbage need not walk, again and again, the million objects that are imported and collected to
    stay: that was a fifth of the time of short tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()  # they are old from now on
        gc.set_threshold(*_COLLECT)
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """gevent closes what is no regular file in the next turn of its hub, and there is none any more: pytest, which now
    removes the folders of earlier runs, would have all of them open at once, and end with "Too many open files"."""
    if not hasattr(session.config, "workerinput"):  # a worker of pytest-xdist removes none
        os.close = get_original("os", "close")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="what the centres of the tests keep their data in",
    )
    parser.addini("insideline_home", "the folder with conf/, plugins/, dialplans/ and prompts/", default="")


@pytest.fixture(scope="session")
def centre_home(pytestconfig: pytest.Config) -> Path:
    """The installation that the tests' centre is made of."""
    if said := pytestconfig.getini("insideline_home"):
        return Path(said)
    here = pytestconfig.invocation_params.dir
    for folder in (here, *here.parents):
        if (folder / "conf").is_dir() and (folder / "dialplans").is_dir():
            return folder
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One PostgreSQL server for all tests of the run. Where there can be none the test is left out, and says why."""
    from engine.testing.postgresql import PostgreSQL, missing

    if why := missing():
        pytest.skip(why)
    server = PostgreSQL()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """An empty database on PostgreSQL, gone after the test."""
    url = postgresql.make_database()
    yield url
    postgresql.sweep_database(url)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_url" in metafunc.fixturenames:
        both = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
        metafunc.parametrize("database_url", both, indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: a test that asks for it runs on SQLite and on PostgreSQL."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/il.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture(scope="session")
def _workshop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What all centres of a run share: the folder of rendered prompts, what the files of installations say, and new
    databases to copy."""
    from engine.testing.installations import Installations

    return {
        "folder": tmp_path_factory.mktemp("centre"), "databases": {}, "installations": Installations(),
    }  # fmt: skip


@pytest.fixture
def centre(centre_home: Path, centre_of: Callable[[Path], Centre]) -> Centre:
    """A whole centre: the engine on the simulator, on a virtual clock, Monday morning at nine in Guangzhou."""
    return centre_of(centre_home)


@pytest.fixture
def seed(centre: Centre) -> Seed:
    """Data of a test's own in the tables of the ``centre``: ``seed.waybill(number="44019001", …)``."""
    from engine.testing.seed import Seed

    return Seed(centre)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A small installation to write flows into."""
    from engine.testing.home import Home

    return Home(tmp_path / "home")


@pytest.fixture
def centre_of(
    request: pytest.FixtureRequest, tmp_path: Path, _workshop: dict[str, Any]
) -> Iterator[Callable[..., Centre]]:
    """Makes a centre of any installation: a folder, or a :class:`~engine.testing.home.Home`. ``database`` is the URL
    of an empty database (``database=postgresql_url``); without it the centre has an SQLite file of its own."""
    from engine import log
    from engine.clock import VirtualClock
    from engine.prompts import MuteVoice
    from engine.testing.centre import Centre
    from engine.testing.home import Home

    opened: list[Centre] = []
    borrowed: list[tuple[PostgreSQL, str]] = []
    logging_before = structlog.get_config(), list(logging.getLogger().handlers), logging.getLogger().level

    def make(source: Path | Home, *, database: str = "") -> Centre:
        clock, logged = VirtualClock(), io.StringIO()
        log.set_up("debug", "json", logged)
        folder = source.folder if isinstance(source, Home) else source
        installation: Installation = _workshop["installations"].read(folder, clock)
        var = tmp_path / f"var{len(opened) or ''}"
        if not database and request.config.getoption("--database") == "postgresql":
            server = request.getfixturevalue("postgresql")
            database = server.make_database()
            borrowed.append((server, database))
        installation.folders = replace(
            installation.folders,
            var=var,
            recordings=var / "recordings",
            prompt_cache=_workshop["folder"] / "prompts",
            control_socket=var / "insideline.sock",
            database_url=database or f"sqlite:///{var}/insideline.db",
        )
        kind = _kind_of(installation)
        copied = None if database else _workshop["databases"].get(kind)
        made = Centre(installation, clock, MuteVoice(), database=copied, logged=logged)
        opened.append(made)
        if kind not in _workshop["databases"] and not database:
            made.app.store.flush()
            _workshop["databases"][kind] = _kept(
                made, _workshop["folder"] / f"{len(_workshop['databases'])}.db"
            )
        return made

    try:
        yield make
    finally:
        for made in opened:
            made.close()
            made.virtual.close()
            print(made.logged.getvalue()[-20_000:])  # shown by pytest when the test fails
        for server, database in borrowed:
            server.sweep_database(database)
        structlog.configure(**logging_before[0])
        logging.getLogger().handlers[:] = logging_before[1]
        logging.getLogger().setLevel(logging_before[2])


def _kind_of(installation: Installation) -> tuple[str, ...]:
    """Installations with the same tables and the same sample may begin with copies of one database."""
    from engine.app.sample import has_sample

    departments = installation.host.departments
    if any(has_sample(installation, name) for name in departments):
        return (str(installation.home),)
    return tuple(
        sorted(t for one in departments.values() if one.models is not None for t in one.models.tables)
    )


def _kept(made: Centre, kept: Path) -> Path:
    """A copy of the first centre's database, tables and sample in it, for all that follow."""
    source = made.installation.folders.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(source)) as database, closing(sqlite3.connect(kept)) as copy:
        database.backup(copy)
        copy.execute("DELETE FROM agent_states")  # who was logged in there is nobody's memory here
        copy.commit()
    return kept
