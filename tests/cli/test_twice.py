"""The engine itself, started twice in one home: what the first one wrote stays as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """\
grammar: 1
callers:
  - title: gives up at once
    dials: "8999"
    from: ["+8613800000001"]
    first: 500ms
    every: 1h
    does: [{wait: 500ms}, hang_up]
"""


@pytest.fixture
def centre() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="il-") as folder:
        for name in ("conf", "dialplans", "plugins", "prompts"):
            shutil.copytree(
                ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__", "tests")
            )
        (Path(folder) / "conf" / "simulator.yaml").write_text(SCRIPT, encoding="utf-8")
        yield Path(folder)


def insideline(centre: Path, line: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "engine", *line.split(), "--home", str(centre)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_calls_of_two_days_on_the_simulator_are_told_apart(centre: Path) -> None:
    for _ in range(2):
        said = insideline(centre, "run --switch simulator --for 4s")
        assert "+8613800000001 dials 8999" in said
        assert "1 call in" in said
    rows: list[dict[str, Any]] = json.loads(insideline(centre, "cdr list --json"))
    assert len(rows) == 2
    assert len({row["call"] for row in rows}) == 2
