"""Callers who take every way of the main number, and of the flows that others lead to: each key, wrong keys, silence,
hanging up, and all that may go wrong behind the line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from engine.testing.explorer import Explorer

RECEPTION = ("main", "directory", "operator", "department_away", "lost_place", "unknown_number")


def but(**values: Any) -> Callable[[Any], Any]:
    """The record, but for these fields."""
    return lambda answer: {**answer, **values}


def test_every_way_of_the_reception(centre: Any) -> None:
    explorer = Explorer(centre, typed={"reception/directory.wanted": ("1009", "1999")})
    # What lies behind keys 1 and 3 is other departments' own, and walked by their tests.
    explorer.explores("8800", number="+8613800138000", only="reception/")
    explorer.explores("8999", flow="reception/department_away", number="+8613800138000")
    explorer.explores("8998", flow="reception/directory", number="+8613800138000")
    explorer.explores("8997", flow="reception/lost_place", number="+8613800138000")
    explorer.explores("8996", flow="reception/unknown_number", number="+8613800138000")
    assert explorer.missed(*(f"reception/{flow}" for flow in RECEPTION)) == []


def test_every_way_of_what_all_departments_share(
    centre: Any, seed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbound = centre.app.records.callbacks.outbound
    monkeypatch.setattr(type(outbound), "check", lambda *_, **__: "")  # any number may be called
    ticket = seed.ticket("complaint_fee", data={"kind": "fee"})
    due = centre.virtual.now() + timedelta(hours=3)
    explorer = Explorer(
        centre,
        typed={"common/ticket_state.number": (ticket.number, "482915079")},
        answers={
            "ticket_state": {
                "closed": but(state="closed", done=True, answer="It is paid back."),
                "solved": but(state="solved", done=True),
                "late": but(overdue=True),
                "due": but(due=due),
                "without a time": but(due=None),
            }
        },
    )
    explorer.explores(
        "8999", flow="common/pass_on", params={"number": "+862088880000"}, number="+8613800138000"
    )
    explorer.explores(
        "8998", flow="common/leave_message", params={"box": "reception"}, number="+8613800138000"
    )
    explorer.explores("8997", flow="common/survey", number="+8613800138000")
    explorer.explores("8996", flow="common/ticket_state", params={"department": "logistics"})
    flows = ("pass_on", "leave_message", "survey", "ticket_state")
    assert explorer.missed(*(f"common/{flow}" for flow in flows)) == []
