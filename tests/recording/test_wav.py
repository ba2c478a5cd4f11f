"""What a WAV really holds, also one whose header lies."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NotFound
from engine.recording.wav import measure, read_header


def test_each_channel_is_measured_by_itself(tmp_path: Path, tone, silence, write_wav) -> None:
    file = tmp_path / "x.wav"
    write_wav(file, silence(0.5) + tone(1.0, 0.5) + silence(0.5), silence(2.0))
    with file.open("rb") as opened:
        sound = measure(opened)
    assert sound.seconds == 2.0
    assert sound.rate == 8000
    caller, agent = sound.channels
    assert caller.peak == pytest.approx(-6.0, abs=0.1)
    assert caller.rms == pytest.approx(-12.0, abs=0.2)  # a sine of half the height, half of the time
    assert caller.heard == pytest.approx(1.0, abs=0.02)
    assert caller.first == pytest.approx(0.5, abs=0.02)
    assert caller.last == pytest.approx(1.5, abs=0.02)
    assert (agent.peak, agent.heard, agent.first, agent.last) == (-96.0, 0.0, None, None)


def test_a_header_that_was_never_finished_is_made_good_by_the_length_of_the_file(
    tmp_path: Path, tone, write_wav, unfinished: Callable[[Path], None]
) -> None:
    file = tmp_path / "x.wav"
    write_wav(file, tone(1.5), tone(1.5))
    unfinished(file)
    with file.open("rb") as opened:
        assert read_header(opened).seconds == 1.5
        assert measure(opened).seconds == 1.5


def test_a_file_that_was_cut_off_counts_what_is_there(tmp_path: Path, tone, write_wav) -> None:
    file = tmp_path / "x.wav"
    write_wav(file, tone(1.0), tone(1.0))
    file.write_bytes(file.read_bytes()[: 44 + 16001])
    with file.open("rb") as opened:
        assert read_header(opened).seconds == 0.5


def test_other_chunks_before_the_sound_are_passed_over(tmp_path: Path, tone, write_wav) -> None:
    file = tmp_path / "x.wav"
    write_wav(file, tone(0.25), tone(0.25))
    data = file.read_bytes()
    file.write_bytes(data[:36] + b"LIST" + struct.pack("<I", 5) + b"hello\x00" + data[36:])
    with file.open("rb") as opened:
        assert measure(opened).seconds == 0.25


def test_a_recording_without_a_second_of_sound_is_one(tmp_path: Path, write_wav) -> None:
    file = tmp_path / "x.wav"
    write_wav(file, [], [])
    with file.open("rb") as opened:
        sound = measure(opened)
    assert sound.seconds == 0
    assert [channel.rms for channel in sound.channels] == [-96.0, -96.0]


@given(st.binary(max_size=120))
def test_what_is_no_wav_is_a_plain_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.wav"
    for start in (b"", b"RIFF\x00\x00\x00\x00WAVE", b"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00"):
        file.write_bytes(start + data)
        with file.open("rb") as opened:
            with suppress(NotFound):
                measure(opened)


def test_another_coding_is_refused(tmp_path: Path, tone, write_wav) -> None:
    file = tmp_path / "x.wav"
    write_wav(file, tone(0.1), tone(0.1))
    data = bytearray(file.read_bytes())
    data[20:22] = struct.pack("<H", 6)  # A-law
    file.write_bytes(bytes(data))
    with file.open("rb") as opened, pytest.raises(NotFound, match="not PCM"):
        measure(opened)
