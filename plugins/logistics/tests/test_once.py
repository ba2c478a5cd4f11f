"""The engine may die at every point behind the key that accepts a complaint: it is taken once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.ordering import Points


def complaining(line: Any, number: str) -> Any:
    caller = line.chose("4", number=number)
    caller.hears("logistics/which_complaint").presses("1")
    caller.hears("logistics/has_waybill").presses("2")
    caller.says("5s")
    caller.hears("logistics/dictate_complaint").hears_beep()
    return caller.hears("clip_review")


def test_the_engine_may_die_at_every_point_and_one_complaint_is_taken(
    centre: Any, line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = Points(centre, None, monkeypatch)
    at = deaths = 0
    while True:
        at += 1
        number = f"+86139333{at:05}"
        caller = complaining(line, number)
        with points.armed(at):
            caller.presses("3")
            centre.virtual.sleep(0.6)
        died = points.wait_dead()
        where = points.names[-1] if points.names else ""
        if died:
            deaths += 1
            centre.engine.start()
        caller.hears("logistics/complaint_text").hangs_up()
        assert len(centre.rows("logistics.complaints", caller=number)) == 1, f"died at {at} ({where})"
        if not died:
            break
    assert deaths >= 3, points.names
    assert len(centre.rows("tickets")) == at, "each has one ticket"
