"""What needs no running engine: checking, listing, rendering, upgrading, and the doctor's round."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Say = Callable[..., Result]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def broken(centre: Path) -> Path:
    """The same, with a flow that leads nowhere and a plugin that raises."""
    (centre / "plugins" / "odd" / "flows").mkdir(parents=True)
    (centre / "plugins" / "odd" / "plugin.py").write_text("x = 1 / 0\n", encoding="utf-8")
    flow = centre / "plugins" / "reception" / "flows" / "main.yaml"
    text = flow.read_text(encoding="utf-8")
    assert "start: " in text
    flow.write_text(text.replace("start: ", "start: no", 1), encoding="utf-8")
    return centre


def test_a_sound_centre_passes_the_check(centre: Path, say: Say) -> None:
    done = say("flow check")
    assert done.exit_code == 0, done.stderr
    assert "no fault" in done.stdout


def test_every_fault_is_told_with_its_place_and_the_exit_is_1(broken: Path, say: Say) -> None:
    done = say("flow check")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "plugins/reception/flows/main.yaml:" in done.stderr
    assert ": error[" in done.stderr
    assert "plugins/odd: error[plugin]: Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert "refused" not in done.stderr  # no log line beside what is told


def test_the_faults_are_there_for_programs(broken: Path, say: Say) -> None:
    done = say("flow check --json")
    assert done.exit_code == 1
    faults = json.loads(done.stdout)
    assert {"file", "line", "column", "severity", "code", "message", "hint"} <= faults[0].keys()
    assert [one["message"] for one in faults if one["code"] == "plugin"] == [
        "ZeroDivisionError: division by zero"
    ]
    assert any(one["file"] == "plugins/reception/flows/main.yaml" and one["line"] > 0 for one in faults)


def test_flows_are_listed_as_the_files_say(centre: Path, say: Say, told: Callable[[str], Any]) -> None:
    assert "reception/main" in {row["name"] for row in told("flow list")}
    assert "reception/main" in say("flow list").stdout


def test_flows_with_faults_are_not_listed(broken: Path, say: Say) -> None:
    done = say("flow list")
    assert done.exit_code == 1
    assert "`insideline flow check` shows them" in done.stderr


def test_the_tables_are_made_and_then_there_is_nothing_to_do(centre: Path, say: Say) -> None:
    assert say("db upgrade --dry-run").stdout == "nothing to do\n"  # nothing is there that could be older
    done = say("db upgrade")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("core: nothing -> ")
    assert say("db upgrade").stdout == "nothing to do\n"
    with sqlite3.connect(centre / "var" / "insideline.db") as database:
        assert "cdr" in {row[0] for row in database.execute("select name from sqlite_master")}


def test_prompts_are_rendered_once(centre: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine import prompts

    monkeypatch.setattr(prompts, "find_voice", lambda *_: prompts.MuteVoice())
    done = say("prompts build")
    assert done.exit_code == 0, done.stderr
    assert "0 were there" in done.stdout
    assert " 0 rendered now" in say("prompts build").stdout


def test_the_doctor_of_a_sound_centre_finds_nothing_wrong(
    centre: Path, say: Say, told: Callable[[str], Any]
) -> None:
    done = say("doctor")
    assert done.exit_code == 0, done.stdout
    assert "WRONG" not in done.stdout
    found = {one["about"]: one for one in told("doctor")}
    assert {
        "python",
        "files",
        "home",
        "plugins",
        "switch",
        "speech",
        "ports",
        "database",
        "engine",
        "sound",
    } <= found.keys()
    assert "is not there yet" in found["database"]["text"]
    assert found["engine"]["text"] == "none runs in this home"


@pytest.mark.postgresql
def test_the_doctor_tells_the_databases_version_and_the_ports_that_are_taken(
    centre: Path, say: Say, told: Callable[[str], Any], postgresql_url: str
) -> None:
    (centre / "conf" / "engine.yaml").write_text(f"grammar: 1\ndatabase: {{url: '{postgresql_url}'}}\n")
    [empty] = [one["text"] for one in told("doctor") if one["about"] == "database"]
    assert "is empty yet" in empty
    assert say("db upgrade").exit_code == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (centre / "conf" / "engine.yaml").open("a") as file:
            file.write(f"switch: {{event_socket: {port}}}\n")
        found = {one["about"]: one for one in told("doctor")}
    assert re.search(r"\(PostgreSQL [0-9.]+, psycopg 3\.[0-9.]+\) is up to date", found["database"]["text"])
    assert found["ports"]["state"] == "note"
    assert f"127.0.0.1:{port} (Address already in use)" in found["ports"]["text"]


def test_the_doctor_names_what_keeps_the_engine_from_starting(broken: Path, say: Say) -> None:
    done = say("doctor")
    assert done.exit_code == 1
    assert "WRONG home" in done.stdout
    assert "WRONG plugin     odd is kept out: ZeroDivisionError" in done.stdout


def test_the_doctor_asks_for_an_upgrade_of_older_tables(centre: Path, say: Say) -> None:
    assert say("db upgrade").exit_code == 0
    with sqlite3.connect(centre / "var" / "insideline.db") as database:
        database.execute(
            "update alembic_version set version_num = 'core_0001' where version_num like 'core_%'"
        )
    done = say("doctor")
    assert done.exit_code == 1
    assert "run `insideline db upgrade`" in done.stdout


def test_a_broken_engine_yaml_is_told_with_its_place(centre: Path, say: Say) -> None:
    (centre / "conf" / "engine.yaml").write_text("grammar: 1\ntimezone: Asia/Nowhere\n", encoding="utf-8")
    done = say("flow check")
    assert done.exit_code == 1
    assert "conf/engine.yaml:2:" in done.stderr
    done = say("cdr list")
    assert done.exit_code == 1
    assert "conf/engine.yaml:2:" in done.stderr
