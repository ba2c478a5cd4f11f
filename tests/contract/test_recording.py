"""Recording: one stereo file through every bridge, masked where it must be."""

from __future__ import annotations

import wave
from array import array
from pathlib import Path

from engine.esl import commands as c
from tests.contract.rig import Rig
from tests.sip.sound import loudness, read_wav, strength

TONE = "tone_stream://%(30000,0,440)"


def begin(switch: Rig, uuid: str, name: str = "call.wav") -> Path:
    path = switch.folder / name
    switch.connection.post(c.set_(uuid, "RECORD_STEREO", "true"), c.record_session(uuid, str(path)))
    started = switch.heard.wait("RECORD_START", uuid)
    assert started.get("Record-File-Path") == str(path)
    return path


def finish(switch: Rig, uuid: str) -> dict[str, str]:
    since = switch.heard.mark
    switch.api(c.uuid_kill(uuid))
    stop = switch.heard.wait("RECORD_STOP", uuid, since=since)
    switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid, since=since)
    return {key: str(value) for key, value in stop.headers.items()}


def channels(path: Path) -> tuple[array[int], array[int]]:
    """Caller and other party, without the last 20 ms: when a channel is hung up, FreeSWITCH ends a stereo
    file with a frame of noise (a buffer that it never filled)."""
    left, right = read_wav(path)
    return left[:-160], right[:-160]


def sound(switch: Rig, channel: array[int], hz: float) -> float:
    """How much of this voice is in a channel. The simulator's people have voices of its own choice."""
    return strength(channel, hz) if switch.kind == "freeswitch" else loudness(channel)


def seconds(channel: array[int]) -> float:
    return len(channel) / 8000


def test_the_file_is_stereo_and_what_the_caller_hears_is_on_the_right(switch: Rig) -> None:
    _, uuid = switch.arrive()
    path = begin(switch, uuid)
    switch.execute(uuid, "playback", TONE)
    switch.clock.sleep(0.8)
    stop = finish(switch, uuid)
    assert stop["Record-File-Path"] == str(path)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
    left, right = channels(path)
    assert sound(switch, right, 440) > 500
    assert loudness(left) < 100


def test_how_long_it_is_is_told_in_variables(switch: Rig) -> None:
    _, uuid = switch.arrive()
    path = begin(switch, uuid)
    switch.execute(uuid, "playback", TONE)
    switch.clock.sleep(0.8)
    stop = finish(switch, uuid)
    told = int(stop["variable_record_ms"])
    left, _ = read_wav(path)
    assert 300 < told < 1500
    assert abs(told - seconds(left) * 1000) < 250


def test_one_file_runs_on_through_a_bridge_with_one_voice_on_each_side(switch: Rig) -> None:
    person, caller = switch.arrive()
    path = begin(switch, caller)
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    person.speak(600, 1.0)
    agent.speak(1000, 1.0)
    switch.clock.sleep(1.2)
    agent.hang_up()
    switch.heard.wait("CHANNEL_PARK", caller, where=lambda e: e.get("Channel-State") == "CS_PARK")
    assert not switch.heard.find("RECORD_STOP", caller)
    finish(switch, caller)
    left, right = channels(path)
    assert sound(switch, left, 600) > 1000
    assert strength(left, 1000) < 200
    assert sound(switch, right, 1000) > 1000
    assert strength(right, 600) < 200


def test_what_is_masked_is_silent_in_the_file(switch: Rig) -> None:
    _, uuid = switch.arrive()
    path = begin(switch, uuid)
    switch.execute(uuid, "playback", TONE)
    switch.clock.sleep(0.6)
    switch.api(c.uuid_record(uuid, "mask", str(path)))
    switch.clock.sleep(0.6)
    switch.api(c.uuid_record(uuid, "unmask", str(path)))
    switch.clock.sleep(0.6)
    finish(switch, uuid)
    _, right = channels(path)
    windows = [loudness(right[n : n + 800]) for n in range(0, len(right) - 800, 800)]
    silent = [n for n, level in enumerate(windows) if level < 50]
    loud = [n for n, level in enumerate(windows) if level > 1000]
    assert len(silent) >= 4
    assert any(n < silent[len(silent) // 2] for n in loud)
    assert any(n > silent[len(silent) // 2] for n in loud)


def test_what_is_recorded_now_is_in_the_list_of_bugs_and_nowhere_else(switch: Rig) -> None:
    _, uuid = switch.arrive()
    path = begin(switch, uuid)
    assert str(path) in switch.api(c.uuid_buglist(uuid))
    switch.api(c.uuid_record(uuid, "stop", str(path)))
    switch.heard.wait("RECORD_STOP", uuid)
    assert str(path) not in switch.api(c.uuid_buglist(uuid))


def test_recording_a_second_time_to_the_same_file_changes_nothing(switch: Rig) -> None:
    _, uuid = switch.arrive()
    path = begin(switch, uuid)
    switch.connection.post(c.record_session(uuid, str(path)))
    switch.run(uuid, "set", "il_x=1")
    assert switch.api(c.uuid_buglist(uuid)).count(str(path)) == 1
