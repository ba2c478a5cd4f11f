"""Tests in several processes: what pytest-xdist needs to know of us. Where it is not installed nothing here is used.

The tests of one file run in one process, one after the other (they may share what a module's fixtures made), and those
of one ``xdist_group`` likewise.
"""

from __future__ import annotations

import os
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


__all__ = ["pytest_xdist_auto_num_workers", "pytest_xdist_make_scheduler"]
