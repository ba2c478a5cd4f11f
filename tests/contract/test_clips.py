"""``record``: a clip of what the caller says, ended by a key, by silence, by its limit, by a break or by the caller."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from engine.esl import commands as c
from engine.esl.connection import Event
from tests.contract.rig import Rig
from tests.sip.sound import loudness, read_wav


def begin(
    switch: Rig, uuid: str, *, limit: int = 20, silence: int = 10, ends: str = "#", name: str = "clip.wav"
) -> tuple[Path, str]:
    """A clip that is being recorded, and its execution."""
    path = switch.folder / name
    since = switch.heard.mark
    switch.connection.post(c.set_(uuid, "playback_terminators", ends))
    execution = switch.execute(uuid, "record", c.clip_argument(str(path), limit, 200, silence), lock=True)
    started = switch.heard.wait("RECORD_START", uuid, since=since)
    assert started.get("Record-File-Path") == str(path)
    return path, execution


def told(event: Event, *names: str) -> tuple[str | None, ...]:
    return tuple(event.var(name) for name in names)


def test_a_key_ends_it_and_the_others_do_not(switch: Rig) -> None:
    person, uuid = switch.arrive()
    path, execution = begin(switch, uuid)
    person.speak(600, 1.0)
    switch.clock.sleep(0.5)
    person.press("5")
    switch.clock.sleep(0.8)
    assert not switch.heard.find("RECORD_STOP", uuid)
    person.press("#")
    done = switch.heard.done(execution)
    assert told(done, "playback_terminator_used", "silence_hits_exhausted") == ("#", "false")
    assert done.get("Application-Response") == "_none_"
    (stop,) = switch.heard.find("RECORD_STOP", uuid)
    assert stop.get("Record-File-Path") == str(path)
    assert stop.get("Record-Completion-Cause") is None
    order = [e.name for e in switch.heard.events if e is stop or e is done]
    assert order == ["RECORD_STOP", "CHANNEL_EXECUTE_COMPLETE"]
    size = str(path.stat().st_size)
    assert told(done, "record_file_size", "record_record_file_size") == (size, size)


def test_it_has_one_channel_even_where_the_call_is_recorded_in_two(switch: Rig) -> None:
    person, uuid = switch.arrive()
    switch.connection.post(c.set_(uuid, "RECORD_STEREO", "true"))
    path, execution = begin(switch, uuid)
    person.speak(600, 1.0)
    switch.clock.sleep(1.2)
    person.press("#")
    done = switch.heard.done(execution)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (1, 8000, 2)
        frames = file.getnframes()
    assert told(done, "record_samples", "record_ms") == (str(frames), str(frames // 8))
    assert loudness(read_wav(path)[0]) > 1000


def test_silence_ends_it_from_the_first_moment_on(switch: Rig) -> None:
    _, uuid = switch.arrive()
    before = switch.clock.monotonic()
    path, execution = begin(switch, uuid, silence=2)
    done = switch.heard.done(execution)
    assert switch.clock.monotonic() - before == pytest.approx(2.0, abs=0.3)
    assert told(done, "silence_hits_exhausted", "playback_terminator_used") == ("true", None)
    assert 1800 <= int(done.var("record_ms") or 0) <= 2000
    assert loudness(read_wav(path)[0]) < 50


def test_silence_is_counted_from_the_last_word(switch: Rig) -> None:
    person, uuid = switch.arrive()
    path, execution = begin(switch, uuid, silence=1)
    person.speak(600, 1.5)
    done = switch.heard.done(execution)
    assert told(done, "silence_hits_exhausted") == ("true",)
    (sound,) = read_wav(path)
    assert loudness(sound[2000:10000]) > 1000
    assert loudness(sound[-6000:]) < 50
    assert 2.2 < len(sound) / 8000 < 3.0


def test_its_limit_is_reached_between_so_many_seconds_and_one_more(switch: Rig) -> None:
    _, uuid = switch.arrive()
    before = switch.clock.monotonic()
    _, execution = begin(switch, uuid, limit=1)
    done = switch.heard.done(execution)
    assert 1.0 <= switch.clock.monotonic() - before <= 2.3
    assert told(done, "silence_hits_exhausted", "playback_terminator_used") == ("false", None)


def test_a_break_ends_it_and_the_call_goes_on(switch: Rig) -> None:
    _, uuid = switch.arrive()
    path, execution = begin(switch, uuid)
    switch.clock.sleep(0.5)
    switch.api(c.uuid_break(uuid))
    switch.heard.done(execution)
    assert read_wav(path)
    switch.run(uuid, "set", "il_x=1")


def test_what_the_caller_said_before_the_hang_up_is_there(switch: Rig) -> None:
    person, uuid = switch.arrive()
    path, execution = begin(switch, uuid)
    person.speak(600, 1.0)
    switch.clock.sleep(0.8)
    since = switch.heard.mark
    person.hang_up()
    switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid, since=since)
    order = [
        e.name
        for e in switch.heard.events[since:]
        if e.name in ("CHANNEL_HANGUP", "RECORD_STOP") or e.get("Application-UUID") == execution
    ]
    assert order == ["CHANNEL_HANGUP", "RECORD_STOP", "CHANNEL_EXECUTE_COMPLETE"]
    (sound,) = read_wav(path)
    assert loudness(sound) > 1000
    assert 0.4 < len(sound) / 8000 < 1.2


def test_what_is_sent_behind_it_waits_and_runs_without_anybody(switch: Rig) -> None:
    person, uuid = switch.arrive()
    _, execution = begin(switch, uuid)
    reset = switch.execute(uuid, "set", "playback_terminators=none", lock=True)
    switch.clock.sleep(0.3)
    assert switch.variable(uuid, "playback_terminators") == "#"
    person.press("#")
    switch.heard.done(execution)
    switch.heard.done(reset)
    assert switch.variable(uuid, "playback_terminators") == "none"


def test_a_file_that_can_not_be_opened_costs_the_call(switch: Rig) -> None:
    _, uuid = switch.arrive()
    (switch.folder / "file").write_text("no folder")
    switch.execute(uuid, "record", f"{switch.folder}/file/clip.wav 5", lock=True)
    gone = switch.heard.wait("CHANNEL_HANGUP", uuid)
    assert gone.get("Hangup-Cause") == "DESTINATION_OUT_OF_ORDER"
