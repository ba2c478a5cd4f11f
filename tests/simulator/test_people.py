"""Callers and phones, as tests and a person at the terminal use them."""

from __future__ import annotations

from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.errors import HungUp
from engine.switch.simulator import Simulator
from engine.switch.simulator.people import RINGS, PhoneRing


def test_a_caller_comes_over_a_trunk_or_from_a_phone_of_the_company(sim: Simulator, client: Any) -> None:
    sim.call("8004", caller="+8613800000001", name="Zhang San", gateway="pstn")
    outside = client.event("CHANNEL_PARK")
    assert (outside["variable_il_origin"], outside["variable_il_gateway"]) == ("trunk", "pstn")
    assert (outside["Caller-Caller-ID-Name"], outside["variable_il_dnis"]) == ("Zhang San", "8004")
    start = len(client.events)
    line = sim.phone("1001").dial("*11")
    inside = client.event("CHANNEL_PARK", line.uuid, start=start)
    assert (inside["variable_il_origin"], inside["Caller-Caller-ID-Number"]) == ("internal", "1001")
    assert inside["Channel-Name"] == "sofia/internal/1001@127.0.0.1"


def test_an_odd_number_is_refused_by_the_dialplan(sim: Simulator) -> None:
    caller = sim.call("80;04")
    assert caller.wait_ended(1) == "UNALLOCATED_NUMBER"


def test_keys_come_one_after_the_other(sim: Simulator, client: Any, clock: VirtualClock) -> None:
    caller = sim.call("8004")
    client.execute(caller.uuid, "answer")
    clock.sleep(0.1)
    caller.press("12#", gap=0.5)
    clock.sleep(0.6)
    assert [e["DTMF-Digit"] for e in client.events if e["Event-Name"] == "DTMF"] == ["1", "2"]
    clock.sleep(0.5)
    assert client.names().count("DTMF") == 3


def test_keys_pressed_while_others_are_still_to_come_come_behind_them(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    caller = sim.call("8004")
    client.execute(caller.uuid, "answer")
    clock.sleep(0.1)
    caller.press("12", gap=0.5)
    caller.press("34", gap=0.2)
    clock.sleep(1.0)

    def heard() -> list[str]:
        return [e["DTMF-Digit"] for e in client.events if e["Event-Name"] == "DTMF"]

    assert heard() == ["1", "2", "3", "4"]
    caller.press("5")  # nothing is to come any more: at once
    clock.sleep(0.05)
    assert heard() == ["1", "2", "3", "4", "5"]


def test_keys_that_no_phone_has_and_keys_after_the_end_are_refused(
    sim: Simulator, clock: VirtualClock
) -> None:
    caller = sim.call("8004")
    with pytest.raises(ValueError, match="no such keys"):
        caller.press("12x")
    caller.hang_up()
    with pytest.raises(HungUp):
        caller.press("1")
    caller.hang_up()  # harmless
    assert caller.wait_ended(1) == "ORIGINATOR_CANCEL"


def test_waits_have_limits_and_say_so(sim: Simulator, client: Any, clock: VirtualClock) -> None:
    caller = sim.call("8004")
    assert caller.state == "ringing"
    assert not caller.wait_bridged(1)
    assert caller.wait_ended(1) is None
    assert clock.monotonic() == pytest.approx(2.0)
    client.execute(caller.uuid, "answer")
    assert caller.wait_state("answered", 1)
    assert sim.phone("1001").wait_ring(1) is None


def test_a_phone_by_itself_answers_talks_and_hangs_up(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    phone = sim.phone("1001", answer_after=3.0, talk_for=20.0)
    assert sim.phone("1001") is phone
    caller = sim.call("8004")
    client.execute(caller.uuid, "answer")
    client.api(f"sched_del {caller.uuid}")
    client.command(
        "bgapi originate {origination_uuid=L,park_after_bridge=true}sofia/internal/1001%local &park()"
    )
    client.event("CHANNEL_PARK", "L")
    assert (phone.state, clock.monotonic()) == ("answered", pytest.approx(3.0, abs=0.1))
    client.api(f"uuid_bridge {caller.uuid} L")
    assert caller.wait_bridged(1)
    assert phone.state == "talking"
    client.event("CHANNEL_PARK", caller.uuid, start=len(client.events))
    assert clock.monotonic() == pytest.approx(23.1, abs=0.1)
    assert phone.state == "idle"


def test_an_agent_presses_keys_in_a_talk_or_on_his_own_call(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    phone = sim.phone("1001")
    with pytest.raises(HungUp):
        phone.press("1")
    line = phone.dial("*11")
    client.execute(line.uuid, "answer")
    clock.sleep(0.1)
    phone.press("8012#")
    clock.sleep(2)
    assert [e["DTMF-Digit"] for e in client.events if e["Event-Name"] == "DTMF"] == list("8012#")
    phone.hang_up()
    assert line.wait_ended(1) == "NORMAL_CLEARING"


def test_a_phone_that_vanished_is_found_out_and_comes_back(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    phone = sim.phone("1001")
    phone.vanish()
    assert phone.registered
    clock.sleep(30)
    assert not phone.registered
    phone.register()
    assert phone.registered
    client.command("bgapi originate {origination_uuid=L}sofia/internal/1001%local &park()")
    assert phone.wait_ring(1) is not None


def test_with_one_seed_everything_happens_again(clock: VirtualClock) -> None:
    def day() -> list[str]:
        sim = Simulator(clock, password="x", seed=5)
        callers = [sim.call("8004").uuid for _ in range(3)]
        sim.stop()
        return callers

    assert day() == day()


def test_of_calls_that_are_over_the_latest_are_remembered_and_no_day_keeps_them_all(
    clock: VirtualClock,
) -> None:
    simulator = Simulator(clock, password="x", history=5)
    stays = simulator.call("8004")
    gone = [simulator.call("8004") for _ in range(30)]
    for one in gone:
        one.hang_up()
        clock.sleep(0.05)
        simulator.call("8004").hang_up()
        clock.sleep(0.05)
    assert stays in simulator.callers
    assert len(simulator.callers) <= 1 + 3 * 5
    assert all(one.ended is not None for one in simulator.callers[1:])
    phone = simulator.phone("1001")
    for _ in range(3 * RINGS):
        ring = PhoneRing(simulator.switch, phone)
        phone.called(ring)
        ring.ended = "CALL_REJECTED"
    assert RINGS <= len(phone.rings) <= 2 * RINGS
    assert ring in phone.rings
    simulator.stop()
