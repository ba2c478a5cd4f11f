"""A plugin's code is looked through once, and again once any of it is another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine.clock import Clock
from engine.hooks import loading
from engine.hooks.department import Department
from engine.hooks.host import Host

PLUGIN = """
    from typing import Annotated

    from pydantic import Field

    from engine.api import Context, Department, hookimpl, query

    department = Department("warranty", tables="warranty_")

    @query(department)
    def cover(ctx: Context, serial: Annotated[str, Field(pattern={pattern!r})]) -> int | None:
        return 1

    @hookimpl
    def register_department() -> Department:
        return department
"""


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to see whether code is good."""
    done: list[str] = []
    scan, prove = loading.scan, Department.prove
    monkeypatch.setattr(loading, "scan", lambda *given: (done.append("scan"), scan(*given))[1])
    monkeypatch.setattr(Department, "prove", lambda one: (done.append("prove"), prove(one))[1])
    return done


def loaded(plugins: Path, file: Path) -> Host:
    host = Host(Clock(), proven=file)
    host.load(plugins, installed=False)
    return host


def test_code_is_looked_through_once_and_again_when_it_changed(
    write: Callable[..., Path], looked: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "var" / "cache" / "plugins"
    plugins = write("warranty", plugin=PLUGIN.format(pattern="7+"))
    assert loaded(plugins, file).faults == []
    assert looked == ["scan", "prove"]
    again = loaded(plugins, file)
    assert looked == ["scan", "prove"]
    assert again.departments["warranty"].queries["warranty.cover"].coerce({"serial": "77"}) == {
        "serial": "77"
    }
    write("warranty", more="import os\n")
    assert loaded(plugins, file).faults == []
    assert looked == ["scan", "prove"] * 2


def test_what_is_no_good_is_said_each_time(write: Callable[..., Path], tmp_path: Path) -> None:
    file = tmp_path / "plugins.json"
    plugins = write("warranty", plugin=PLUGIN.format(pattern="("))
    for _ in range(2):
        (fault,) = loaded(plugins, file).faults
        assert "plugin.py:10: warranty.cover: regex parse error: ( ^ error: unclosed group" in fault.message
    write("warranty", plugin="from engine.app import App\n")
    for _ in range(2):
        (fault,) = loaded(plugins, file).faults
        assert "engine.app" in fault.message


def test_a_damaged_file_costs_nothing_but_time(
    write: Callable[..., Path], looked: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "plugins.json"
    plugins = write("warranty", plugin=PLUGIN.format(pattern="7+"))
    for damage in ("{", "[]", '{"warranty": 1}'):
        file.write_text(damage, encoding="utf-8")
        with capture_logs() as logs:
            assert loaded(plugins, file).faults == []
        assert [one["event"] for one in logs if one["log_level"] == "warning"] == (
            [] if damage.startswith('{"') else ["plugins.cache_unreadable"]
        )
    assert looked == ["scan", "prove"] * 3
