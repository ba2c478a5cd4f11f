"""The engine itself, started twice in one home: what the first one wrote stays as it was."""

from __future__ import annotations

import tempfile
from pathlib import Path

from engine.app import App
from engine.clock import Clock
from engine.store import queries
from engine.testing.home import Home

SCRIPT = """\
grammar: 1
callers:
  - title: gives up soon
    dials: "8999"
    from: ["+8613800000001"]
    first: 10ms
    every: 1h
    does: [{wait: 1s}, hang_up]
"""
"""Who calls while the engine is only looking which calls there are, and is gone before it knows, is in no row."""


def test_calls_of_two_days_on_the_simulator_are_told_apart() -> None:
    with tempfile.TemporaryDirectory(prefix="il-") as folder:
        home = Home(Path(folder)).write("conf/simulator.yaml", SCRIPT).folder
        for day in (1, 2):
            app = App(home, switch="simulator", clock=Clock())
            app.start()
            try:
                with app.clock.timeout(30.0):
                    while app.installation.day.figures.ended < 1:
                        app.clock.sleep(0.02)
                app.drain()
                app.store.flush()
                rows = app.store.read(queries.cdrs, 10.0)
            finally:
                app.stop()
            assert [row.number for row in rows] == ["+8613800000001"] * day
            assert len({row.call for row in rows}) == day
