"""Recordings are real files, and who was heard when can be measured in them."""

from __future__ import annotations

import array
import math
import wave
from pathlib import Path
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.switch.simulator import SimCaller, Simulator, recording
from engine.switch.simulator.recording import FAR_END, OTHER_PARTY, PLAYED


@pytest.fixture
def caller(sim: Simulator, client: Any) -> SimCaller:
    caller = sim.call("8004")
    client.execute(caller.uuid, "answer", event_uuid="answer")
    client.complete("answer")
    client.api(f"sched_del {caller.uuid}")
    return caller


def sides(path: Path) -> list[array.array[int]]:
    """The samples of each channel."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)
        samples = array.array("h", file.readframes(file.getnframes()))
        count = file.getnchannels()
    return [samples[side::count] for side in range(count)]


def tone(samples: array.array[int], at: float, seconds: float = 0.5) -> int:
    """The loudest of the tones that stand for people in a stretch of sound; 0: silence."""
    piece = samples[int(at * 8000) : int((at + seconds) * 8000)]
    best, loudest = 0, 500.0
    for hertz in (FAR_END, OTHER_PARTY, PLAYED):
        step = 2 * math.pi * hertz / 8000
        real = sum(value * math.cos(step * index) for index, value in enumerate(piece))
        imaginary = sum(value * math.sin(step * index) for index, value in enumerate(piece))
        power = math.hypot(real, imaginary) / max(1, len(piece))
        if power > loudest:
            best, loudest = hertz, power
    return best


def test_each_side_is_heard_when_it_speaks_or_is_played_to(
    sim: Simulator, client: Any, caller: SimCaller, clock: VirtualClock, tmp_path: Path
) -> None:
    path = tmp_path / "2026" / "call.wav"
    sim.phone("1001").auto(answer_after=0.5)
    client.execute(caller.uuid, "set", "RECORD_STEREO=true")
    client.execute(caller.uuid, "record_session", str(path))
    client.execute(caller.uuid, "playback", "silence_stream://3000", event_uuid="P", lock=True)
    assert client.event("RECORD_START")["Record-File-Path"] == str(path)
    client.complete("P")
    client.command(
        "bgapi originate {origination_uuid=L,park_after_bridge=true}sofia/internal/1001%local &park()"
    )
    client.event("CHANNEL_PARK", "L")
    client.api(f"uuid_bridge {caller.uuid} L")
    client.event("CHANNEL_BRIDGE")
    clock.sleep(5)
    assert f"<target>{path}</target>" in client.api(f"uuid_buglist {caller.uuid}")
    assert client.api(f"uuid_record {caller.uuid} mask {path}") == "+OK Success\n"
    clock.sleep(5)
    assert client.api(f"uuid_record {caller.uuid} unmask {path}") == "+OK Success\n"
    clock.sleep(5)
    whole = clock.monotonic()
    caller.hang_up()
    stop = client.event("RECORD_STOP")
    assert (stop["Record-File-Path"], stop["Record-Completion-Cause"]) == (str(path), "success-silence")
    left, right = sides(path)
    seconds = len(left) / 8000
    assert float(stop["variable_record_ms"]) / 1000 == pytest.approx(seconds, abs=0.01)
    assert whole - 1.0 < seconds < whole - 0.2  # shorter than the wall says, as on the switch
    assert (tone(left, 1), tone(right, 1)) == (0, PLAYED)
    talk = seconds - 15
    assert (tone(left, talk + 2), tone(right, talk + 2)) == (FAR_END, OTHER_PARTY)
    assert (tone(left, talk + 7), tone(right, talk + 7)) == (0, 0)
    assert (tone(left, talk + 12), tone(right, talk + 12)) == (FAR_END, OTHER_PARTY)


def test_one_recording_runs_on_through_every_bridge(
    sim: Simulator, client: Any, caller: SimCaller, clock: VirtualClock, tmp_path: Path
) -> None:
    path = tmp_path / "call.wav"
    for extension in ("1001", "1002"):
        sim.phone(extension).auto(answer_after=0.1)
    client.execute(caller.uuid, "record_session", str(path))
    for leg, extension in (("L", "1001"), ("M", "1002")):
        client.command(
            f"bgapi originate {{origination_uuid={leg},park_after_bridge=true}}sofia/internal/{extension}%local &park()"
        )
        client.event("CHANNEL_PARK", leg)
        start = len(client.events)
        client.api(f"uuid_bridge {caller.uuid} {leg}")
        client.event("CHANNEL_BRIDGE", start=start)
        clock.sleep(2)
    caller.hang_up()
    client.event("RECORD_STOP")
    assert client.names().count("RECORD_START") == client.names().count("RECORD_STOP") == 1
    (mono,) = sides(path)
    assert 3.5 < len(mono) / 8000 < 5


def test_answers_about_recordings(client: Any, caller: SimCaller, tmp_path: Path) -> None:
    uuid, path = caller.uuid, tmp_path / "x.wav"
    usage = "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"
    assert client.api(f"uuid_record {uuid} start") == usage
    assert client.api(f"uuid_record {uuid} foo {path}") == usage
    assert client.api(f"uuid_record {uuid} stop {path}") == "-ERR Cannot stop record session!\n"
    assert client.api(f"uuid_buglist {uuid}") == "<media-bugs>\n</media-bugs>\n"
    assert client.api(f"uuid_record {uuid} start {path}") == "+OK Success\n"
    assert path.exists()
    assert client.api(f"uuid_record {uuid} start {path}") == "+OK Success\n"  # it just goes on
    assert client.api(f"uuid_record {uuid} stop {path}") == "+OK Success\n"
    assert client.names().count("RECORD_START") == 1
    assert client.event("RECORD_STOP")["Record-Completion-Cause"] == "success-maxtime"


def test_a_clip_ends_with_a_key_or_its_time(
    client: Any, caller: SimCaller, clock: VirtualClock, tmp_path: Path
) -> None:
    path = tmp_path / "clip.wav"
    client.execute(caller.uuid, "set", "playback_terminators=#")
    client.execute(caller.uuid, "record", f"{path} 30", event_uuid="R", lock=True)
    clock.sleep(3)
    caller.press("1#")
    done = client.complete("R")
    assert done["variable_playback_terminator_used"] == "#"
    (clip,) = sides(path)
    assert len(clip) / 8000 == pytest.approx(3.2, abs=0.2)
    assert tone(clip, 1) == FAR_END
    client.execute(caller.uuid, "record", f"{tmp_path / 'other.wav'} 2", event_uuid="S", lock=True)
    client.complete("S")
    (clip,) = sides(tmp_path / "other.wav")
    assert 1.8 < len(clip) / 8000 <= 3  # the switch counts whole seconds of the wall clock


def test_a_place_that_can_not_be_written_is_refused(client: Any, caller: SimCaller, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert (
        client.api(f"uuid_record {caller.uuid} start {tmp_path}/file/x.wav")
        == "-ERR Cannot record session!\n"
    )


def test_a_simulated_day_can_keep_its_files_short(clock: VirtualClock, tmp_path: Path) -> None:
    sim = Simulator(clock, password="x", record_limit=1.0)
    caller = sim.call("8004")
    channel = sim.switch.channels[caller.uuid]
    channel.answer()
    recording.start(channel, str(tmp_path / "x.wav"))
    clock.sleep(60)
    caller.hang_up()
    clock.sleep(1)
    assert (tmp_path / "x.wav").stat().st_size == 44 + 16000
    sim.stop()
