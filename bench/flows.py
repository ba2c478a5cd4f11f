"""A thousand flows of 2 KB: read, checked and compiled, against the time that CSafeLoader alone takes to read them.

The flows are copies of the sample of the checker's tests, each with its own name and numbers. CPU time of this
process, the best of several rounds taken in turn, since other work on the machine only ever adds.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from bench.table import Report
from engine.flows.cache import compile_cached
from engine.flows.checker import compile_flows
from engine.flows.loader import find_flows
from engine.flows.model import FlowSet
from engine.flows.steps import STEPS
from tests.flows.checking import KNOWN, MAIN, SAMPLE

COUNT = 1_000
ROUNDS = 5


def run(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plugins = Path(folder)
        files = _write(plugins)
        read, compiled, warm, back = [], [], [], []
        for _ in range(ROUNDS):
            read.append(_cpu(lambda: _read(files)))
            flows: list[FlowSet] = []
            compiled.append(_cpu(lambda flows=flows: flows.append(_compile(plugins))))
            kept = flows[0].to_bytes()
            back.append(_cpu(lambda kept=kept: FlowSet.from_bytes(kept)))
            _cached(plugins)
            warm.append(_cpu(lambda: _cached(plugins)))
        size = sum(path.stat().st_size for path in files) / len(files)
    what = f"{COUNT:,} flows of {size:,.0f} bytes"
    report.compare(f"{what}: read, check, compile", min(compiled), min(read), "CSafeLoader", "s", at_most=1.5)
    report.compare(f"{what}: from the cache", min(warm), min(read), "CSafeLoader", "s", at_most=0.3)
    report.compare(f"{what}: back from the store", min(back), min(read), "CSafeLoader", "s")


def _write(plugins: Path) -> list[Path]:
    folder = plugins / "orders" / "flows"
    folder.mkdir(parents=True)
    check = SAMPLE / "orders" / "flows" / "check.yaml"
    (folder / check.name).write_bytes(check.read_bytes())
    text = MAIN.read_text(encoding="utf-8")
    files = []
    for number in range(COUNT):
        path = folder / f"main{number}.yaml"
        mine = text.replace("flow: orders/main", f"flow: orders/main{number}").replace("> 0", f"> {number}")
        path.write_text(mine, encoding="utf-8")
        files.append(path)
    return files


def _read(files: list[Path]) -> None:
    for path in files:
        with path.open("rb") as stream:
            yaml.load(stream, Loader=yaml.CSafeLoader)


def _compile(plugins: Path) -> FlowSet:
    flows, faults = compile_flows(plugins, KNOWN)
    if flows is None:
        raise RuntimeError(faults.pretty())
    return flows


def _cached(plugins: Path) -> FlowSet:
    """As an engine starts that compiled these files before; the files are read, so that none has changed."""
    checked = compile_cached(find_flows(plugins), KNOWN, STEPS, plugins / "cache")
    if checked.flows is None or checked.flows.get("orders/main0") is None:
        raise RuntimeError(checked.faults.pretty())
    return checked.flows


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
