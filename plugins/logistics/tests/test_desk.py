"""The desk of the shipments line when it is full, slow or away: every caller hears why, and is taken leave of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.shipped import with_short_queue

from .conftest import Line


def all_at_lunch(centre: Any) -> None:
    """They are at work, and nobody is free."""
    for agent in ("8012", "8013", "8014"):
        centre.agent(agent).ready().pauses("meal")


def waiting(line: Any, language: str = "zh-CN") -> Any:
    """A caller who asked for the desk, and waits."""
    return line.chose("0", language).hears("connecting")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_desk_that_is_full_says_so_at_once(
    centre_of: Callable[[Path], Any], tmp_path: Path, language: str
) -> None:
    centre = centre_of(with_short_queue(tmp_path / "home", "logistics", 1))
    all_at_lunch(centre)
    first, second = waiting(Line(centre)), waiting(Line(centre), language)
    second.hears("queue_full")
    second.hears("bye")
    assert second.ended == "NORMAL_CLEARING"
    assert [call.id for call in centre.calls()] == [first.uuid]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_who_waited_too_long_is_told(centre: Any, line: Any, language: str) -> None:
    all_at_lunch(centre)
    caller = waiting(line, language)
    while (said := caller.hears_next()).key == "position":
        pass
    assert (said.key, said.language) == ("waited_too_long", language)
    caller.hears("bye")
    [left] = centre.journal(caller, "queue.left")
    assert (left.data["reason"], left.data["waited"]) == ("too_long", 600.0)
