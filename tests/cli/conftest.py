"""The command line against an engine of stand-ins that answers on a real socket."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from engine.cli.main import cli
from engine.clock import Clock
from engine.web.app import control_app
from engine.web.parts import Parts
from engine.web.place import USUAL
from engine.web.server import Server
from tests.shipped import compiled
from tests.web.fakes import make_parts

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="il-") as folder:
        place = Path(folder)
        (place / "conf").mkdir()
        (place / "dialplans").mkdir()
        (place / "conf" / "engine.yaml").write_text(
            "grammar: 1\n# socket: var/other.sock\n", encoding="utf-8"
        )
        yield place


@pytest.fixture
def centre(home: Path) -> Iterator[Path]:
    """The centre of this repository, in a home of its own. What flows one test compiled the next one has at once, as an
    engine has that starts again."""
    for name in ("conf", "dialplans", "plugins", "prompts"):
        shutil.copytree(ROOT / name, home / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("tests"))
    with compiled(home):
        yield home


@pytest.fixture
def parts(home: Path) -> Iterator[Parts]:
    parts = make_parts(home, Clock())
    yield parts
    parts.store.close()  # type: ignore[attr-defined]


@pytest.fixture
def engine(home: Path, parts: Parts) -> Iterator[Parts]:
    """A running engine: its parts. It is in the process of the commands, whose output is theirs alone: what it logs is
    caught."""
    server = Server(control_app(parts), home / USUAL)
    server.start()
    with capture_logs():
        yield parts
    server.stop(0.1)


@pytest.fixture
def say(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Give a command in the home: ``say("agent list --json")``."""
    monkeypatch.chdir(home)
    monkeypatch.delenv("INSIDELINE_HOME", raising=False)

    def say(line: str, input: str | None = None) -> Result:
        return CliRunner().invoke(cli, line.split(), input=input)

    return say


@pytest.fixture
def told(say: Callable[..., Result]) -> Callable[[str], Any]:
    """What a command with --json says, read."""

    def told(line: str) -> Any:
        done = say(f"{line} --json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    return told
