from __future__ import annotations

import os
import wave
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.errors import ConfigError
from engine.prompts import Catalogue, MuteVoice, Prompts
from engine.prompts.cache import Spec

Make = Callable[..., Prompts]


@dataclass
class Order:
    number: str
    city: str
    at: date


ORDER = Order("80001234", "成都", date(2026, 11, 20))


def sound_of(path: str) -> tuple[int, int, int, float]:
    with wave.open(path, "rb") as sound:
        return sound.getnchannels(), sound.getsampwidth(), sound.getframerate(), sound.getnframes() / 8000


def test_a_prompt_without_values_is_one_file(make: Make) -> None:
    said = make().utterance("bye", language="en", department="orders")
    assert said.key == "orders/bye"
    assert said.text == "The order line, goodbye."
    assert said.playback == said.clips[0]
    assert Path(said.playback).name.startswith("orders.bye.0-")
    channels, width, rate, seconds = sound_of(said.playback)
    assert (channels, width, rate) == (1, 2, 8000)
    assert said.seconds == pytest.approx(seconds)
    assert round(seconds * 8000) % 160 == 0, "a clip fills its last frame of 20 ms"


def test_words_and_values_are_clips_of_their_own(make: Make, row_voice: Any) -> None:
    voice = row_voice()
    said = make(voice).utterance("state", {"order": ORDER}, "zh-CN", "orders")
    assert said.text == "八零零零 幺二三四已于十一月二十日发往成都。"
    assert said.playback == "file_string://" + "!".join(said.clips)
    words = [text for _, text in voice.said]
    assert sorted(words) == sorted(
        ["八", "零", "零", "幺", "二", "三", "四", "已于", "十一月二十日", "发往", "成都"]
    )
    assert said.values == {"order.number": "80001234", "order.at": date(2026, 11, 20), "order.city": "成都"}
    assert said.seconds == pytest.approx(sum(sound_of(clip)[3] for clip in said.clips), abs=0.002)


def test_a_value_that_ends_in_a_dot_ends_the_sentence_too(make: Make) -> None:
    said = make().utterance("It is open at {at:time}. Goodbye {at:time}.", {"at": time(14)}, "en", "orders")
    assert said.text == "It is open at two p.m. Goodbye two p.m."


def test_values_may_come_by_their_dotted_names_or_in_mappings(make: Make) -> None:
    prompts = make()
    flat = {"order.number": "1", "order.city": "x", "order.at": date(2026, 1, 2)}
    nested = {"order": {"number": "1", "city": "x", "at": date(2026, 1, 2)}}
    assert prompts.utterance("state", flat, "en", "orders") == prompts.utterance(
        "state", nested, "en", "orders"
    )


def test_an_english_sentence_says_a_chinese_name_in_the_chinese_voice(make: Make, row_voice: Any) -> None:
    voice = row_voice()
    make(voice).utterance("state", {"order": ORDER}, "en", "orders")
    assert ("zh-CN", "成都") in voice.said


def test_what_was_said_is_not_rendered_again_also_after_a_restart(make: Make, row_voice: Any) -> None:
    first, second = row_voice(), row_voice()
    prompts = make(first)
    said = prompts.utterance("state", {"order": ORDER}, "en", "orders")
    prompts.utterance("state", {"order": ORDER}, "en", "orders")
    assert len(first.said) == len(set(said.clips))
    assert make(second).utterance("state", {"order": ORDER}, "en", "orders") == said
    assert second.said == []


def test_many_callers_who_want_a_clip_at_once_have_it_rendered_once(
    make: Make, row_voice: Any, clock: VirtualClock
) -> None:
    voice = row_voice(slow=0.05)
    prompts = make(voice)
    heard = []
    callers = [clock.spawn(lambda: heard.append(prompts.utterance("bye", language="en"))) for _ in range(20)]
    for caller in callers:
        caller.join()
    assert len({said.playback for said in heard}) == 1
    assert len(heard) == 20
    assert voice.said == [("en", "Goodbye")]
    assert clock.monotonic() == 0.0, "rendering is an outside job: the virtual clock stands still"


def test_a_caller_who_hangs_up_does_not_take_the_clip_from_another(
    make: Make, row_voice: Any, clock: VirtualClock
) -> None:
    prompts = make(row_voice(slow=0.05))
    heard: list[str] = []
    first = clock.spawn(prompts.utterance, "bye", None, "en")
    second = clock.spawn(lambda: heard.append(prompts.utterance("bye", language="en").playback))
    clock.sleep(0)
    first.kill()
    second.join()
    assert Path(heard[0]).exists()
    assert prompts.counts.rendered == 1


def test_a_voice_that_fails_leaves_a_tone_and_is_asked_again_next_time(make: Make, row_voice: Any) -> None:
    voice = row_voice(fails=True)
    prompts = make(voice)
    said = prompts.utterance("bye", language="en")
    assert Path(said.playback).exists()
    assert said.seconds > 0.1
    assert said.text == "Goodbye."
    assert prompts.counts.failed == 1
    voice.fails = False
    again = prompts.utterance("bye", language="en")
    assert again.playback != said.playback
    assert prompts.counts.failed == 1


@pytest.mark.parametrize(
    ("prompt", "language", "text"),
    [
        ("no_such_prompt", "en", "Trouble."),
        ("bye", "fr", "再见。"),
        ("{order", "en", "{order"),
        ("。", "zh-CN", "。"),
        ("Hello {name}", "en", "Hello unknown"),
    ],
)
def test_whatever_a_flow_asks_for_the_call_goes_on(make: Make, prompt: str, language: str, text: str) -> None:
    said = make().utterance(prompt, {}, language)
    assert said.text == text
    assert all(Path(clip).exists() for clip in said.clips)
    assert said.clips


def test_literal_text_speaks_the_flow_s_language(make: Make, row_voice: Any) -> None:
    voice = row_voice()
    said = make(voice).utterance("您好{name}！", {"name": "张\n三"}, "zh-CN")
    assert said.key == ""
    assert said.text == "您好张 三！"
    assert voice.said == [("zh-CN", "您好"), ("zh-CN", "张 三")]


def test_a_playback_is_described_as_what_was_said(make: Make) -> None:
    prompts = make(remembered=2)
    first = prompts.utterance("bye", language="en")
    second = prompts.utterance("bye", language="en", department="orders")
    assert prompts.describe(first.playback) is first
    prompts.utterance("position", {"position": 1}, "en")
    prompts.utterance("position", {"position": 2}, "en")
    assert prompts.describe(second.playback) is None
    assert prompts.describe("/etc/passwd") is None


def test_two_prompts_with_the_same_words_are_told_apart(make: Make) -> None:
    prompts = make()
    assert prompts.utterance("再见。").playback != prompts.utterance("bye").playback


def test_words_and_values_stay_out_of_the_repr(make: Make) -> None:
    said = make().utterance("state", {"order": ORDER}, "zh-CN", "orders")
    assert "80001234" not in repr(said)
    assert "幺" not in repr(said)


def test_a_value_never_reaches_the_name_of_a_file_nor_the_log(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    said = make().utterance("pay {amount:money}", {"amount": "S3CRET"}, "en")
    assert "S3CRET" not in said.playback
    assert "S3CRET" not in capsys.readouterr().out


def test_more_pieces_than_the_switch_takes_are_said_in_one(make: Make) -> None:
    text = " and ".join("{x:digits}" for _ in range(3))
    said = make().utterance(text, {"x": "1" * 50}, "en")
    assert len(said.clips) == 1


def test_the_longest_unused_clips_go_when_there_are_too_many_bytes(make: Make, tmp_path: Path) -> None:
    prompts = make(MuteVoice(), limit_bytes=70_000)
    kept = prompts.utterance("a kept text", language="en").playback
    others = [prompts.utterance(f"text number {number}", language="en").playback for number in range(3)]
    prompts.utterance("a kept text", language="en")
    others += [prompts.utterance(f"text number {number}", language="en").playback for number in range(3, 6)]
    assert [Path(path).exists() for path in (kept, *others)] == [True, False, False, False, True, True, True]
    assert sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*.wav")) <= 70_000
    assert prompts.counts.evicted > 0


def test_sounds_of_others_in_the_cache_s_folder_are_never_evicted(make: Make, tmp_path: Path) -> None:
    music = tmp_path / "cache/music/hold.wav"
    music.parent.mkdir(parents=True)
    music.write_bytes(bytes(100_000))
    prompts = make(MuteVoice(), limit_bytes=50_000)
    for number in range(5):
        prompts.utterance(f"text number {number}", language="en")
    assert music.exists()


def test_a_clip_that_somebody_deleted_is_made_again(make: Make) -> None:
    prompts = make()
    os.unlink(prompts.utterance("bye").playback)
    assert Path(prompts.utterance("bye").playback).exists()


def test_a_half_written_clip_of_an_engine_that_died_is_swept(make: Make, tmp_path: Path) -> None:
    part = tmp_path / "cache/en/bye-1.wav.77.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"RIFF")
    make()
    assert not part.exists()


def test_a_cache_that_can_t_be_written_does_not_stop_the_call(
    make: Make, tmp_path: Path, row_voice: Any
) -> None:
    prompts = make(row_voice())
    (tmp_path / "cache/en").write_text("a file where the folder should be")
    assert prompts.utterance("bye", language="en").seconds == 0.0
    assert prompts.counts.failed == 1


def test_warming_renders_every_word_of_the_catalogue_and_the_digits(make: Make, row_voice: Any) -> None:
    voice = row_voice()
    prompts = make(voice)
    warmed = prompts.warm()
    assert warmed.prompts == 10
    assert warmed.failed == warmed.cached == warmed.recorded == 0
    assert warmed.rendered == len(voice.said) > 50
    again = prompts.warm()
    assert (again.rendered, again.cached) == (0, warmed.rendered)
    voice.said.clear()
    prompts.utterance("state", {"order.number": "80001234567"}, "zh-CN", "orders")
    assert [text for _, text in voice.said] == ["未知"]


def test_warming_renders_texts_without_a_key_in_their_language(make: Make, row_voice: Any) -> None:
    voice = row_voice()
    prompts = make(voice)
    prompts.warm()
    voice.said.clear()
    assert (
        prompts.warm(
            ["en"], [("en", "We are moving."), ("zh-CN", "我们搬家了。"), ("de", "Wir ziehen um.")]
        ).rendered
        == 1
    )
    assert [text for _, text in voice.said] == ["We are moving"]
    prompts.utterance("We are moving.", {}, "en", "orders")
    assert len(voice.said) == 1


def test_a_folder_whose_path_the_switch_would_misread_is_refused(
    clock: VirtualClock, tmp_path: Path, catalogue: Catalogue
) -> None:
    for name in ("a!b", "a'b", "${x}", "a|b", "a@@1"):
        with pytest.raises(ConfigError):
            Prompts(catalogue, MuteVoice(), tmp_path / name, clock)
    Prompts(catalogue, MuteVoice(), tmp_path / "我的 prompts, all", clock).close()


def test_a_recording_is_played_in_place_of_the_rendered_words(
    tmp_path: Path, clock: VirtualClock, make: Make, row_voice: Any
) -> None:
    from engine.prompts import load_catalogue

    folder = tmp_path / "prompts/audio/en"
    folder.mkdir(parents=True)
    for name in ("bye", "position.2"):
        with wave.open(str(folder / f"{name}.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(16000))
    found, _ = load_catalogue(tmp_path / "prompts")
    voice = row_voice()
    prompts = make(voice)
    prompts.reload(found)
    assert prompts.utterance("bye", language="en").playback == str(folder / "bye.wav")
    said = prompts.utterance("position", {"position": 2}, "en")
    assert said.clips[2] == str(folder / "position.2.wav")
    assert [text for _, text in voice.said] == ["You are number", "two"]
    assert prompts.warm(["en"]).recorded == 2


def test_the_same_spec_has_the_same_file_and_another_voice_another(make: Make, row_voice: Any) -> None:
    a, b = make(row_voice()), make(MuteVoice())
    assert a.utterance("bye").playback != b.utterance("bye").playback
    assert Spec("value", "en", "x") == Spec("value", "en", "x", 0.0, 0.0)
