"""SIPp as a source of load: so many calls at such a rate, and what became of them."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from engine.clock import Clock, TimeUp

SCENARIOS = Path(__file__).resolve().parents[2] / "bench" / "sipp"


def find_sipp() -> str | None:
    """The program, or None."""
    return shutil.which("sipp")


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a run. Times in milliseconds, INVITE to 200 OK."""

    calls: int
    failed: int
    retransmissions: int
    seconds: float
    answer_ms: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """The time to answer that this share of the calls (0 to 1) stayed within."""
        if not self.answer_ms:
            return float("nan")
        ordered = sorted(self.answer_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def run_sipp(
    clock: Clock,
    target: tuple[str, int],
    *,
    number: str = "8004",
    rate: float = 10.0,
    calls: int = 50,
    scenario: Path = SCENARIOS / "caller.xml",
    ip: str = "127.0.0.1",
    within: float = 120.0,
) -> Load:
    """Call ``number`` so many times at ``rate`` calls a second, and wait until all are over.

    AssertionError with SIPp's own words when it could not run at all; failed calls are counted, no error.
    """
    sipp = find_sipp()
    assert sipp is not None, "no sipp on PATH"
    with tempfile.TemporaryDirectory(prefix="sipp-") as folder:
        arguments = [
            sipp, f"{target[0]}:{target[1]}", "-sf", str(scenario), "-s", number, "-i", ip, "-mi", ip,
            "-r", f"{rate:g}", "-m", str(calls), "-l", str(max(calls, 1)), "-nostdin", "-trace_stat", "-fd", "1",
            "-stf", "stat.csv", "-trace_rtt", "-rtt_freq", "1", "-trace_err", "-error_file", "errors.log",
            "-recv_timeout", "20000", "-timeout", f"{within:g}s", "-timeout_error",
        ]  # fmt: skip
        process = subprocess.Popen(
            arguments, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "TERM": "dumb"},
        )  # fmt: skip
        began = clock.monotonic()
        try:
            with clock.timeout(within + 10) as mine, clock.outside():
                output = process.communicate()[0].decode(errors="replace")
        except TimeUp as up:
            process.kill()
            if up is not mine:
                raise
            raise AssertionError(f"sipp did not end within {within + 10:g} s") from None
        seconds = clock.monotonic() - began
        stat = Path(folder) / "stat.csv"
        if not stat.exists():
            raise AssertionError(f"sipp did not run (exit {process.returncode}): {output[-600:]}")
        last = _last_row(stat)
        return Load(
            calls=int(last["TotalCallCreated"]),
            failed=calls - int(last["SuccessfulCall(C)"]),
            retransmissions=int(last["Retransmissions(C)"]),
            seconds=seconds,
            answer_ms=_answer_times(Path(folder)),
        )


def _last_row(path: Path) -> dict[str, str]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))[-1]


def _answer_times(folder: Path) -> list[float]:
    times = []
    for path in folder.glob("*_rtt.csv"):
        with path.open(newline="") as file:
            for row in csv.reader(file, delimiter=";"):
                if len(row) >= 2 and row[1].replace(".", "", 1).isdigit():
                    times.append(float(row[1]))
    return times
