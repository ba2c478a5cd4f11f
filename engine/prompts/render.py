"""Voices: what turns words into sound.

``find_voice`` takes espeak-ng where it is installed and a voice without words where it is not, so that an engine
without speech still leads calls: each prompt is then a soft tone of about the length of its text.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from engine.prompts import sound
from engine.prompts.sound import RATE, tone
from engine.prompts.tool import ToolFailed, run_tool

LIMIT: Final = (
    20.0  # seconds that a render may take; it takes about 0.1, and a long text on a busy machine more
)
_MOST: Final = RATE * 2 * 180  # bytes: three minutes of sound


class Voice(Protocol):
    """Something that can say a text."""

    @property
    def name(self) -> str:
        """What its sound depends on besides text and language; part of the cache's key."""

    @property
    def quick(self) -> bool:
        """Rendering takes no time worth leaving the hub for."""

    def speaks(self, language: str) -> bool:
        """Whether it has words in ``language``."""

    def samples(self, text: str, language: str) -> array[int]:
        """``text`` as mono samples at ``sound.RATE``. May block (a pool thread calls it); any ``Exception`` means
        that it can't be said now."""


@dataclass(frozen=True)
class MuteVoice:
    """A tone as long as the text would take: for machines without speech, and for tests."""

    name: str = "tone-1"
    quick: bool = True

    def speaks(self, language: str) -> bool:
        return False

    def samples(self, text: str, language: str) -> array[int]:
        return tone(duration_of(text))


def duration_of(text: str) -> float:
    """About how many seconds it takes to say ``text``: 4.5 Chinese characters a second, or 15 Latin letters."""
    seconds = 0.0
    for sign in text:
        if unicodedata.east_asian_width(sign) in "WF":
            seconds += 0.22 if sign.isalnum() else 0.3
        else:
            seconds += 0.22 if sign.isdigit() else 0.065
    return max(0.1, min(seconds, 180.0))


@dataclass(frozen=True)
class EspeakVoice:
    """espeak-ng as a program of its own, told the text on its standard input.

    Its voice ``cmn`` can't be used: since version 1.51 it reads the tone numbers of its own pinyin as English
    words. ``cmn-latn-pinyin`` says them as tones; Latin words in a Chinese text are then read as pinyin, which is
    also how ``say_as`` mends characters with two readings (重新: chong2 xin1).
    """

    program: str  # absolute path
    version: str
    voices: Mapping[str, str]  # language -> espeak-ng's name of the voice
    say_as: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # language -> written -> pronounced
    limit: float = LIMIT
    quick: bool = False

    @property
    def name(self) -> str:
        return f"espeak-ng {self.version} {sorted(self.voices.items())} {sorted(_PACE.items())} {_LOUDNESS}"

    def speaks(self, language: str) -> bool:
        return language in self.voices

    def samples(self, text: str, language: str) -> array[int]:
        if language not in self.voices:
            raise ToolFailed(f"espeak-ng has no voice for {language}")
        said = run_tool(
            [
                *(sys.executable, "-E", "-s", "-S", sound.__file__),
                self.program,
                *("-v", self.voices[language]),
                *("-s", str(_PACE.get(language, 165))),
                *("-a", _LOUDNESS),
                *("-b", "1", "--stdin", "--stdout"),
            ],
            self.pronounced(text, language).encode(),
            limit=self.limit,
            most=_MOST,
            name="espeak-ng",
        )
        samples = array("h", said)
        if not samples:
            raise ToolFailed("espeak-ng gave silence")
        return samples

    def pronounced(self, text: str, language: str) -> str:
        """``text`` as espeak-ng is told it: without its phoneme brackets, and with the readings of ``say_as``."""
        text = text.replace("[[", " ").replace("]]", " ")
        words = self.say_as.get(language)
        if words:
            known = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
            # Behind 第 and 十 a 一 keeps its own tone: 第一位, 二十一元.
            text = re.sub(f"(?<![第十])(?:{known})", lambda found: f" {words[found.group()]} ", text)
        return text


_LOUDNESS: Final = (
    "75"  # of its 100: speech at about -23 dBFS, whose peaks the low-pass can't push over full scale
)
_PACE: Final = {"zh-CN": 180, "en": 160}  # espeak-ng's words per minute
_WANTED: Final = {"zh-CN": ("cmn-latn-pinyin", "cmn"), "en": ("en-us", "en")}


def find_voice(say_as: Mapping[str, Mapping[str, str]] | None = None, *, program: str = "espeak-ng") -> Voice:
    """espeak-ng with its voices for our languages, or :class:`MuteVoice`. Blocks for some 30 ms; call it once,
    at start, in a pool thread."""
    path = shutil.which(program)
    if path is None:
        return MuteVoice()
    path = os.path.abspath(path)
    try:
        version = run_tool([path, "--version"], b"", limit=LIMIT, most=1 << 16).decode(errors="replace")
        listed = run_tool([path, "--voices"], b"", limit=LIMIT, most=1 << 20).decode(errors="replace")
    except ToolFailed:
        return MuteVoice()
    there = {line.split()[1] for line in listed.splitlines()[1:] if len(line.split()) > 1}
    voices = {
        language: next(name for name in names if name in there)
        for language, names in _WANTED.items()
        if there.intersection(names)
    }
    number = re.search(r"\d+(?:\.\d+)+", version)
    return (
        EspeakVoice(path, number.group() if number else "0", voices, say_as or {}) if voices else MuteVoice()
    )


@dataclass(frozen=True)
class VoicesState:
    """What ``doctor`` tells about speech."""

    voice: str  # "espeak-ng 1.51", "none"
    languages: Mapping[str, str]  # language -> voice that speaks it; "" when nobody does
    rate: int = RATE

    @property
    def ok(self) -> bool:
        return all(self.languages.values())

    @property
    def line(self) -> str:
        """One line for people."""
        if not any(self.languages.values()):
            return "no speech: prompts without a recording are soft tones (install espeak-ng)"
        silent = [language for language, voice in self.languages.items() if not voice]
        spoken = ", ".join(f"{language} ({voice})" for language, voice in self.languages.items() if voice)
        return f"{self.voice}: {spoken}" + (f"; no voice for {', '.join(silent)}" if silent else "")


def voices_state(voice: Voice, languages: tuple[str, ...] = ("zh-CN", "en")) -> VoicesState:
    """Which of ``languages`` the machine can speak."""
    if isinstance(voice, EspeakVoice):
        return VoicesState(
            f"espeak-ng {voice.version}", {each: voice.voices.get(each, "") for each in languages}
        )
    spoken = {each: voice.name if voice.speaks(each) else "" for each in languages}
    return VoicesState(voice.name if any(spoken.values()) else "none", spoken)
