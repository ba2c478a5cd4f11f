"""Faults #7: a plugin that blocks everything is noticed while it does, named, counted and told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.app.watchdog import Watchdog
from engine.clock import Clock
from engine.hooks.host import Host
from engine.hooks.loading import load_folder
from engine.testing.home import Home
from engine.types import BlockedView

PLUGIN = """
from hashlib import pbkdf2_hmac
from engine.api import Context, Department, hookimpl, query
department = Department("slow")

def grind(seconds):
    from time import monotonic
    end = monotonic() + seconds
    while monotonic() < end:
        pbkdf2_hmac("sha256", b"x", b"y", 2_000)

@query(department, over="engine")
def cover(ctx: Context, tenths: int) -> int:
    grind(tenths / 10)
    return 1

@hookimpl
def register_department():
    return department
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def host(clock: Clock, tmp_path: Path) -> Iterator[Host]:
    folder = tmp_path / "plugins" / "slow"
    folder.mkdir(parents=True)
    (folder / "plugin.py").write_text(PLUGIN, encoding="utf-8")
    host = Host(clock)
    host.load(tmp_path / "plugins", installed=False)
    assert host.faults == []
    yield host
    host.stop()


@pytest.fixture
def watched(clock: Clock, host: Host) -> Iterator[Any]:
    told: list[BlockedView] = []
    watchdog = Watchdog(clock, host, limit=0.2, told=told.append)
    watchdog.told = told  # type: ignore[attr-defined]
    watchdog.start()
    clock.sleep(0.2)
    yield watchdog
    watchdog.stop()


def grind(host: Host, seconds: float) -> None:
    load_folder(host.folders["slow"]).grind(seconds)


def test_a_plugin_that_blocks_is_named_with_its_place_and_stack(
    clock: Clock, host: Host, watched: Any
) -> None:
    with capture_logs() as logs:
        grind(host, 0.6)
        clock.sleep(0.2)
    (view,) = watched.told
    assert view.plugin == "slow"
    assert view.where.startswith("plugin.py:")
    assert view.where.endswith("grind")
    assert 0.3 < view.seconds < 5
    assert "pbkdf2_hmac" in view.stack
    (logged,) = [one for one in logs if one["event"] == "hub.blocked"]
    assert (logged["plugin"], logged["log_level"]) == ("slow", "error")
    assert watched.blocks["slow"].count == 1


def test_it_is_logged_while_it_still_blocks(clock: Clock, host: Host, watched: Any) -> None:
    import time

    seen: list[float] = []
    begin = time.monotonic()
    original = watched._whose
    watched._whose = lambda frame: (seen.append(time.monotonic()), original(frame))[1]
    grind(host, 0.8)
    ended = time.monotonic()
    clock.sleep(0.2)
    assert begin < seen[0] < ended


def test_the_engines_own_block_names_no_plugin(clock: Clock, watched: Any) -> None:
    import time

    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        hashlib.pbkdf2_hmac("sha256", b"x", b"y", 2_000)
    clock.sleep(0.2)
    (view,) = watched.told
    assert view.plugin == ""
    assert "test_blocked.py" in view.where


def test_nothing_is_told_while_all_is_well(clock: Clock, watched: Any) -> None:
    for _ in range(12):
        clock.sleep(0.05)
    assert watched.told == []
    assert watched.blocks == {}


def test_in_a_call_it_is_journalled_and_shown(home: Home, centre_of: Callable[[Any], Any]) -> None:
    home.plugin("slow", PLUGIN).number("8000", "slow/main")
    home.write("conf/engine.yaml", "grammar: 1\nlanguages: [en]\nlimits: {blocked: 200ms}\n")
    home.flow(
        "slow/main",
        """
        greet:
          - answer
          - query: {ask: slow.cover, with: {tenths: "5"}, within: 3s, failed: bye}
          - go: bye
        bye:
          - play: Goodbye.
          - hangup
        """,
    )
    centre = centre_of(home)
    centre.app.watchdog.start()
    centre.caller().dials("8000").hears("Goodbye.")
    real = Clock()
    with real.timeout(5):
        while not centre.journal(kind="engine.blocked"):
            real.sleep(0.05)
    (row,) = centre.journal(kind="engine.blocked")
    assert row.data["plugin"] == "slow"
    assert [one.text for one in centre.installation.day.news if one.kind == "engine_blocked"]
    assert centre.app.parts.blocks()["slow"].count == 1
