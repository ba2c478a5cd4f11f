from __future__ import annotations

import math
import os
import shutil
import subprocess
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from gevent.threadpool import ThreadPool

from engine.clock import Clock
from engine.prompts.render import EspeakVoice, MuteVoice, duration_of, find_voice, voices_state
from engine.prompts.scripts import by_voice
from engine.prompts.sound import RATE, read_wav, resample, tone, trim, write_wav
from engine.prompts.tool import ToolFailed, run_tool

espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng on this machine")


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    pool = ThreadPool(2)
    yield pool
    pool.kill()


def in_thread(
    pool: ThreadPool, program: str, feed: bytes = b"", limit: float = 5.0, most: int = 100_000
) -> object:
    """The output, or the failure, of a shell line run in a pool thread."""

    def run() -> object:
        try:
            return run_tool(["/bin/sh", "-c", program], feed, limit=limit, most=most)
        except ToolFailed as failure:
            return str(failure)

    return Clock().blocking(pool, run)


def loudness(samples: array[int]) -> float:
    """RMS in dB below full scale."""
    return 20 * math.log10(math.sqrt(sum(value * value for value in samples) / len(samples)) / 32768)


# -- programs ------------------------------------------------------------------------------------


def test_a_program_is_fed_and_heard_from_a_pool_thread(pool: ThreadPool) -> None:
    assert in_thread(pool, "cat", b"x" * 30_000) == b"x" * 30_000


def test_text_given_to_a_program_is_data_whatever_it_says(pool: ThreadPool, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    evil = (
        f"$(touch {canary}) `touch {canary}`; touch {canary} ${{system touch {canary}}}\n-w {canary}".encode()
    )
    assert in_thread(pool, "cat", evil) == evil
    assert not canary.exists()


def test_a_program_that_hangs_is_killed_at_its_limit(pool: ThreadPool) -> None:
    before = time.monotonic()
    assert in_thread(pool, "exec sleep 30", limit=0.2) == "sh took longer than 0.2 s"
    assert time.monotonic() - before < 5


def test_a_program_that_closes_its_output_and_stays_is_killed_too(pool: ThreadPool) -> None:
    in_thread(pool, "exec >&-; exec sleep 30", limit=0.2)


def test_a_program_that_never_stops_talking_is_cut_off(pool: ThreadPool) -> None:
    assert in_thread(pool, "exec yes") == "sh wrote more than 100000 bytes"


def test_a_program_that_does_not_read_breaks_nothing(pool: ThreadPool) -> None:
    assert in_thread(pool, "exec true", b"x" * 30_000) == b""


def test_a_program_that_is_not_there_is_one_clear_line() -> None:
    with pytest.raises(ToolFailed, match="speech can't be started: No such file"):
        run_tool(["/nowhere/speech"], b"", limit=1, most=1)


def test_a_program_can_be_run_on_the_hub_too_while_gevent_watches_a_child_of_its_own() -> None:
    other = subprocess.Popen(["sleep", "30"])
    try:
        assert run_tool(["/bin/sh", "-c", "cat"], b"x", limit=3, most=10) == b"x"
    finally:
        other.kill()
        other.wait()


def test_no_file_descriptor_is_left_open(pool: ThreadPool) -> None:
    in_thread(pool, "cat")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        in_thread(pool, "cat", b"x")
        in_thread(pool, "exec sleep 30", limit=0.01)
    assert len(os.listdir("/proc/self/fd")) <= before


# -- sound ---------------------------------------------------------------------------------------


def sine(hertz: float, rate: int, seconds: float = 0.5) -> array[int]:
    return array(
        "h", (round(8000 * math.sin(2 * math.pi * hertz * at / rate)) for at in range(int(rate * seconds)))
    )


def test_speech_survives_the_way_to_eight_kilohertz_and_what_would_alias_does_not() -> None:
    for hertz in (200, 1000, 3000):
        assert loudness(resample(sine(hertz, 22050), 22050)[200:-200]) == pytest.approx(-15.3, abs=1.0)
    assert loudness(resample(sine(5500, 22050), 22050)[200:-200]) < -50
    assert len(resample(sine(440, 22050), 22050)) == pytest.approx(RATE / 2, abs=2)


def test_a_wav_is_read_whatever_its_header_says_of_its_length() -> None:
    data = write_wav(tone(0.5))
    lying = data[:40] + b"\xff\xff\xff\x7f" + data[44:]
    assert read_wav(lying) == read_wav(data) == (RATE, tone(0.5))


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", b"RIFF0000WAVE", b"RIFF0000WAVEdata0000", Random(7).randbytes(100)]
)
def test_what_is_no_wav_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="WAV"):
        read_wav(data)


def test_silence_at_the_ends_is_trimmed_and_nothing_is_left_of_nothing() -> None:
    quiet = array("h", bytes(2 * RATE))
    trimmed = trim(quiet + tone(0.5) + quiet)
    assert 0.5 <= len(trimmed) / RATE < 0.55
    assert not trim(quiet)


# -- voices --------------------------------------------------------------------------------------


def test_a_mute_voice_takes_about_as_long_as_the_words_would() -> None:
    samples = MuteVoice().samples("欢迎致电粤达集团，查运单请按一。", "zh-CN")
    assert 3.0 < len(samples) / RATE < 4.5
    assert loudness(samples) == pytest.approx(-37.8, abs=0.5)
    assert duration_of("") == 0.1
    assert duration_of("字" * 10_000) == 180.0


def test_doctor_says_plainly_that_there_is_no_speech() -> None:
    state = voices_state(find_voice(program="no-such-speech-engine"))
    assert not state.ok
    assert "no speech" in state.line


def test_doctor_names_the_language_that_nobody_speaks() -> None:
    state = voices_state(EspeakVoice("/usr/bin/espeak-ng", "1.51", {"en": "en-us"}))
    assert not state.ok
    assert state.line == "espeak-ng 1.51: en (en-us); no voice for zh-CN"


def test_readings_replace_characters_but_not_behind_ordinals() -> None:
    voice = EspeakVoice("/x", "1", {}, {"zh-CN": {"一位": "yi2 wei4", "重新": "chong2 xin1"}})
    assert voice.pronounced("请重新输入", "zh-CN") == "请 chong2 xin1 输入"
    assert voice.pronounced("还有一位，您是第一位", "zh-CN") == "还有 yi2 wei4 ，您是第一位"
    assert voice.pronounced("[[hi]] there", "en") == " hi  there"


@espeak
@pytest.mark.parametrize(
    ("text", "language", "least", "most"),
    [
        ("欢迎致电粤达集团，查运单请按一，人工服务请按零。", "zh-CN", 4.0, 7.5),
        ("三百六十元五角", "zh-CN", 1.2, 2.5),
        ("幺", "zh-CN", 0.1, 0.6),
        ("Welcome to the Yueda Group. To track a waybill, press one.", "en", 2.5, 5.5),
        ("seven", "en", 0.2, 0.9),
    ],
)
def test_espeak_says_it_in_a_sane_time_and_loud_enough(
    pool: ThreadPool, text: str, language: str, least: float, most: float
) -> None:
    clock = Clock()
    voice = clock.blocking(pool, find_voice)
    if not voice.speaks(language):
        pytest.skip(f"espeak-ng has no voice for {language}")
    samples = clock.blocking(pool, voice.samples, text, language)
    assert least < len(samples) / RATE < most
    assert -28 < loudness(samples) < -10
    assert max(map(abs, samples[: RATE // 20])) > 180, "trimmed: the sound begins at once"


@pytest.mark.parametrize("program", ["/bin/true", "/bin/cat"])
def test_a_speech_engine_that_gives_no_sound_is_a_failure_not_a_silence(
    pool: ThreadPool, program: str
) -> None:
    def said() -> object:
        try:
            return EspeakVoice(program, "x", {"en": "-"}).samples("hello", "en")
        except ToolFailed as failure:
            return failure

    assert isinstance(Clock().blocking(pool, said), ToolFailed)


@pytest.mark.parametrize(
    ("text", "language", "cut"),
    [
        ("查运单请按1。", "zh-CN", [("zh-CN", "查运单请按1。")]),
        ("中文请按1。For English, press 2.", "zh-CN", [("zh-CN", "中文请按1。"), ("en", "For English, press 2.")]),
        ("VIP客户粤A12345", "zh-CN", [("zh-CN", "VIP客户粤A12345")]),
        ("For English, press 1. 中文请按2。", "en", [("en", "For English, press 1. "), ("zh-CN", "中文请按2。")]),
        ("广州", "en", [("zh-CN", "广州")]),
        ("left 广州 for 成都", "en", [("en", "left "), ("zh-CN", "广州"), ("en", " for "), ("zh-CN", "成都")]),
        ("。！", "zh-CN", []),
    ],
)  # fmt: skip
def test_each_script_is_said_by_its_own_voice(text: str, language: str, cut: list[tuple[str, str]]) -> None:
    assert by_voice(text, language) == cut
