"""Memory of the engine for a live call: a thousand parked calls, against the same process before them.

The engine is a process as users run it, connected over TCP to a simulator in this process, so that nothing of
the switch is counted. Each call was answered, has heard a prompt and sits in a step that lasts. What is
measured is private memory (USS) of the engine's process: what the operating system would get back.
The first calls warm what all calls share, and are not counted.
"""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

import psutil

from bench.home import Home
from bench.table import Report
from engine.clock import Clock
from engine.switch.simulator import Simulator

WARM = 200
CALLS = 1000


def run(report: Report) -> None:
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        home = Home(Path(folder) / "home", clock)
        password = Path(folder) / "password"
        password.write_text(secrets.token_urlsafe(18), encoding="utf-8")
        simulator = Simulator(clock, password=password.read_text(encoding="utf-8"), spool=Path(folder))
        host, port = simulator.listen()
        try:
            engine = home.start("--switch", f"{host}:{port}", "--password-file", str(password))
            _park(home, simulator, WARM, WARM)
            before = _private(engine, clock)
            _park(home, simulator, CALLS, WARM + CALLS)
            after = _private(engine, clock)
            rows = home.ask("GET", "/calls")["rows"]
            assert isinstance(rows, list)
            if (parked := sum("silence" in row["step"] for row in rows)) != WARM + CALLS:
                raise RuntimeError(f"only {parked} calls are in the step that lasts")
        finally:
            home.end()
            simulator.stop()
    report.limit(
        f"engine's memory for each of {CALLS:,} parked calls",
        (after - before) / CALLS / 1024,
        "KiB",
        at_most=20,
    )
    report.limit(f"engine's memory with {WARM} calls", before / 2**20, "MiB")


def _park(home: Home, simulator: Simulator, more: int, all_together: int) -> None:
    """So many calls more; returns when all of them are led."""
    for number in range(more):
        simulator.call("9000", caller=f"+8613{number:09d}")
        if number % 20 == 19:
            home.clock.sleep(0.1)  # 200 calls/s

    # Their number only: a list of them would cost the engine memory that no call needs.
    home.wait(lambda: home.ask("GET", "/status")["calls"] == all_together, "not all calls came", 60.0)


def _private(process: psutil.Process, clock: Clock) -> int:
    """Bytes of private memory, once the prompt is over and the rows are written."""
    clock.sleep(3.0)
    return int(process.memory_full_info().uss)
