"""The warranty desk of docs/plugins.md: put together from the page, it passes the checker, and its tests pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.init import make_home
from engine.cli.offline import installation_of
from tests.docs.examples import ROOT, examples, write

FILES = [one for one in (*examples("python"), *examples("yml")) if one.page == "docs/plugins.md" and one.path]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    make_home(tmp_path / "home")
    for one in FILES:
        write(tmp_path / "home", one.path, one.text)
    return tmp_path / "home"


def test_every_block_of_code_is_a_file() -> None:
    assert len(FILES) == 4
    assert all(one.path for one in examples("python") if one.page == "docs/plugins.md")


def test_the_checker_has_no_fault(home: Path) -> None:
    made = installation_of(home)
    assert [str(fault) for fault in made.faults.errors] == []
    assert made.host.faults == []


def test_its_tests_pass(home: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "plugins/warranty"],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert "3 passed" in ran.stdout
