"""Tests in several processes: one that goes missing in a worker is a failure."""

from __future__ import annotations

import pytest

pytest_plugins = ("pytester",)

LOSES = """
def pytest_runtest_protocol(item):
    return True if "lost" in item.name else None  # done, and nothing is told of it
"""
TESTS = """
def test_one():
    pass

def test_lost():
    pass
"""


def test_a_test_that_nobody_heard_of_is_a_failure(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_them=TESTS)
    words = ("-p", "engine.testing.patched", "-n", "2", "--dist", "loadgroup")
    assert pytester.runpytest_subprocess(*words, timeout=60).ret == pytest.ExitCode.OK
    pytester.makeconftest(LOSES)
    done = pytester.runpytest_subprocess(*words, timeout=60)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(["1 tests went missing in the workers: test_them.py::test_lost"])
