"""The benchmarks' report: what holds, what was missed, what could not be measured, and the file it leaves."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bench import module_sql

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_table", ROOT / "bench" / "table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return found


def test_figures_are_judged_as_their_goals_read(table: ModuleType, tmp_path: Path) -> None:
    report = table.Report(tmp_path / "var" / "bench.json")
    report.begin("esl")
    report.compare("events", 10, 75, "greenswitch", "us", at_least=7)
    report.compare("cpu", 1.3, 1.0, "native", "ms", at_most=1.25)
    report.compare("other", 10, 20, "python-ESL", "us")
    report.limit("memory", 18, "KiB", at_most=20)
    report.left_out("sip", "no sipp on this machine")
    report.show()
    report.write()
    found = rows(tmp_path / "var" / "bench.json")
    keys = {"name", "ours", "peer", "peer_name", "unit", "ratio", "goal", "holds"}
    assert all(keys <= set(row) for row in found)
    assert [(row["ratio"], row["goal"], row["holds"]) for row in found] == [
        (7.5, ">= 7 x", True),
        (1.3, "<= 1.25 x", False),
        (2.0, "", None),
        (None, "<= 20 KiB", True),
        (None, "", None),
    ]
    assert found[4]["why"] == "no sipp on this machine"
    assert not report.good


def test_figures_of_benchmarks_that_did_not_run_stay(table: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    for name, value in (("a", 1), ("b", 2), ("a", 3)):
        report = table.Report(path)
        report.begin(name)
        report.limit("x", value, "us")
        report.write()
    assert [(row["benchmark"], row["ours"]) for row in rows(path)] == [("b", 2), ("a", 3)]
    path.write_text("{cut sh", "utf-8")
    report.write()
    assert [(row["benchmark"], row["ours"]) for row in rows(path)] == [("a", 3)]


def test_an_unknown_benchmark_is_one_clear_line() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "bench", "nosuch"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.startswith("no such benchmark: nosuch (there are: ")
    assert "esl" in run.stderr


def test_statements_of_a_module_are_found_in_its_bytes_or_it_is_not_used() -> None:
    texts = [
        "CREATE TABLE members (queue VARCHAR);",
        "CREATE TABLE agents (name VARCHAR);",
        "CREATE TABLE tiers (queue VARCHAR);",
        "SELECT queue, x AS score FROM members WHERE (state = '%q' OR a < %ld) ORDER BY score DESC",
        "SELECT name FROM agents LEFT JOIN tiers ON (a = b) WHERE queue = '%q' AND s = '%q' AND s = '%q' ORDER BY %q",
        "SELECT name FROM agents LEFT JOIN tiers ON (a = b) UNION SELECT name FROM agents ORDER BY %q",
        "level, agents.last_bridge_end, position",
        "UPDATE members SET serving_agent = '%q', serving_system = '%q', state = '%q' WHERE instance_id = '%q'",
        "UPDATE agents SET state = '%q' WHERE name = '%q'",
    ]
    data = b"\x7fELF\x00" + b"\x00".join(text.encode() for text in texts) + b"\x00\xff"
    sql = module_sql.read(data)
    assert sql is not None
    assert "WHERE queue = 'q''x' AND s = 'Available'" in sql.agents("q'x")
    assert "UNION" not in sql.agents("q")
    assert sql.be("Waiting", "agent-1") == "UPDATE agents SET state = 'Waiting' WHERE name = 'agent-1'"
    assert sql.tables.count("CREATE TABLE") == 3
    assert module_sql.read(data.replace(b"CREATE TABLE tiers", b"create something")) is None
