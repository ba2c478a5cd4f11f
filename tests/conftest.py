"""What all tests share: the real FreeSWITCH, when there is one, and an honest last line about it.

A test marked ``switch`` runs on a real FreeSWITCH, one marked ``sipp`` also needs SIPp, one marked ``postgresql`` a
PostgreSQL (engine/testing/postgresql.py starts it), one marked ``editor`` the YAML language server. Where they are not
found these tests are left out, and the end of the run says how many, and why.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Generator, Iterator

import pytest
import structlog

from engine.clock import Clock
from engine.errors import ConfigError
from engine.switch.freeswitch import find_freeswitch
from engine.testing.postgresql import missing as no_postgresql
from tests.editor.language_server import VARIABLE, find_server
from tests.switch.real import RealSwitch, start_real_switch

_ran: Counter[str] = Counter()
_left_out: Counter[tuple[str, str]] = Counter()
NEEDS = {
    "switch": "a real FreeSWITCH", "sipp": "SIPp", "postgresql": "PostgreSQL", "editor": "a YAML language server",
}  # fmt: skip


# As it is before any test, and before any fixture of a module or a session, has run a command or an engine.
_LOG = {**structlog.get_config(), "processors": list(structlog.get_config()["processors"])}
_LOG_CONFIGURED = structlog.is_configured()


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Engines and commands set up the log of their whole process, which is the tests' too: each test begins and ends
    with the first one. (One that was made silent would hide from ``capture_logs`` what a test asks for.)"""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    _reset_log()
    yield
    _reset_log()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def _reset_log() -> None:
    if _LOG_CONFIGURED:
        # ``capture_logs`` changes the list of processors in its place.
        structlog.configure(**{**_LOG, "processors": list(_LOG["processors"])})
    else:
        structlog.reset_defaults()


def _missing() -> dict[str, str]:
    """Why tests with a marker can't run here, by marker."""
    missing = {}
    try:
        if find_freeswitch() is None:
            missing["switch"] = "no freeswitch on PATH, and INSIDELINE_FREESWITCH names none"
    except ConfigError as error:
        missing["switch"] = str(error)
    if shutil.which("sipp") is None:
        missing["sipp"] = "no sipp on PATH"
    if why := no_postgresql():
        missing["postgresql"] = why
    if not find_server():
        missing["editor"] = (
            f"no yaml-language-server on PATH, {VARIABLE} names none, `make editor-server` made none"
        )
    return missing


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = _missing()
    for item in items:
        needs = [marker for marker in NEEDS if item.get_closest_marker(marker)]
        if "switch" in needs or "sipp" in needs:
            # They share a switch and its ports, and run in real time: one after the other, in one process.
            item.add_marker(pytest.mark.xdist_group("switch"))
        for marker in needs:
            if why := missing.get(marker):
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # Beside the report, because it may be another process that collected the test.
    report.needs = [marker for marker in NEEDS if item.get_closest_marker(marker)]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for marker in getattr(report, "needs", ()):
        if report.when == "setup" and report.skipped:
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            _left_out[marker, why.removeprefix("Skipped: ")] += 1
        elif report.when == "call":
            _ran[marker] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for marker, what in NEEDS.items():
        left_out = {why: count for (name, why), count in _left_out.items() if name == marker}
        if not _ran[marker] and not left_out:
            continue
        line = f"{_ran[marker]} tests ran on {what}, {sum(left_out.values())} were left out"
        if left_out:
            line += ": " + "; ".join(left_out)
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def real_switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    """One FreeSWITCH for all tests of the run that only need one (its phones: 1001 to 1020, trunk: pstn)."""
    switch = start_real_switch(tmp_path_factory.mktemp("freeswitch"), Clock())
    yield switch
    switch.freeswitch.stop(within=0.0)
