"""``insideline party`` without a running engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.main import cli
from engine.testing.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "house")


def run(home: Home, *words: str, input: str = "") -> str:
    done = CliRunner().invoke(cli, ["party", *words, "--home", str(home.folder)], input=input)
    assert done.exit_code == 0, done.output
    return done.output


def test_parties_are_added_imported_shown_and_given_pins(home: Home, tmp_path: Path) -> None:
    run(
        home, "add", "dealer", "Hengrun", "--code", "44010001", "--number", "13802880001", "--tier", "diamond"
    )
    file = tmp_path / "more.csv"
    file.write_text(
        "kind,name,code,numbers,pin\nbranch,South,S1,13802880002 13802880003,\n", encoding="utf-8"
    )
    assert "1 parties kept" in run(home, "import", str(file))
    assert "the PIN is set" in run(home, "set-pin", "dealer/44010001", input="2580\n")
    rows = json.loads(run(home, "list", "--json"))
    assert [(row["kind"], row["numbers"]) for row in rows] == [
        ("branch", ["+8613802880002", "+8613802880003"]),
        ("dealer", ["+8613802880001"]),
    ]
    assert "Hengrun" in run(home, "show", "13802880001")
    assert "unlocked Hengrun" in run(home, "unlock", "44010001")
    assert "argon2" not in run(home, "list", "--json")


@pytest.mark.parametrize("head", ["kind,nam\n", "code\n"])
def test_a_file_with_an_unknown_or_missing_column_is_refused(home: Home, tmp_path: Path, head: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(head, encoding="utf-8")
    done = CliRunner().invoke(cli, ["party", "import", str(file), "--home", str(home.folder)])
    assert done.exit_code != 0
    assert "column" in done.output
