"""What a WAV really holds, also one that is still being written or whose writer died.

The header of such a file says 0 (or -1) bytes of sound; the truth is the length of the file. Only PCM of 16 bit
is read, which is what switches record. Sources: Microsoft's RIFF and WAVE description; wave.h of FreeSWITCH's
libsndfile for headers that are brought up to date only at the end.
"""

from __future__ import annotations

import array
import math
import os
import struct
import sys
from dataclasses import dataclass
from operator import mul
from typing import BinaryIO

from engine.errors import NotFound

SILENCE_DBFS = -50.0  # a stretch below this is silence
_CHUNK = 0.02  # seconds of one look
_FLOOR = -96.0  # dBFS of nothing at all, in 16 bit


@dataclass(frozen=True, slots=True)
class Header:
    """Where the sound is in a file, and what it is."""

    rate: int
    channels: int
    offset: int  # bytes before the sound
    length: int  # bytes of sound, whole frames only

    @property
    def seconds(self) -> float:
        return self.length / (2 * self.channels * self.rate)


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a recording. Levels are dBFS: 0 is the loudest that there is, -96 nothing at all."""

    rms: float
    peak: float
    heard: float  # seconds in which there is sound
    first: float | None  # seconds from the start to the first sound; None: silent throughout
    last: float | None  # … and to the end of the last one


@dataclass(frozen=True, slots=True)
class Sound:
    """A measured recording; channel 0 is the caller, channel 1 the other party."""

    seconds: float
    rate: int
    channels: tuple[Channel, ...]


def read_header(file: BinaryIO) -> Header:
    """The header of an open WAV; :class:`NotFound` when it is none that we can read."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] not in (b"RIFF", b"RIFX") or head[8:] != b"WAVE" or head[:4] == b"RIFX":
        raise NotFound("this is no WAV file")
    rate = channels = 0
    place = 12
    while place + 8 <= size:
        file.seek(place)
        name, length = struct.unpack("<4sI", file.read(8))
        place += 8
        if name == b"fmt ":
            form = file.read(16)
            if length < 16 or len(form) < 16:
                break
            kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form)
            if kind not in (1, 0xFFFE) or bits != 16 or not channels or not rate:
                raise NotFound("this WAV file is not PCM of 16 bit")
        elif name == b"data" and rate:
            rest = size - place
            # 0 or -1: it is still being written, or its writer died.
            length = min(length, rest) if 0 < length < 0xFFFFFFF0 else rest
            return Header(rate, channels, place, length - length % (2 * channels))
        place += length + (length & 1)
    raise NotFound("this WAV file holds no sound")


def measure(file: BinaryIO, silence: float = SILENCE_DBFS) -> Sound:
    """How long, how loud and when, for each channel. Reads the whole file: call it in a thread."""
    header = read_header(file)
    file.seek(header.offset)
    meters = [_Meter() for _ in range(header.channels)]
    frames = max(1, round(header.rate * _CHUNK))
    block = frames * header.channels * 2
    left = header.length
    threshold = 32768 * 10 ** (silence / 20)
    while left > 0:
        data = file.read(min(block * 500, left))
        if not data:
            break
        left -= len(data)
        samples = array.array("h", data[: len(data) - len(data) % 2])
        if sys.byteorder == "big":
            samples.byteswap()
        for number, meter in enumerate(meters):
            meter.take(samples[number :: header.channels], frames, threshold)
    return Sound(header.seconds, header.rate, tuple(meter.result(header.rate) for meter in meters))


class _Meter:
    __slots__ = ("first", "heard", "last", "peak", "squares", "taken")

    def __init__(self) -> None:
        self.squares = 0
        self.peak = 0
        self.taken = 0
        self.heard = 0
        self.first = -1
        self.last = -1

    def take(self, samples: array.array[int], frames: int, threshold: float) -> None:
        for start in range(0, len(samples), frames):
            part = samples[start : start + frames]
            squares = sum(map(mul, part, part))
            self.squares += squares
            self.peak = max(self.peak, max(part), -min(part))
            if squares >= threshold * threshold * len(part):
                self.heard += len(part)
                if self.first < 0:
                    self.first = self.taken
                self.last = self.taken + len(part)
            self.taken += len(part)

    def result(self, rate: int) -> Channel:
        rms = math.sqrt(self.squares / self.taken) if self.taken else 0.0
        return Channel(
            rms=_dbfs(rms),
            peak=_dbfs(self.peak),
            heard=self.heard / rate,
            first=self.first / rate if self.first >= 0 else None,
            last=self.last / rate if self.last >= 0 else None,
        )


def _dbfs(level: float) -> float:
    return max(_FLOOR, round(20 * math.log10(level / 32768), 1)) if level > 0 else _FLOOR
