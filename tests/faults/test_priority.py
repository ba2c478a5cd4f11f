"""Faults #7 and a busy machine: the hub runs like the switch's own threads, and loses that while it is blocked."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gevent.threadpool import ThreadPool
from structlog.testing import capture_logs

from engine.app.priority import REALTIME, Priority, refused, take_priority
from engine.app.watchdog import Watchdog
from engine.clock import Clock
from engine.config import Settings
from engine.hooks.host import Host
from engine.web.parts import PriorityView

ASKED = list[tuple[int, int, int]]  # thread, policy, priority


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> ASKED:
    """What the system is asked for; it grants everything and does nothing."""
    found: ASKED = []
    monkeypatch.setattr(
        os,
        "sched_setscheduler",
        lambda thread, policy, param: found.append((thread, policy, param.sched_priority)),
    )
    return found


def test_the_hub_is_lowered_while_it_is_blocked(asked: ASKED, tmp_path: Path) -> None:
    clock, told = Clock(), threading.Event()
    host = Host(clock)
    priority = Priority()
    priority.take()
    assert asked == [(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, REALTIME)]
    assert priority.view == PriorityView(True)
    seen: list[PriorityView] = []
    watchdog = Watchdog(clock, host, limit=0.05, told=lambda view: told.set(), priority=priority)
    watchdog.start()
    try:
        clock.sleep(0.05)  # it has asked for its first sign
        end = clock.monotonic() + 20
        while priority.view.realtime and clock.monotonic() < end:
            pass  # nothing lets go of the hub
        seen.append(priority.view)
        while not (told.is_set() and priority.view.realtime) and clock.monotonic() < end:
            clock.sleep(0.01)
    finally:
        watchdog.stop()
        host.stop()
    hub = threading.get_native_id()
    lowered = (hub, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, 0)
    raised = (hub, os.SCHED_RR | os.SCHED_RESET_ON_FORK, REALTIME)
    # Once; on a full machine the hub may have been late before.
    assert asked[1:] == [lowered, raised] * ((len(asked) - 1) // 2)
    assert [view.realtime for view in seen] == [False]
    assert "does not let go" in seen[0].why
    assert priority.view == PriorityView(True)


def test_a_system_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(thread: int, policy: int, param: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", forbid)
    priority = Priority()
    with capture_logs() as logs:
        priority.take()
    assert [(one["event"], one["log_level"]) for one in logs] == [("priority.normal", "warning")]
    assert priority.view == PriorityView(
        False, "the system does not let this user have it (Operation not permitted)"
    )
    priority.lower()
    priority.restore()
    assert not priority.view.realtime
    assert "not permitted" in refused()


def test_who_is_asked_for_it(asked: ASKED) -> None:
    """Nobody beside the simulator, nobody whose file says normal."""

    def engine(settings: Settings, simulator: object = None) -> Any:
        made = SimpleNamespace(settings=settings)
        return SimpleNamespace(installation=made, simulator=simulator, priority=Priority())

    normal, simulated, real = (
        engine(Settings(priority="normal")),
        engine(Settings(), object()),
        engine(Settings()),
    )
    for one in (normal, simulated, real):
        take_priority(one)
    assert normal.priority.view == PriorityView(False, "conf/engine.yaml says `priority: normal`")
    assert simulated.priority.view == PriorityView(False)
    assert real.priority.view == PriorityView(True)
    assert len(asked) == 1


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    pool = ThreadPool(1)
    yield pool
    pool.kill()


def test_on_this_system(pool: ThreadPool) -> None:
    """The thread gets it where the system grants it, and what it starts does not inherit it; else nothing changes."""

    def work() -> tuple[PriorityView, list[int]]:
        priority = Priority()
        priority.take()
        view, mine = priority.view, os.sched_getscheduler(0)
        other = ThreadPool(1)
        inherited = other.apply(os.sched_getscheduler, (0,))
        other.kill()
        priority.lower()
        lowered = os.sched_getscheduler(0)
        priority.restore()
        found = (mine, inherited, lowered, os.sched_getscheduler(0))
        return view, [one & ~os.SCHED_RESET_ON_FORK for one in found]

    view, policies = pool.apply(work)
    why = refused()
    high = os.SCHED_OTHER if why else os.SCHED_RR
    assert view == PriorityView(not why, why)
    assert policies == [high, os.SCHED_OTHER, os.SCHED_OTHER, high]
    assert os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_OTHER  # this one was not asked
