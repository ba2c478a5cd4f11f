"""What is in a recording: how long it is, and how loud each side is."""

from __future__ import annotations

import array
import math
import sys
import wave
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 8000  # frames read at a time


@dataclass(frozen=True, slots=True)
class Sound:
    """A WAV: ``levels`` has the loudness of each channel as RMS of full scale (0.0 to 1.0)."""

    seconds: float
    rate: int
    levels: tuple[float, ...]


def measure(path: Path) -> Sound:
    """Read a 16-bit PCM WAV. ValueError for another file; OSError when it can't be read. CPU-bound: off the hub."""
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise ValueError(f"{path.name}: not 16 bits")
            channels, rate, total = file.getnchannels(), file.getframerate(), 0
            sums = [0.0] * channels
            while data := file.readframes(_CHUNK):
                samples = array.array("h", data)
                if sys.byteorder == "big":
                    samples.byteswap()
                total += len(samples) // channels
                for channel in range(channels):
                    sums[channel] += sum(sample * sample for sample in samples[channel::channels])
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path.name}: no WAV ({error})") from None
    levels = tuple(math.sqrt(each / total) / 32768 if total else 0.0 for each in sums)
    return Sound(total / rate if rate else 0.0, rate, levels)


def seconds_of(path: Path) -> float:
    """How long a WAV plays, from its size: cheap, and right also for one whose header was never finished."""
    with wave.open(str(path), "rb") as file:
        frame = file.getsampwidth() * file.getnchannels()
        declared = file.getnframes()
        rate = file.getframerate()
    on_disk = max(0, path.stat().st_size - 44) // frame if frame else 0
    return (min(declared, on_disk) if declared else on_disk) / rate if rate else 0.0
