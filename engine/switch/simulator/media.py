"""What a playback argument is, and how long it sounds: files, file strings, tones, silence, streams.

Only lengths matter here. A file's length is read from its WAV header (or guessed from its size at
8 kHz, 16 bit for raw formats); nothing is decoded.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ENDLESS = float("inf")
LEAD_IN = 0.25  # seconds of silence that the switch puts before the first file of a file string
_HEAD = 4096  # bytes that hold the chunks before the sound

_TONE = re.compile(r"%\(\s*([\d.]+)\s*,\s*([\d.]+)\s*,[^)]*\)")
_LOOPS = re.compile(r"(?:loops|L|l)=(-?\d+)")
STREAMS = frozenset({"music", "moh", "default"})  # "music" is the shipped one


@dataclass(frozen=True, slots=True)
class Sound:
    """Something that can be played: ``seconds`` of it (ENDLESS when it ends only by a break)."""

    path: str
    seconds: float
    kind: str = ""  # "local_stream" or "tone_stream", as PLAYBACK_* events name the type


def resolve(path: str) -> Sound | None:
    """What ``path`` plays; None when there is no such file or stream."""
    bare = path
    while bare.startswith("{") and "}" in bare:  # {option=value}file
        bare = bare[bare.index("}") + 1 :].lstrip()
    if bare.startswith("file_string://"):
        return _file_string(path, bare.removeprefix("file_string://"))
    if bare.startswith("silence_stream://"):
        number = bare.removeprefix("silence_stream://").split(",")[0]
        ms = integer(number)
        return Sound(path, ENDLESS if ms <= 0 else ms / 1000)
    if bare.startswith("tone_stream://"):
        return _tone(path, bare.removeprefix("tone_stream://"))
    if bare.startswith("local_stream://"):
        name = bare.removeprefix("local_stream://")
        return Sound(path, ENDLESS, "local_stream") if name in STREAMS else None
    if "://" in bare:
        return None
    seconds = file_seconds(bare)
    return None if seconds is None else Sound(path, seconds)


def file_seconds(path: str) -> float | None:
    """The length of a sound file; None when it can't be opened."""
    try:
        stat = Path(path).stat()
    except (OSError, ValueError):
        return None
    return _file_seconds(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=4096)
def _file_seconds(path: str, size: int, _mtime: int) -> float | None:
    if path.endswith((".raw", ".r8", ".sln")):
        return size / 16000
    if path.endswith((".ulaw", ".alaw", ".PCMU", ".PCMA")):
        return size / 8000
    try:
        with open(path, "rb") as file:
            return _riff_seconds(file.read(_HEAD), size)
    except OSError:
        return None


def _riff_seconds(head: bytes, size: int) -> float | None:
    """Any kind of WAV: its data divided by its bytes in a second."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    place, rate = 12, 0
    while place + 8 <= len(head):
        name, length = head[place : place + 4], struct.unpack("<I", head[place + 4 : place + 8])[0]
        if name == b"fmt ":
            rate = struct.unpack("<I", head[place + 16 : place + 20])[0]
        elif name == b"data":
            return min(length, size - place - 8) / rate if rate else None
        place += 8 + length + length % 2
    return None


def _file_string(path: str, names: str) -> Sound | None:
    """Files joined by ``!``. The switch skips what it can't open; with none left nothing opens."""
    total, found = 0.0, False
    for name in names.split("!"):
        sound = resolve(name)
        if sound is not None:
            found = True
            total += sound.seconds
    return Sound(path, total + LEAD_IN) if found else None


def _tone(path: str, spec: str) -> Sound:
    """Teletone: ``%(on ms,off ms,Hz…)`` any number of times, ``loops=n`` (-1: for ever)."""
    loops = 1
    found = _LOOPS.search(spec)
    if found:
        loops = int(found.group(1))
    once = sum(float(on) + float(off) for on, off in _TONE.findall(spec)) / 1000
    return Sound(path, ENDLESS if loops < 0 else once * max(1, loops), "tone_stream")


def integer(text: str) -> int:
    """The number a text begins with, as C reads one; 0 when there is none."""
    found = re.match(r"\s*(-?\d+)", text)
    return int(found.group(1)) if found else 0
