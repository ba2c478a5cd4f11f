"""What a telephone hears of a prompt on a real FreeSWITCH: every clip, in order, and nothing cut between."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.clock import Clock
from engine.esl import commands as c
from engine.prompts import Prompts, find_voice, load_catalogue, load_say_as
from tests.contract.real import FreeSwitchRig
from tests.sip.sound import FRAME, pcm
from tests.switch.real import RealSwitch

pytestmark = pytest.mark.switch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def rig(real_switch: RealSwitch, tmp_path: Path) -> Iterator[FreeSwitchRig]:
    rig = FreeSwitchRig(real_switch, tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def prompts(tmp_path: Path) -> Iterator[Prompts]:
    """The shipped prompts, in the best voice of this machine, from a folder with a blank in its name."""
    catalogue, _ = load_catalogue(ROOT / "prompts")
    say_as, _ = load_say_as(ROOT / "prompts")
    prompts = Prompts(catalogue, find_voice(say_as), tmp_path / "the clips", Clock())
    yield prompts
    prompts.close()


def envelope(samples: array[int]) -> list[float]:
    """Loudness of each 20 ms."""
    return [
        math.sqrt(sum(value * value for value in samples[at : at + FRAME]) / FRAME)
        for at in range(0, len(samples) - FRAME + 1, FRAME)
    ]


def sounding(frames: list[float]) -> list[float]:
    """From the first frame with sound to the last one."""
    loud = [at for at, value in enumerate(frames) if value > 100]
    return frames[loud[0] : loud[-1] + 1] if loud else []


def likeness(one: list[float], other: list[float]) -> float:
    """The best correlation of two envelopes that may be a few frames apart: 1 is the same."""

    def at(shift: int) -> float:
        a, b = (one[shift:], other) if shift >= 0 else (one, other[-shift:])
        size = min(len(a), len(b))
        a, b = a[:size], b[:size]
        mean_a, mean_b = sum(a) / size, sum(b) / size
        top = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
        under = math.sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))
        return top / under if under else 0.0

    return max(at(shift) for shift in range(-5, 6))


@pytest.mark.parametrize(
    ("key", "values", "language"),
    [
        ("agent_greeting", {"agent": "8012"}, "zh-CN"),
        ("position_wait", {"position": 2, "wait": 180}, "en"),
        ("bye", {}, "zh-CN"),
    ],
)
def test_a_telephone_hears_all_clips_of_a_prompt_one_after_the_other(
    rig: FreeSwitchRig, prompts: Prompts, key: str, values: dict[str, object], language: str
) -> None:
    said = prompts.utterance(key, values, language)
    person, uuid = rig.arrive()
    rig.clock.sleep(0.2)
    person.call.sound.heard.clear()
    began = rig.clock.monotonic()
    rig.run(uuid, "playback", said.playback, timeout=said.seconds + 5)
    took = rig.clock.monotonic() - began
    rig.clock.sleep(0.2)
    heard = envelope(pcm(bytes(person.call.sound.heard)))
    made: list[float] = []
    for clip in said.clips:
        with wave.open(clip, "rb") as file:
            made += envelope(array("h", file.readframes(file.getnframes())))
    assert took == pytest.approx(said.seconds, abs=0.4)
    assert len(sounding(heard)) == pytest.approx(len(sounding(made)), abs=6)
    assert likeness(sounding(heard), sounding(made)) > 0.9


def test_a_prompt_of_many_clips_can_ask_for_digits(rig: FreeSwitchRig, prompts: Prompts) -> None:
    said = prompts.utterance("read_back", {"value": "80001234567"}, "zh-CN")
    person, uuid = rig.arrive()
    digits = c.Digits(minimum=1, maximum=1, first=2.0, prompt=said.playback)
    asked = rig.execute(uuid, "play_and_get_digits", digits.argument(), lock=True)
    rig.clock.sleep(0.5)
    person.press("1")
    assert rig.heard.done(asked, timeout=said.seconds + 5).var("il_digits") == "1"
