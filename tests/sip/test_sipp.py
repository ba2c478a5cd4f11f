"""The load harness itself, against the dialplan's own IVR."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.sipp import native_templates
from engine.clock import Clock
from engine.switch.freeswitch import FreeSwitch
from tests.sip.sipp import Load, run_sipp
from tests.switch.real import free_port, settings

clock = Clock()


@pytest.mark.switch
@pytest.mark.sipp
def test_sipp_calls_the_native_ivr_and_counts_what_came_of_it(tmp_path: Path) -> None:
    port = free_port()
    templates = native_templates(tmp_path, port)
    switch = FreeSwitch(settings(), tmp_path / "run", clock=clock, templates=templates)
    switch.start()
    try:
        load = run_sipp(clock, ("127.0.0.1", port), rate=20, calls=20)
        assert (load.calls, load.failed) == (20, 0)
        assert len(load.answer_ms) == 20
        assert 0 < load.percentile(0.5) <= load.percentile(0.95) < 2000
        assert 1.0 < load.seconds < 15
    finally:
        switch.stop(within=0.0)


@pytest.mark.sipp
def test_calls_that_nobody_takes_are_counted_as_failed() -> None:
    load = run_sipp(clock, ("127.0.0.1", free_port()), rate=5, calls=2, within=3.0)
    assert load.failed == 2
    assert load.answer_ms == []


def test_percentiles_are_by_rank() -> None:
    load = Load(calls=4, failed=0, retransmissions=0, seconds=1.0, answer_ms=[4.0, 1.0, 3.0, 2.0])
    assert load.percentile(0.5) == 3.0
    assert load.percentile(0.95) == 4.0
