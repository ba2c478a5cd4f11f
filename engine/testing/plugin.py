"""The pytest plugin for departments: ``centre`` with its callers and agents, and ``centre_home``.

A plugin outside this repository names its installation's folder by the ini option ``insideline_home`` (by
default the folder that pytest was started in).
"""

from __future__ import annotations

# gevent patches before anything else is imported.
from engine.testing import patched  # isort: skip  # noqa: F401

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from engine.app import Installation
    from engine.testing.centre import Centre


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("insideline_home", "the folder with conf/, plugins/, dialplans/ and prompts/", default="")


@pytest.fixture(scope="session")
def centre_home(pytestconfig: pytest.Config) -> Path:
    """The installation that the tests' centre is made of."""
    return Path(pytestconfig.getini("insideline_home") or pytestconfig.rootpath)


@pytest.fixture(scope="session")
def _workshop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What all centres of a run share: the folder of rendered prompts, and an empty database to copy."""
    return {"folder": tmp_path_factory.mktemp("centre"), "database": None}


@pytest.fixture
def centre(centre_home: Path, tmp_path: Path, _workshop: dict[str, Any]) -> Iterator[Centre]:
    """A whole centre: the engine on the simulator, on a virtual clock, Monday morning at nine in Guangzhou."""
    from engine import log
    from engine.app import read_installation
    from engine.clock import VirtualClock
    from engine.prompts import MuteVoice
    from engine.testing.centre import Centre

    clock = VirtualClock()
    installation: Installation = read_installation(centre_home, clock)
    folders = installation.folders
    installation.folders = replace(
        folders,
        var=tmp_path / "var",
        recordings=tmp_path / "var" / "recordings",
        prompt_cache=_workshop["folder"] / "prompts",
        control_socket=tmp_path / "var" / "insideline.sock",
        database_url=f"sqlite:///{tmp_path}/var/insideline.db",
    )
    made = Centre(installation, clock, MuteVoice(), database=_workshop["database"])
    log.set_up("debug", "json", made.logged)
    if _workshop["database"] is None:
        made.app.store.flush()
        _workshop["database"] = _kept(made, _workshop["folder"])
    try:
        yield made
    finally:
        made.close()
        clock.close()
        print(made.logged.getvalue()[-20_000:])  # shown by pytest when the test fails
        log.set_up("warning", "console")


def _kept(made: Centre, folder: Path) -> Path:
    """A copy of the first centre's database, tables and sample in it, for all that follow."""
    kept = folder / "empty.db"
    source = made.installation.folders.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(source)) as database, closing(sqlite3.connect(kept)) as copy:
        database.backup(copy)
    return kept
