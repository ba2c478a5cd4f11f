"""``insideline plugin new``: a department that works at once, in a home made by ``insideline init``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.cli.init import make_home
from engine.cli.main import cli
from tests.shipped import compiled

Insideline = Callable[..., Result]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A home as `insideline init` makes it."""
    folder = tmp_path / "home"
    make_home(folder)
    return folder


@pytest.fixture
def insideline(place: Path, monkeypatch: pytest.MonkeyPatch) -> Insideline:
    """The command line in that home."""
    monkeypatch.chdir(place)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, list(words))

    return run


def with_line(place: Path, printed: str) -> str:
    """Put the printed line into the dialplan; the number that it gives."""
    line = re.search(r"^  - \{to: \"(\d+)\".*$", printed, re.M)
    assert line is not None
    dialplan = place / "dialplans" / "main.yaml"
    text = dialplan.read_text(encoding="utf-8")
    dialplan.write_text(text.replace("numbers:\n", f"numbers:\n{line[0]}\n", 1), encoding="utf-8")
    return line[1]


def test_its_tests_pass_at_once(place: Path, insideline: Insideline) -> None:
    assert insideline("plugin", "new", "warranty").exit_code == 0
    with compiled(place, "warranty"):
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "plugins/warranty", "-q", "-m", "not postgresql"],
            cwd=place,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    assert ran.returncode == 0, ran.stdout[-3000:]


def test_it_checks_clean_and_answers_its_number(place: Path, insideline: Insideline, centre_of: Any) -> None:
    printed = insideline("plugin", "new", "warranty").output
    number = with_line(place, printed)
    with compiled(place, "warranty"):
        checked = insideline("flow", "check", "--json")
    assert [one for one in json.loads(checked.stdout) if one["severity"] == "error"] == []
    caller = centre_of(place).caller().dials(number)
    caller.hears("warranty/choose_language").presses("1")
    caller.hears("warranty/enter_code").presses("1001#")
    caller.hears("warranty/item_text")


def test_it_may_be_made_elsewhere(tmp_path: Path, insideline: Insideline) -> None:
    made = insideline("plugin", "new", "warranty", "--dir", str(tmp_path / "src"), "--number", "8877")
    assert (tmp_path / "src" / "warranty" / "plugin.py").is_file()
    assert '{to: "8877", flow: warranty/main' in made.output


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Warranty", "lower-case"),
        ("my-desk", "lower-case"),
        ("9lives", "lower-case"),
        ("a__b", "lower-case"),
        ("class", "means something already"),
        ("queue", "means something already"),
        ("common", "means something already"),
        ("w" * 31, "too long"),
        ("../evil", "lower-case"),
    ],
)
def test_a_name_that_would_not_do_is_refused(
    place: Path, insideline: Insideline, name: str, why: str
) -> None:
    before = sorted((place / "plugins").iterdir())
    refused = insideline("plugin", "new", name)
    assert refused.exit_code == 1
    assert why in refused.stderr
    assert sorted((place / "plugins").iterdir()) == before


def test_a_folder_that_is_there_is_left_alone(place: Path, insideline: Insideline) -> None:
    refused = insideline("plugin", "new", "logistics")
    assert refused.exit_code == 1
    assert "is there already" in refused.stderr
    assert (place / "plugins" / "logistics" / "overdue.py").is_file()
