"""A command of a shipped department, and an engine that dies before each of its deeds, and behind it, when nobody has
heard of it yet: it is done once, and the caller hears it. (Every other point: tests/faults/test_once.py.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.ordering import DEEDS, Points

if TYPE_CHECKING:
    from engine.testing.twin import Twin

#: Of the n-th caller: the caller, the keys that lead to the command, what is heard of it, what must be true then.
Scene = Callable[[int], tuple[Any, str, Callable[[Any], object], Callable[[], bool]]]


def dies_around_each_deed(
    centre: Any, monkeypatch: pytest.MonkeyPatch, scene: Scene, *, least: int = 2, twin: Twin | None = None
) -> None:
    """One caller for each moment, until the engine outlives it; it died ``least`` times. The next engine goes on. With
    a ``twin``, the engine also dies when the remote has been asked and has done nothing yet, and when it has done it
    and not said so."""
    points = Points(centre, twin, monkeypatch, DEEDS)
    at = 0
    died = True
    while died:
        at += 1
        caller, keys, heard, kept = scene(at)
        with points.armed(at):
            caller.presses(keys)
            for _ in range(30):  # until what is said before the deed is over
                centre.virtual.sleep(0.5)
                if points.died:
                    break
        died = points.wait_dead()
        where = f"died at {at}: {points.names[-1:]}" if died else "did not die"
        if died:
            centre.engine.start()
        heard(caller)
        caller.hangs_up()
        assert kept(), where
    assert at > least, points.names


def hearing(*prompts: str) -> Callable[[Any], object]:
    """The caller hears these, one after the other; whatever comes before the first is passed over, because the next
    engine may ask once more."""

    def hears(caller: Any) -> None:
        first, *others = prompts
        while caller.hears_next().key != first:
            pass
        for one in others:
            caller.hears(one)

    return hears
