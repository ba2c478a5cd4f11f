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
import tempfile
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
SETTLE = 1.0  # seconds after the last call in which what it caused is still counted


@dataclass
class Side:
    """What was measured of one side at one rate, a figure for each round."""

    loads: list[Load] = field(default_factory=list)
    switch_ms: list[float] = field(default_factory=list)  # of FreeSWITCH's CPU, for a call
    engine_ms: list[float] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(load.failed for load in self.loads)

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
            engine = home.start("--switch", f"127.0.0.1:{switch.port}", "--password-file", str(password))
            assert switch.pid is not None
            _measure(
                report,
                clock,
                rates,
                native=("127.0.0.1", native_port),
                ours=("127.0.0.1", home.ports["trunks"]),
                switch=psutil.Process(switch.pid),
                engine=engine,
            )
            _check(home)
        finally:
            home.end()
            switch.stop(within=5.0)


def _check(home: Home) -> None:
    """Nothing is worth measuring that went wrong: every call that the engine led ended as the flow says."""
    rows = home.ask("GET", "/cdrs?limit=500")["rows"]
    assert isinstance(rows, list)
    odd = [row for row in rows if row["outcome"] != "served"]
    if odd or not rows:
        raise RuntimeError(f"{len(odd)} of {len(rows)} calls went astray: {odd[:1]} {home.output()[-3000:]}")


def _measure(
    report: Report,
    clock: Clock,
    rates: list[int] | tuple[int, ...],
    *,
    native: tuple[str, int],
    ours: tuple[str, int],
    switch: psutil.Process,
    engine: psutil.Process,
) -> None:
    def once(side: Side, target: tuple[str, int], rate: int, seconds: float = SECONDS) -> None:
        before = cpu(switch), cpu(engine)
        load = run_sipp(clock, target, number="9005", rate=rate, calls=round(rate * seconds))
        clock.sleep(SETTLE)
        after = cpu(switch), cpu(engine)
        side.loads.append(load)
        side.switch_ms.append((after[0] - before[0]) / load.calls * 1000)
        side.engine_ms.append((after[1] - before[1]) / load.calls * 1000)

    for target in (native, ours):  # first calls open files and fill caches
        once(Side(), target, 20, 2)
    for rate in rates:
        peer, engine_side = Side(), Side()
        for _ in range(ROUNDS):
            once(peer, native, rate)
            once(engine_side, ours, rate)
        _tell(report, rate, engine_side, peer)


def _tell(report: Report, rate: int, ours: Side, peer: Side) -> None:
    at = f"at {rate} calls/s"
    against = "FreeSWITCH's dialplan"
    if peer.failed:
        report.left_out(f"five-step IVR {at}", f"{against} itself failed {peer.failed} calls here")
        return
    report.limit(f"failed calls {at}", ours.failed, "calls", at_most=0)
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
