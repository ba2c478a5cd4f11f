"""A five-step IVR under load: led by the engine, against the same IVR in the dialplan of the same FreeSWITCH.

Answer, play 200 ms, collect one digit within 300 ms (nobody presses one), set, hang up. One FreeSWITCH runs on
Insideline's configuration; a profile of its own, rendered into this run's folder and shipped nowhere, leads to the
dialplan's IVR. Both play the same two files. SIPp calls one and then the other at the same rate, several
times in turn, since other work on the machine comes and goes. What is compared is the CPU time of the FreeSWITCH
process for a call, each side's best round (other work only ever adds); the engine is a process as users run it.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.home import Home, cpu, free_port
from bench.sipp import native_templates
from bench.table import Report
from engine.clock import Clock
from engine.switch.freeswitch import FreeSwitch, find_freeswitch
from engine.switch.settings import SwitchSettings, Trunk
from tests.sip.sipp import Load, find_sipp, run_sipp

RATES = (50, 100, 150)  # calls a second
SECONDS = 8
ROUNDS = int(os.environ.get("INSIDELINE_BENCH_ROUNDS", "3"))
WARM = 20  # calls before what is measured: they open files and fill caches
SERVED = "served by flow"  # the engine led the call to its end
WORK, PAUSE, PACES = (
    10_000,
    0.02,
    100,
)  # how much a loop adds up, seconds between two of them, how many there are
SETTLE = 1.0  # seconds after the last call in which what it caused is still counted


@dataclass
class Side:
    """What was measured of one side at one rate, a figure for each round."""

    failed: int = 0  # in all rounds: not answered, or not hung up
    astray: int = (
        0  # in all rounds: the engine did not lead them to the end of the flow, the fallback took them
    )
    loads: list[Load] = field(default_factory=list)
    switch_ms: list[float] = field(default_factory=list)  # of FreeSWITCH's CPU, for a call
    engine_ms: list[float] = field(default_factory=list)

    @property
    def p95(self) -> float:
        """Of the best round."""
        return min(load.percentile(0.95) for load in self.loads)


def run(report: Report) -> None:
    rates = [int(rate) for rate in os.environ.get("INSIDELINE_BENCH_RATES", "").split()] or RATES
    binary, sipp = find_freeswitch(), find_sipp()
    if binary is None or sipp is None:
        missing = " and ".join(name for name, found in (("freeswitch", binary), ("sipp", sipp)) if not found)
        report.left_out("five-step IVR", f"no {missing} on this machine")
        return
    clock = Clock()
    _tell_pace(report, clock)
    with tempfile.TemporaryDirectory(prefix="ivr-") as folder:
        home = Home(Path(folder) / "home", clock)
        native_port = free_port(socket.SOCK_DGRAM)
        templates = native_templates(
            Path(folder), native_port, beep=str(home.beep), silence=str(home.silence)
        )
        switch = FreeSwitch(
            SwitchSettings(**home.switch_settings()),
            Path(folder) / "switch",
            clock=clock,
            trunks=[Trunk(name="pstn", host="127.0.0.1")],
            binary=binary,
            templates=templates,
        )
        switch.start()
        try:
            password = Path(folder) / "password"
            password.write_text(switch.password, encoding="utf-8")
            assert switch.pid is not None
            place = _Place(
                clock,
                home,
                psutil.Process(switch.pid),
                native=("127.0.0.1", native_port),
                ours=("127.0.0.1", home.ports["trunks"]),
                options=("--switch", f"127.0.0.1:{switch.port}", "--password-file", str(password)),
            )
            for rate in rates:
                place.measure(report, rate)
        finally:
            home.end()
            switch.stop(within=5.0)


@dataclass
class _Place:
    """The switch, the ways into it, and how to start the engine beside it."""

    clock: Clock
    home: Home
    switch: psutil.Process
    native: tuple[str, int]
    ours: tuple[str, int]
    options: tuple[str, ...]

    def measure(self, report: Report, rate: int) -> None:
        """Both sides in turn. No engine is connected while the dialplan works alone: events would cost it, too."""
        peer, ours = Side(), Side()
        for _ in range(ROUNDS):
            self._once(peer, self.native, rate, None)
            engine = self.home.start(*self.options)
            before = _served(self.home)
            load = self._once(ours, self.ours, rate, engine)
            self.home.end()  # which writes what is not written yet
            # SIPp is content with any answer and hang-up, also with the fallback's.
            astray = WARM + load.calls - (_served(self.home) - before) - load.failed
            if astray:
                print(f"{astray} of {WARM + load.calls} calls ended otherwise: {_otherwise(self.home)}")
            ours.astray += astray
        _tell(report, rate, ours, peer)

    def _once(self, side: Side, target: tuple[str, int], rate: int, engine: psutil.Process | None) -> Load:
        run_sipp(self.clock, target, number="9005", rate=20, calls=WARM)
        before = cpu(self.switch), cpu(engine) if engine else 0.0
        load = run_sipp(self.clock, target, number="9005", rate=rate, calls=round(rate * SECONDS))
        self.clock.sleep(SETTLE)
        after = cpu(self.switch), cpu(engine) if engine else 0.0
        side.loads.append(load)
        side.failed += load.failed
        side.switch_ms.append((after[0] - before[0]) / load.calls * 1000)
        side.engine_ms.append((after[1] - before[1]) / load.calls * 1000)
        return load


def _tell_pace(report: Report, clock: Clock) -> None:
    """What a pause does to the CPU time of work that fits into any cache. The engine sleeps between any two events of
    an IVR call: where a pause makes work dearer, its figure is dearer by so much, whatever its code does."""

    def once(pause: float) -> float:
        before = time.thread_time()
        sum(range(WORK))
        took = time.thread_time() - before
        clock.sleep(pause)
        return took * 1e6

    at_once = min(once(0.0) for _ in range(PACES))
    rested = statistics.median(once(PAUSE) for _ in range(PACES))
    report.compare(
        "the machine's pace: a small loop", at_once, rested, f"after {PAUSE * 1000:g} ms of sleep", "us"
    )


def _served(home: Home) -> int:
    """How many calls the engine led to the end of the flow, by its CDRs; the others went to the fallback."""
    return _ended(home).get(SERVED, 0)


def _otherwise(home: Home) -> dict[str, int]:
    """How calls of this home ended that the engine did not lead to the end, so far."""
    return {how: count for how, count in _ended(home).items() if how != SERVED}


def _ended(home: Home) -> dict[str, int]:
    database = sqlite3.connect(home.folder / "var" / "insideline.db")
    try:
        query = (
            "select outcome || ' by ' || coalesce(json_extract(data, '$.ended_by'), 'nobody'), count(*) "
            "from cdr group by 1"
        )
        return dict(database.execute(query).fetchall())
    finally:
        database.close()


def _tell(report: Report, rate: int, ours: Side, peer: Side) -> None:
    at = f"at {rate} calls/s"
    against = "FreeSWITCH's dialplan"
    if peer.failed:
        report.left_out(f"five-step IVR {at}", f"{against} itself failed {peer.failed} calls here")
        return
    made = sum(load.calls for load in ours.loads)
    report.limit(f"failed calls of {made:,} {at}", ours.failed, "calls", at_most=0)
    report.limit(f"calls that the fallback took of {made:,} {at}", ours.astray, "calls", at_most=0)
    report.compare(
        f"FreeSWITCH's CPU for a call {at}",
        min(ours.switch_ms),
        min(peer.switch_ms),
        against,
        "ms",
        at_most=1.25,
    )
    report.limit(f"engine's CPU for a call {at}", min(ours.engine_ms), "ms", at_most=1.0)
    report.compare(f"time to answer, 95 of 100 {at}", ours.p95, peer.p95, against, "ms")
