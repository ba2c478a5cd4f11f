"""One engine leads: the lease among racers, its expiry without help, and predecessors that are dead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from engine.calls.lease import LED, LED_TTL, RENEW, TTL, Lease, engine_name
from engine.clock import VirtualClock
from engine.esl import commands
from engine.esl.connection import Connection
from engine.switch.simulator import Simulator


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    made = VirtualClock()
    yield made
    made.close()


@pytest.fixture
def switch(clock: VirtualClock) -> Iterator[Any]:
    simulator = Simulator(clock, password="simulated")
    connection = Connection("", 0, simulator.password, clock=clock, connect=simulator.pipe)
    connection.start()
    assert connection.wait_up(5)
    yield connection
    connection.stop()
    simulator.stop()


def lease(clock: VirtualClock, switch: Any, name: str) -> Lease:
    return Lease(clock, lambda command: switch.api(command, 5.0), name)


def test_exactly_one_of_ten_racers_has_it(clock: VirtualClock, switch: Any) -> None:
    racers = [lease(clock, switch, f"host{n}.1.a") for n in range(10)]
    tries = [clock.spawn(racer.try_acquire) for racer in racers]
    for one in tries:
        one.join()
    assert sum(bool(one.value) for one in tries) == 1
    assert sum(racer.held for racer in racers) == 1


def test_it_is_kept_as_long_as_it_is_renewed(clock: VirtualClock, switch: Any) -> None:
    mine, other = lease(clock, switch, "here.1.a"), lease(clock, switch, "there.1.b")
    assert mine.try_acquire()
    for _ in range(20):
        clock.sleep(RENEW)
        assert mine.renew()
        assert not other.try_acquire()
        assert mine.holder() == "here.1.a"


def test_it_expires_by_itself_when_its_engine_is_gone(clock: VirtualClock, switch: Any) -> None:
    mine, other = lease(clock, switch, "here.1.a"), lease(clock, switch, "there.1.b")
    assert mine.try_acquire()
    clock.sleep(RENEW)
    assert mine.renew()
    clock.sleep(TTL - 1)
    assert not other.try_acquire()
    clock.sleep(2)
    assert other.try_acquire()
    assert not mine.renew()
    assert not mine.held


def test_an_expiry_of_a_former_lease_does_not_take_the_new_one(clock: VirtualClock, switch: Any) -> None:
    mine, other = lease(clock, switch, "here.1.a"), lease(clock, switch, "there.1.b")
    assert mine.try_acquire()
    mine.release()
    assert mine.holder() == ""
    assert other.try_acquire()
    clock.sleep(TTL - 1)
    assert other.renew()
    clock.sleep(TTL - 1)
    assert other.holder() == "there.1.b"


def test_a_predecessor_that_is_dead_on_this_machine_is_not_waited_for(
    clock: VirtualClock, switch: Any
) -> None:
    host = engine_name("x").partition(".")[0]
    dead = next(pid for pid in range(4_000_000, 4_100_000) if not os.path.exists(f"/proc/{pid}"))
    former = lease(clock, switch, f"{host}.{dead}.old")
    assert former.try_acquire()
    assert lease(clock, switch, engine_name("new")).try_acquire()


def test_one_that_lives_here_or_runs_elsewhere_is_waited_for(clock: VirtualClock, switch: Any) -> None:
    host = engine_name("x").partition(".")[0]
    for holder in (f"{host}.{os.getppid()}.old", "elsewhere.4000000.old", f"{host}.nonsense", "odd"):
        former = lease(clock, switch, holder)
        assert former.try_acquire()
        assert not lease(clock, switch, engine_name("new")).try_acquire()
        former.release()


def test_an_engines_name_holds_nothing_that_means_something_to_the_switch() -> None:
    assert engine_name("7f").replace(".", "").replace("-", "").isalnum()


def test_the_dialplan_is_told_as_long_as_somebody_leads_and_a_little_longer(
    clock: VirtualClock, switch: Any
) -> None:
    def led() -> bool:
        return bool(switch.api(commands.global_getvar(LED)).strip() == "true")

    mine, other = lease(clock, switch, "here.1.a"), lease(clock, switch, "there.1.b")
    assert not led()
    assert mine.try_acquire()
    assert not other.try_acquire()
    for _ in range(10):
        clock.sleep(RENEW)
        assert led()
        assert mine.renew()
    clock.sleep(LED_TTL - 1)
    assert led()
    clock.sleep(2)
    assert not led()
    assert mine.renew()
    assert led()
    mine.release()
    assert not led()
