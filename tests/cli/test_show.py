"""Lists fit the terminal they are shown on; hints name the program as it must be typed."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from engine.cli import show
from engine.cli.client import Engine
from engine.cli.dial_screen import _wrapped
from engine.cli.home import TIMEZONE, home_option
from engine.config import Settings

COLUMNS = (("name", "name"), ("queue", "queue"), ("step", "step"))
ROWS: list[dict[str, Any]] = [{"name": "林晓燕", "queue": "", "step": "x" * 40}, {"name": "y", "step": "z"}]


class Terminal:
    """A stdout that is a terminal."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...


@pytest.mark.parametrize(
    ("columns", "titles", "more"),
    [
        (80, ["name", "queue", "step"], ""),
        (52, ["name", "step"], ""),  # nothing stood in the column that went
        (40, ["name"], "also, where there is room, and by --json: step"),
    ],
)
def test_a_narrow_terminal_does_without_the_least_missed_columns(
    monkeypatch: pytest.MonkeyPatch, columns: int, titles: list[str], more: str
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    show.listing(ROWS, COLUMNS, as_json=False, empty="", spare=("step", "queue"))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.text).splitlines()
    assert lines[0].split() == titles
    assert all(cell_len(line) <= columns for line in lines[:4])
    assert (lines[-1] == more) if more else len(lines) == 4


def test_into_a_pipe_nothing_is_left_out_or_cut(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "n" * 300, "queue": "q", "step": "s"}]
    show.listing(rows, COLUMNS, as_json=False, empty="", spare=("step",))
    assert f"{'n' * 300}  q      s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("says", "there"),
    [
        ("timezone: Asia/Urumqi\n", "2026-11-22 14:00:00"),
        ("", "2026-11-22 16:00:00"),
        ("[", "2026-11-22 08:00:00"),
    ],
)
def test_times_are_those_of_the_centre_whatever_the_machine_thinks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, there: str
) -> None:
    for folder in ("conf", "dialplans"):
        (tmp_path / folder).mkdir()
    (tmp_path / "conf" / "engine.yaml").write_text(f"grammar: 1\n{says}", encoding="utf-8")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.chdir(tmp_path)

    @click.command()
    @click.option("--since", type=show.Moment())
    @home_option
    def told(since: datetime) -> None:
        click.echo(f"{show.moment('2026-11-22T08:00:00+00:00')} {show.moment(since.isoformat())}")

    answer = CliRunner().invoke(told, ["--since", there[:16], "--home", str(tmp_path)])
    assert answer.output == f"{there} {there}\n"
    assert Settings.model_fields["timezone"].default == TIMEZONE
    monkeypatch.undo()
    time.tzset()


def test_a_hint_names_the_program_as_it_must_be_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv/bin/insideline"), "run"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert show.as_typed("insideline dial 8004") == ".venv/bin/insideline dial 8004"
    assert show.as_typed("register a phone") == "register a phone"
    program = tmp_path / "bin" / "insideline"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    assert show.as_typed("insideline dial 8004") == "insideline dial 8004"


def test_what_is_heard_is_broken_between_words() -> None:
    assert _wrapped("To hear this again, press star.", 20) == ["To hear this again,", "press star."]
    assert _wrapped("您好，欢迎致电粤达物流。", 10) == ["您好，欢迎", "致电粤达物", "流。"]
    assert _wrapped("", 10) == [""]


def test_a_ticket_has_room_for_the_longest_of_its_fields(
    home: Path, monkeypatch: pytest.MonkeyPatch, say: Callable[..., Result]
) -> None:
    moments = dict.fromkeys(("due", "opened"), None)
    row = {
        "number": "300575388", "kind": "pickup", "state": "open", "group": "logistics", "owner": "", "caller": "",
        "department": "logistics", "escalated": False, "answer": "", "reopens": 0, "returns": 0,
        "data": {"order": "70000001", "to_write_down": False}, "links": [["call", "fa5d628f-0000"]], **moments,
    }  # fmt: skip
    monkeypatch.setattr(Engine, "get", lambda self, path: {"ticket": row, "history": []})
    assert say("ticket show 300575388").stdout.splitlines()[-4:] == [
        "  order          70000001",
        "  to_write_down  no",
        "call             fa5d628f",
        "",
    ]
