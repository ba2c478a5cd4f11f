"""A plugin that is told something may fail, hang or flood; nobody else notices."""

from __future__ import annotations

import time

import pytest
from structlog.testing import capture_logs

from engine.api import CallView, hookimpl
from engine.clock import TimeUp, VirtualClock
from engine.hooks.host import Host


class Listens:
    def __init__(self) -> None:
        self.heard: list[str] = []

    @hookimpl
    def call_ended(self, call: CallView, cause: str) -> None:
        self.heard.append(f"{call.id} {cause}")


class Raises:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    @hookimpl
    def call_ended(self) -> None:
        raise self.error


class Hangs:
    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.ended = 0

    @hookimpl
    def call_ended(self) -> None:
        try:
            self.clock.sleep(3600)
        finally:
            self.ended += 1


def test_every_implementation_is_told_with_the_arguments_it_asks_for(
    host: Host, clock: VirtualClock, call: CallView
) -> None:
    one, two = Listens(), Listens()
    host.add(one, "one")
    host.add(two, "two")
    host.tell.call_ended(call=call, cause="NORMAL_CLEARING")
    assert host.settle(1)
    assert one.heard == two.heard == ["c1 NORMAL_CLEARING"]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(2)])
def test_one_that_raises_stops_neither_the_others_nor_the_caller(
    host: Host, call: CallView, error: BaseException
) -> None:
    first, last = Listens(), Listens()
    host.add(first, "first")
    host.add(Raises(error), "bad")
    host.add(last, "last")
    with capture_logs() as logs:
        host.tell.call_ended(call=call, cause="NORMAL_CLEARING")
        assert host.settle(1)
    assert first.heard == last.heard == ["c1 NORMAL_CLEARING"]
    assert host.tallies["bad"].failed == 1
    assert host.tallies["first"].failed == 0
    assert [(log["event"], log["plugin"], log["hook"]) for log in logs] == [
        ("plugin.failed", "bad", "call_ended")
    ]


def test_one_that_hangs_is_stopped_at_the_deadline_and_the_caller_never_waited(
    host: Host, clock: VirtualClock, call: CallView
) -> None:
    slow, other = Hangs(clock), Listens()
    host.add(slow, "slow")
    host.add(other, "other")
    host.tell.call_ended(call=call, cause="NORMAL_CLEARING")
    assert clock.monotonic() == 0
    clock.sleep(4.9)
    assert other.heard
    assert slow.ended == 0
    clock.sleep(0.2)
    assert slow.ended == 1
    assert host.tallies["slow"].late == 1


def test_a_limit_of_the_plugins_own_that_it_let_through_ends_only_itself(
    host: Host, clock: VirtualClock, call: CallView
) -> None:
    host.add(Raises(TimeUp(2)), "bad")
    host.tell.call_ended(call=call, cause="NORMAL_CLEARING")
    assert host.settle(1)
    assert host.tallies["bad"].late == 1


def test_a_flood_at_a_hanging_plugin_is_bounded_and_counted(
    host: Host, clock: VirtualClock, call: CallView
) -> None:
    slow, other = Hangs(clock), Listens()
    host.add(slow, "slow")
    host.add(other, "other")
    for _ in range(10):
        host.tell.call_ended(call=call, cause="NORMAL_CLEARING")
        clock.sleep(0)
    assert (host.tallies["slow"].told, host.tallies["slow"].dropped) == (3, 7)
    assert len(other.heard) == 10
    clock.sleep(6)
    host.tell.call_ended(call=call, cause="NORMAL_CLEARING")
    assert host.tallies["slow"].told == 4


def test_settle_says_whether_all_is_through_and_stop_ends_what_is_not(
    host: Host, clock: VirtualClock, call: CallView
) -> None:
    slow = Hangs(clock)
    host.add(slow, "slow")
    host.tell.call_ended(call=call, cause="NORMAL_CLEARING")
    assert not host.settle(1)
    host.stop()
    assert host.settle(1)
    assert slow.ended == 1


def test_telling_with_wrong_arguments_is_the_tellers_mistake(host: Host, call: CallView) -> None:
    with pytest.raises(TypeError, match="call_ended is told with"):
        host.tell.call_ended(call=call, why="x")  # type: ignore[call-arg]


def test_telling_costs_the_caller_little(host: Host, clock: VirtualClock, call: CallView) -> None:
    for at in range(5):
        host.add(Listens(), f"plugin{at}")
    began = time.process_time()
    for _ in range(200):
        host.tell.call_ended(call=call, cause="NORMAL_CLEARING")
        clock.sleep(0)
    assert (time.process_time() - began) / 1000 < 0.001


def test_one_of_the_engines_own_is_told_on_the_spot_and_its_fault_stays_its_own(clock: VirtualClock) -> None:
    heard: list[str] = []

    class Note:
        @hookimpl
        def engine_started(self, switch: str) -> None:
            heard.append(switch)
            raise ValueError("no room")

    host = Host(clock)
    host.add(Note(), "note", instant=True)
    host.tell.engine_started(switch="the simulator")
    assert heard == ["the simulator"]
    assert (host.tallies["note"].told, host.tallies["note"].failed) == (1, 1)
