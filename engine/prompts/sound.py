"""Sound as plain samples: resample to the phone's rate, trim, pad, and write a WAV.

Everything works on ``array('h')`` of mono 16-bit samples. Telephony wants 8,000 Hz: a file at another rate is
resampled by the switch again for each call that plays it.

A second of speech takes some 30 ms of Python to resample, in which nothing else of the engine could run. So this file
is a program too, which needs nothing but the standard library and starts in 40 ms: ``sound.py PROGRAM ARGUMENTS…`` runs
a program that writes a WAV, in a process of its own, below the engine's priority, and writes the samples
(native order, without the silence at both ends).
"""

from __future__ import annotations

import io
import math
import struct
import sys
import wave
from array import array
from functools import lru_cache
from operator import mul
from typing import Final

RATE: Final = 8000  # samples per second of all rendered clips
FRAME: Final = RATE // 50  # the switch plays frames of 20 ms; a clip that fills its last one leaves no gap
_TAPS: Final = 48
_QUIET: Final = 180  # amplitudes below this count as silence when a clip is trimmed


def read_wav(data: bytes) -> tuple[int, array[int]]:
    """Rate and samples of a mono 16-bit WAV. Its lengths are not believed: a program that writes to a pipe
    can't know them (espeak-ng says 2 GiB). ``ValueError`` when it is no such WAV."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("no WAV")
    at, rate = 12, 0
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if kind == b"fmt ":
            coding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, at + 8)
            if (coding, channels, bits) != (1, 1, 16):
                raise ValueError(
                    f"a WAV of {channels} x {bits} bits, coding {coding}; mono 16-bit PCM is wanted"
                )
        elif kind == b"data":
            if not rate:
                break
            body = data[at + 8 : at + 8 + size]
            samples = array("h", body[: len(body) // 2 * 2])
            if sys.byteorder == "big":
                samples.byteswap()
            return rate, samples
        at += 8 + size + size % 2
    raise ValueError("a WAV without sound")


def resample(samples: array[int], rate: int) -> array[int]:
    """``samples`` at ``RATE``, low-passed below 3.6 kHz where they were faster."""
    if rate == RATE:
        return samples
    step, banks = _banks(rate)
    up = len(banks)
    padded = [0] * (_TAPS // 2 - 1) + samples.tolist() + [0] * _TAPS
    length = len(samples) * up // step
    out = array("h", bytes(2 * length))
    at = phase = 0
    for index in range(length):
        value = sum(map(mul, banks[phase], padded[at : at + _TAPS]))
        out[index] = max(-32768, min(32767, round(value)))
        phase += step
        at += phase // up
        phase %= up
    return out


def trim(samples: array[int], keep: float = 0.015) -> array[int]:
    """``samples`` without the silence at both ends, but for ``keep`` seconds of it."""
    first = next((at for at, value in enumerate(samples) if abs(value) > _QUIET), None)
    if first is None:
        return array("h")
    last = next(at for at in range(len(samples) - 1, -1, -1) if abs(samples[at]) > _QUIET)
    margin = int(keep * RATE)
    return samples[max(0, first - margin) : last + 1 + margin]


def silence(seconds: float) -> array[int]:
    return array("h", bytes(2 * int(seconds * RATE)))


def tone(seconds: float, hertz: int = 400, amplitude: int = 600) -> array[int]:
    """A soft tone (400 Hz at about -35 dBFS)."""
    period = RATE // hertz
    wave_ = [round(amplitude * math.sin(2 * math.pi * at / period)) for at in range(period)]
    return array("h", wave_ * max(1, int(seconds * hertz)))


def write_wav(samples: array[int]) -> bytes:
    """``samples`` as a WAV of whole frames."""
    samples = samples + array("h", bytes(2 * (-len(samples) % FRAME)))
    if sys.byteorder == "big":
        samples.byteswap()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return file.getvalue()


@lru_cache(maxsize=4)
def _banks(rate: int) -> tuple[int, list[list[float]]]:
    """A polyphase low-pass filter from ``rate`` to ``RATE``: the step, and the taps of each phase."""
    common = math.gcd(rate, RATE)
    up, step = RATE // common, rate // common
    cut = min(0.45 * RATE, 0.45 * rate) / rate
    banks = []
    for phase in range(up):
        taps = []
        for tap in range(_TAPS):
            x = tap - (_TAPS // 2 - 1) - phase / up
            ideal = 2 * cut if x == 0 else math.sin(2 * math.pi * cut * x) / (math.pi * x)
            window = 0.54 + 0.46 * math.cos(math.pi * x / (_TAPS / 2)) if abs(x) <= _TAPS / 2 else 0.0
            taps.append(ideal * window)
        whole = sum(taps)
        banks.append([value / whole for value in taps])
    return step, banks


NICE: Final = 5  # a caller may be waiting for it, but not as urgently as all others for the engine


def main(command: list[str]) -> None:
    """Run ``command`` on our standard input, and write what it says."""
    import os
    import subprocess

    os.nice(NICE)
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if said.returncode:
        raise SystemExit(f"{command[0]} ended with {said.returncode}")
    rate, samples = read_wav(said.stdout)
    sys.stdout.buffer.write(trim(resample(samples, rate)).tobytes())


if __name__ == "__main__":
    main(sys.argv[1:])
