"""Callers of the shipments line, and branches of theirs, who take every way: each key, wrong keys, silence, hanging up,
all that may go wrong behind it, in both languages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from engine.hooks.loading import load_folder
from engine.testing.explorer import Explorer

from .conftest import LINE
from .test_verdicts import BRANCH, PIN

load_folder(Path(__file__).parents[1])
MODELS: Any = sys.modules["insideline_plugins.logistics.models"]
KNOWN = "+8613922200001"  # has addresses of its own
MORNING = datetime(2026, 11, 24, 1, tzinfo=UTC)
WAYBILLS = (*(f"440180{number:02}" for number in range(1, 16)), "99999999")
LANGUAGES = {
    f"logistics/{flow}:greet.1": ("options.1", "options.2", "silence") for flow in ("branches", "main")
}
TYPED = {
    "logistics/track.waybill": WAYBILLS,
    "logistics/track.callback_number": ("13802881234 1",),
    "logistics/complain.waybill": ("44018005", "99999999"),
    "logistics/pickup.area_code": ("020", "9999"),
    "logistics/pickup.phone": ("13802881234 1",),
    "logistics/pickup.kilos": ("12",),
    "logistics/pickup.cubic": ("1",),
    "logistics/quote.from.typed": ("020", "9999"),
    "logistics/quote.to.typed": ("028", "9999"),
    "logistics/quote.weight": ("12",),
    "logistics/quote.volume": ("1",),
    "logistics/quote.extras": ("0", "5", "6", "56", "7"),
    "logistics/quote.insured": ("1000 1",),
    "logistics/quote.collected": ("1000 1",),
    "logistics/branches.identify": (f"{BRANCH} {PIN}",),
}
FLOWS = [
    f"logistics/{flow}" for flow in ("main", "shipments", "track", "quote", "pickup", "complain", "desk")
]


def but(**values: Any) -> Callable[[Any], Any]:
    """The answer, but for these fields."""
    return lambda answer: answer.model_copy(update=values)


ANSWERS = {
    "logistics.ask_again": {
        "overdue": but(state="overdue"),
        "answered": but(state="answered", answer="It is there."),
        "answered without words": but(state="answered", answer=""),
    },
    "logistics.arrival": {"by its lane": but(basis="lane"), "as promised": but(basis="promise")},
    "logistics.nearest": {
        "closed": lambda branch: branch.model_copy(update={"open": False, "opens": branch.opens or MORNING})
    },
    "logistics.track": {"late with another carrier": but(problem="none", apologise=True, handed_to="落地配")},
    "logistics.complain": {"again": but(again=True), "exceptions": but(group="exceptions")},
    "logistics.verdicts": {"none": lambda _: []},
}


def test_every_way_of_the_shipments_line(centre: Any, seed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    outbound = centre.app.records.callbacks.outbound
    monkeypatch.setattr(type(outbound), "check", lambda *_, **__: "")  # any number may be called
    ticket = seed.ticket("complaint_fee", data={"kind": "fee"})
    typed = {**TYPED, "common/ticket_state.number": (ticket.number,)}
    explorer = Explorer(centre, typed=typed, answers=ANSWERS, always=LANGUAGES)
    for number in ("", KNOWN):  # who withholds the number is asked for it
        centre.app.store.work(
            lambda session: session.execute(delete(MODELS.Inquiry)), 5.0
        )  # nothing is promised
        explorer.explores(LINE, number=number)

    # Who asks again about what another carrier has is in test_promises.
    assert explorer.missed(*FLOWS) == ["logistics/track last_mile: choose cases.0.go"]


def test_every_way_of_the_branches_line(centre: Any, seed: Any) -> None:
    def signed() -> None:
        """There always are two verdicts to appeal of."""
        now = centre.virtual.now()
        for _ in range(2 - len(centre.rows("logistics.verdicts", state="signed"))):
            seed.verdict(
                ticket=seed.ticket("complaint_damage", data={"kind": "damage"}).number, rule="LIAB-02", version=3,
                liable=BRANCH, points=5, note="", state="signed", given=now, given_by="8054", signed=now,
                signed_by="8055", appeal_until=now + timedelta(days=3),
            )  # fmt: skip

    explorer = Explorer(centre, typed=TYPED, answers=ANSWERS, always=LANGUAGES)
    explorer.explores("8005", number="+8613800000077", prepare=signed)
    assert explorer.missed("logistics/branches") == []
