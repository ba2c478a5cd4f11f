"""Callers who take every way of the main number, and of the flows that others lead to: each key, wrong keys, silence,
hanging up, and all that may go wrong behind the line."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing.explorer import Explorer

RECEPTION = ("main", "directory", "operator", "department_away", "lost_place", "unknown_number")


def test_every_way_of_the_reception(centre: Any) -> None:
    explorer = Explorer(centre, typed={"reception/directory.wanted": ("1009", "1999")})
    # What lies behind keys 1 and 3 is other departments' own.
    explorer.explores("8999", flow="reception/department_away", number="+8613800138000")
    explorer.explores("8998", flow="reception/directory", number="+8613800138000")
    explorer.explores("8997", flow="reception/lost_place", number="+8613800138000")
    explorer.explores("8996", flow="reception/unknown_number", number="+8613800138000")
    assert explorer.missed(*(f"reception/{flow}" for flow in RECEPTION if flow != "main")) == []


def test_every_way_of_what_all_departments_share(centre: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    outbound = centre.app.records.callbacks.outbound
    monkeypatch.setattr(type(outbound), "check", lambda *_, **__: "")  # any number may be called
    explorer = Explorer(centre, typed={"common/ticket_state.number": ("482915079",)})
    explorer.explores(
        "8999", flow="common/pass_on", params={"number": "+862088880000"}, number="+8613800138000"
    )
    explorer.explores(
        "8998", flow="common/leave_message", params={"box": "reception"}, number="+8613800138000"
    )
    explorer.explores("8997", flow="common/survey", number="+8613800138000")
    assert explorer.missed("common/pass_on", "common/leave_message", "common/survey") == []
