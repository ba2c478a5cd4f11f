"""The flows, the dialplan, the calendars and the prompts that come with Insideline fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.app.installation import Installation, read_installation
from engine.clock import VirtualClock

REPO = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped() -> Installation:
    made = read_installation(REPO, VirtualClock())
    made.host.stop()
    return made


def test_everything_that_is_shipped_passes_the_checker(shipped: Installation) -> None:
    assert shipped.host.faults == []
    assert shipped.faults.errors == [], shipped.faults.pretty()
    assert shipped.flows is not None
    assert shipped.dialplan is not None
    assert shipped.dialplan.flows <= set(shipped.flows.flows)


def test_every_department_speaks_both_languages(shipped: Installation) -> None:
    known = shipped.catalogue.known()
    assert set(known) == {"zh-CN", "en"}
    assert set(known["zh-CN"]) == set(known["en"])
