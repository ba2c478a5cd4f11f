"""When all tests have passed pytest ends well, however many folders of earlier runs it has to remove."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

import pytest

pytest_plugins = ("pytester",)

FEW_FILES = """
import resource

def pytest_sessionstart():
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
"""
TEST = """
import gevent

def test_one(tmp_path):
    gevent.sleep(0)  # from now on there is a hub
"""


def test_folders_of_earlier_runs_are_removed_one_after_the_other(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", str(tmp_path))
    runs = tmp_path / f"pytest-of-{getpass.getuser()}"
    runs.mkdir(mode=0o700)
    for run in range(5):
        for folder in range(60):
            (runs / f"pytest-{run}" / f"folder{folder}").mkdir(parents=True)
    pytester.makeconftest(FEW_FILES)
    pytester.makepyfile(TEST)
    done = pytester.run(sys.executable, "-m", "pytest", "-p", "engine.testing.patched", timeout=60)
    assert done.ret == pytest.ExitCode.OK, done.errlines[-5:]
    left = sorted(one.name for one in runs.iterdir() if one.name != "pytest-current")
    assert left == ["pytest-3", "pytest-4", "pytest-5"]
