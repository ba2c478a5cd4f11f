"""The dead man's switch: what happens to calls when no engine gives a sign of life."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.esl import commands as c
from tests.contract.rig import Rig

MUSIC = "tone_stream://%(30000,0,440)"


@pytest.fixture
def silent(switch: Rig) -> Iterator[Rig]:
    """A switch whose engine was last heard of a minute ago, which the script has seen once."""
    alive(switch, ago=60)
    run(switch)
    yield switch
    switch.connection.request(c.hash_delete("il", "silent"))
    switch.connection.request(c.hash_delete("il", "alive"))
    switch.connection.request(c.sched_del("il_guard"))


def alive(switch: Rig, *, ago: int) -> None:
    switch.api(c.hash_insert("il", "alive", str(int(switch.clock.now().timestamp()) - ago)))


def run(switch: Rig) -> None:
    """One run of the script, with the listings caught up."""
    switch.clock.sleep(0.4)
    switch.connection.bgapi(c.rescue(15)).wait(5.0)


def rescued(switch: Rig, uuid: str) -> bool:
    return switch.variable(uuid, "il_fallback") == "true"


def test_calls_that_are_in_no_talk_go_to_the_fallback(silent: Rig) -> None:
    _, parked = silent.arrive(caller="+8613800000001")
    _, music = silent.arrive(caller="+8613800000002")
    silent.execute(music, "playback", MUSIC)
    _, asked = silent.arrive(caller="+8613800000003")
    silent.execute(
        asked, "play_and_get_digits", c.Digits(minimum=1, maximum=4, first=20.0).argument(), lock=True
    )
    _, unanswered = silent.arrive(answered=False, caller="+8613800000004")
    run(silent)
    for uuid in (parked, music, asked, unanswered):
        silent.until(lambda uuid=uuid: rescued(silent, uuid))  # type: ignore[misc]
        assert silent.dump(uuid)["Caller-Context"] == "fallback"


def test_a_talk_is_never_touched_and_its_caller_is_found_when_it_is_over(silent: Rig) -> None:
    person, caller = silent.arrive()
    agent, leg = silent.agent_leg(silent.phone("1001"), il_owner=caller)
    silent.bridge(caller, leg)
    silent.until(lambda: silent.bridged() == {caller, leg})
    run(silent)
    silent.clock.sleep(0.3)
    assert silent.bridged() == {caller, leg}
    assert not rescued(silent, caller)
    agent.hang_up()
    silent.heard.wait("CHANNEL_PARK", caller, where=lambda e: e.get("Channel-State") == "CS_PARK")
    run(silent)
    silent.until(lambda: rescued(silent, caller))
    assert not person.gone


def test_an_agent_s_leg_without_a_talk_is_hung_up(silent: Rig) -> None:
    _, caller = silent.arrive()
    agent, leg = silent.agent_leg(silent.phone("1001"), il_owner=caller)
    ringing_phone = silent.phone("1002")
    silent.originate("1002", il_owner=caller)
    ring = ringing_phone.wait_ring()
    run(silent)
    silent.until(lambda: agent.gone)
    silent.until(lambda: ring.gone)
    assert not silent.exists(leg)


def test_while_the_engine_lives_nothing_is_moved(silent: Rig) -> None:
    alive(silent, ago=3)
    _, uuid = silent.arrive()
    run(silent)
    silent.clock.sleep(0.3)
    assert not rescued(silent, uuid)


def test_a_sign_that_looks_old_once_moves_nothing(switch: Rig) -> None:
    """As when the wall clock was set forward: the engine gives the next sign within two seconds."""
    alive(switch, ago=3600)
    _, uuid = switch.arrive()
    run(switch)
    alive(switch, ago=0)
    run(switch)
    alive(switch, ago=3600 - 1)
    run(switch)
    switch.clock.sleep(0.3)
    assert not rescued(switch, uuid)
    switch.connection.request(c.hash_delete("il", "alive"))
    switch.connection.request(c.hash_delete("il", "silent"))


def test_without_any_sign_of_life_ever_nothing_is_moved(silent: Rig) -> None:
    """No engine has led this switch; arriving calls have a timer of their own."""
    silent.api(c.hash_delete("il", "alive"))
    _, uuid = silent.arrive()
    run(silent)
    silent.clock.sleep(0.3)
    assert not rescued(silent, uuid)


def test_a_call_in_the_fallback_is_not_moved_again(silent: Rig) -> None:
    _, uuid = silent.arrive()
    run(silent)
    silent.until(lambda: rescued(silent, uuid))
    since = silent.heard.mark
    run(silent)
    silent.clock.sleep(0.3)
    again = silent.heard.find(
        "CHANNEL_EXECUTE", uuid, since=since, where=lambda e: e.get("Application-Data") == "il_fallback=true"
    )
    assert again == []


def test_the_switch_runs_it_by_itself_again_and_again(silent: Rig) -> None:
    silent.api(c.sched_api(1, "il_guard", c.rescue(15), repeat=True, thread=True))
    _, first = silent.arrive(caller="+8613800000001")
    silent.until(lambda: rescued(silent, first), timeout=5.0)
    _, second = silent.arrive(caller="+8613800000002")
    silent.until(lambda: rescued(silent, second), timeout=5.0)
