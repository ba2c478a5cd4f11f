"""The file that keeps compiled flows: good for the same files and the same world, and for nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine.flows import cache
from engine.flows.cache import compile_cached
from engine.flows.checker import Checked
from engine.flows.known import Known
from engine.flows.loader import find_flows
from engine.flows.model import Declared, FlowSet
from engine.flows.steps import STEPS
from tests.flows.checking import KNOWN, MAIN, check, department


def compiled(plugins: Path, file: Path, known: Known = KNOWN) -> Checked:
    return compile_cached(find_flows(plugins, base=plugins), known, STEPS, file)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often flows were checked rather than taken."""
    times: list[int] = []
    real = cache.check
    monkeypatch.setattr(cache, "check", lambda *given: (times.append(1), real(*given))[1])
    return times


def test_the_second_time_the_set_is_taken_from_the_file(tmp_path: Path, counted: list[int]) -> None:
    plugins, file = department(tmp_path), tmp_path / "var" / "flows"
    first, second = compiled(plugins, file), compiled(plugins, file)
    assert len(counted) == 1
    assert first.flows is not None
    assert second.flows is not None
    assert second.flows.hash == first.flows.hash
    assert second.flows == first.flows
    assert len(second.flows) == 2
    assert second.flows["orders/main"].step("greet", 5).line == 18
    assert FlowSet.from_bytes(second.flows.to_bytes()) == first.flows


def test_what_flows_say_of_themselves_is_there_without_building_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins, file = department(tmp_path), tmp_path / "flows"
    flows = compiled(plugins, file).flows
    assert flows is not None
    monkeypatch.setattr(cache, "flow_of_tree", None)
    assert compiled(plugins, file).declared == {
        name: Declared(name, flow.params, flow.languages) for name, flow in flows.flows.items()
    }


def test_anything_that_decides_about_flows_makes_the_file_old(tmp_path: Path, counted: list[int]) -> None:
    plugins, file = department(tmp_path), tmp_path / "flows"
    compiled(plugins, file)
    text = MAIN.read_text(encoding="utf-8")
    changes = (
        replace(KNOWN, queues={"orders", "more"}),
        replace(KNOWN, prompts={**KNOWN.prompts, "zh-CN": {**KNOWN.prompts["zh-CN"], "bye": {"x": ""}}}),
        replace(KNOWN, queries={**KNOWN.queries, "orders.check": KNOWN.queries["orders.state"]}),
    )
    for times, known in enumerate(changes, 2):
        compiled(plugins, file, known)
        assert len(counted) == times
    (plugins / "orders" / "flows" / "main.yaml").write_text(text.replace("attempts: 2", "attempts: 3"))
    compiled(plugins, file, changes[-1])
    assert len(counted) == len(changes) + 2


@pytest.mark.parametrize("damage", ["cut", "changed", "another", "empty"])
def test_a_damaged_file_is_written_anew_and_told_of(tmp_path: Path, counted: list[int], damage: str) -> None:
    plugins, file = department(tmp_path), tmp_path / "flows"
    first = compiled(plugins, file)
    data = file.read_bytes()
    file.write_bytes(
        {
            "cut": data[:-9],
            "changed": data[:-9] + b"x" + data[-8:],
            "another": b"insideline flows 0\n",
            "empty": b"",
        }[damage]
    )
    with capture_logs() as logs:
        again = compiled(plugins, file)
    assert len(counted) == 2
    assert again.flows == first.flows
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["flows.cache_rebuilt"]
    assert file.read_bytes() == data


def test_a_set_with_an_error_is_not_kept(tmp_path: Path, counted: list[int]) -> None:
    plugins, file = department(tmp_path, extra="grammar: 1\n"), tmp_path / "flows"
    assert compiled(plugins, file).flows is None
    assert compiled(plugins, file).faults.errors
    assert len(counted) == 2
    assert not file.exists()


def test_a_folder_that_can_not_be_written_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "no").write_text("a file, no folder")
    made = compiled(department(tmp_path), tmp_path / "no" / "flows")
    flows, _ = check(tmp_path / "plugins")
    assert made.flows is not None
    assert flows is not None
    assert made.flows.hash == flows.hash
