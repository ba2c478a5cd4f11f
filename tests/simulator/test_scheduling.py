"""The scheduler, the hash that a lease is made of, and the fallbacks that need no engine."""

from __future__ import annotations

from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.switch.simulator import Simulator


def test_a_call_that_nobody_takes_goes_to_the_fallback_by_itself(sim: Simulator, client: Any) -> None:
    caller = sim.call("8004")
    assert caller.wait_ended(30) == "NORMAL_TEMPORARY_FAILURE"
    assert caller.fell_back
    assert caller.was_answered
    assert caller.played[0].path.startswith("tone_stream://")
    assert client.event("PLAYBACK_START")["variable_il_fallback"] == "true"


def test_the_switch_counts_in_whole_seconds(sim: Simulator, client: Any, clock: VirtualClock) -> None:
    clock.sleep(0.7)
    caller = sim.call("8004")
    client.wait(lambda e: e.get("Application") == "answer")
    assert clock.monotonic() == pytest.approx(8.0, abs=0.03)  # 7.3 s later
    assert caller.fell_back


def test_sched_del_cancels_the_fallback(sim: Simulator, client: Any, clock: VirtualClock) -> None:
    caller = sim.call("8004")
    assert client.api(f"sched_del {caller.uuid}") == "+OK Deleted: 1\n"
    assert client.api(f"sched_del {caller.uuid}") == "+OK Deleted: 0\n"
    clock.sleep(60)
    assert caller.state == "ringing"


def test_tasks_of_a_channel_go_with_it(sim: Simulator, client: Any, clock: VirtualClock) -> None:
    caller = sim.call("8004")
    assert caller.uuid in client.api("show tasks as json")
    caller.hang_up()
    clock.sleep(0.1)
    assert client.api("show tasks as json") == '{"row_count": 0}\n'


def test_scheduled_commands_run_once_or_again_and_again(client: Any, clock: VirtualClock) -> None:
    assert client.api("sched_api +2 mine hash insert/a/once/1") == "+OK Added: 4\n"
    client.api("sched_api @5 ours hash insert/a/again/${nothing}x &")
    clock.sleep(2.1)
    assert client.api("hash select/a/once") == "1"
    assert client.api("hash delete/a/once") == "+OK\n"
    for _ in range(3):
        clock.sleep(5)
        assert client.api("hash delete/a/again") == "+OK\n"
    assert client.api("hash select/a/once") == "-ERR no reply\n"
    assert client.api("sched_del ours") == "+OK Deleted: 1\n"
    clock.sleep(6)
    assert client.api("hash delete/a/again") == "-ERR Not found\n"


def test_a_scheduled_hangup_says_that_the_time_is_up(sim: Simulator, client: Any) -> None:
    caller = sim.call("8004")
    client.api(f"sched_del {caller.uuid}")
    assert client.api(f"sched_hangup +3 {caller.uuid}") == "+OK\n"
    assert caller.wait_ended(5) == "ALLOTTED_TIMEOUT"


def test_of_many_racers_for_a_lease_one_wins(sim: Simulator, client: Any) -> None:
    answers = [client.api(f"hash insert_ifempty/il/lease/engine{n}") for n in range(10)]
    assert answers == ["+OK\n"] + ["-ERR key already exists\n"] * 9
    assert client.api("hash delete_ifmatch/il/lease/engine5") == "-ERR Doesn't match\n"
    assert client.api("hash delete_ifmatch/il/lease/engine0") == "+OK\n"
    assert client.api("hash delete_ifmatch/il/lease/engine0") == "-ERR Not found\n"


def test_the_dead_mans_switch_moves_calls_without_a_talk_and_never_a_talk(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    alone, talker = sim.call("8004"), sim.call("8004")
    phone = sim.phone("1001").auto(answer_after=0.5)
    idle = sim.phone("1002").auto(answer_after=0.5)
    for caller in (alone, talker):
        client.execute(caller.uuid, "answer")
        client.api(f"sched_del {caller.uuid}")
    for leg, extension in (("L", "1001"), ("M", "1002")):
        client.command(
            f"bgapi originate {{origination_uuid={leg},il_owner={talker.uuid},park_after_bridge=true}}"
            f"sofia/internal/{extension}%local &park()"
        )
        client.event("CHANNEL_PARK", leg)
    client.api(f"uuid_bridge {talker.uuid} L")
    client.event("CHANNEL_BRIDGE")
    client.api(f"hash insert/il/alive/{client.api('strepoch')}")
    client.api("sched_api @5 il_guard lua rescue.lua 15 &")
    clock.sleep(14)
    assert not alone.fell_back
    clock.sleep(12)
    assert alone.fell_back
    assert idle.rings[0].ended == "NORMAL_CLEARING"  # an agent's leg that talks to nobody
    assert talker.bridged_to == "L"
    phone.hang_up()  # the talk ends without an engine
    clock.sleep(6)
    assert talker.fell_back


def test_without_a_sign_of_life_ever_nobody_is_moved(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    caller = sim.call("8004")
    client.api(f"sched_del {caller.uuid}")
    client.api("sched_api @5 il_guard lua rescue.lua 15 &")
    clock.sleep(60)
    assert not caller.fell_back
