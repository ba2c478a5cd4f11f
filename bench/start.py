"""From nothing to the first call: ``insideline run`` on the simulator, until a call is led by its flow.

The installation is the shipped one. A caller dials as soon as the engine can be reached; what counts is the time
from the start of the process until that call is in a step of its flow. The best of several starts (other work on
the machine only ever adds), and the very first one, which also makes the database, apart.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx

from bench.home import Home
from bench.table import Report
from engine.clock import Clock

STARTS = 4


def run(report: Report) -> None:
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="start-") as folder:
        home = Home(Path(folder) / "home", clock, shipped=True)
        first = _start(home)
        again = min(_start(home) for _ in range(STARTS))
    report.limit("start to first call taken", again, "s", at_most=2)
    report.limit("the same, making the database", first, "s", at_most=2)


def _start(home: Home) -> float:
    clock = home.clock
    began = clock.monotonic()
    home.begin("--switch", "simulator")
    taken = []

    def dialled() -> bool:
        try:
            home.ask("POST", "/dials", number="8800")
        except httpx.HTTPStatusError:
            return False  # it listens, and is not ready for a call
        return True

    def led() -> bool:
        rows = home.ask("GET", "/calls")["rows"]
        assert isinstance(rows, list)
        if any(row["step"] for row in rows):
            taken.append(clock.monotonic() - began)
        return bool(taken)

    try:
        home.wait(dialled, "no call could be made", 30.0, every=0.02)
        home.wait(led, "the call was not taken", 30.0, every=0.02)
    finally:
        home.end()
    return taken[0]
