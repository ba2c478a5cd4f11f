"""Supervisors who take every way of the emergency line: each key, wrong keys, silence, hanging up, and all that may go
wrong behind it."""

from __future__ import annotations

from typing import Any

from engine.testing.explorer import Explorer

TYPED = {"duty/main.agent_number": ("8013",), "duty/main.code": ("4813",), "duty/main.at": ("1700",)}


def test_every_way_of_the_emergency_line(centre: Any) -> None:
    closed = {"closed": lambda hours: hours.model_copy(update={"closed_by_hand": True})}
    explorer = Explorer(centre, typed=TYPED, answers={"duty.hours": closed})
    explorer.explores("*15", number="+8613800138000")
    # That a PIN dies with its engine is in test_killed.py.
    assert explorer.missed("duty/main") == ["duty/main lost: choose cases.1.otherwise"]
