"""Tests in several processes: what pytest-xdist needs to know of us. Where it is not installed nothing here is used.

The tests of one file run in one process, one after the other (they may share what a module's fixtures made), and those
of one ``xdist_group`` likewise.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

_MOST = 8  # each collects all tests before it runs any
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


class _ByFile:
    """xdist's scheduling by groups, but what is in no group goes by its file, not by itself."""

    def _split_scope(self, nodeid: str) -> str:
        at = nodeid.rfind("@")
        return nodeid[at + 1 :] if at > nodeid.rfind("]") else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """``-n auto``: the processors that this process may use, which in a container are fewer than the machine has."""
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        allowed = int(quota) // int(period) if quota != "max" else _MOST
    except (OSError, ValueError):
        allowed = _MOST
    return max(1, min(len(os.sched_getaffinity(0)), allowed, _MOST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling

    return type("ByFile", (_ByFile, LoadGroupScheduling), {})(config, log)


class Accounts:
    """At the controller: a run in which a test that a worker found was never heard of again has failed."""

    def __init__(self) -> None:
        self._found: set[str] = set()
        self._heard: set[str] = set()

    @property
    def missing(self) -> set[str]:
        """The tests that went missing."""
        return self._found - self._heard

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: Iterable[str]) -> None:
        self._found.update(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._heard.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus != pytest.ExitCode.OK:
            self._found.clear()  # it failed anyhow, and after --maxfail or Ctrl-C tests are missing by right
        if self.missing:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.missing:
            first = ", ".join(sorted(self.missing)[:3])
            terminalreporter.write_line(
                f"{len(self.missing)} tests went missing in the workers: {first}", red=True
            )


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Accounts())


__all__ = ["pytest_configure", "pytest_xdist_auto_num_workers", "pytest_xdist_make_scheduler"]
