"""Music on hold with nothing to install: a slow, soft arpeggio, made once and kept as a WAV.

A company puts its own ``prompts/audio/music/<name>.wav`` in its place. The loop is seamless: every voice has
died away where it ends.
"""

from __future__ import annotations

import math
import os
import struct
import wave
from operator import add
from pathlib import Path

RATE = 8000
BEAT = 0.75  # seconds between two notes
DECAY = 1.6  # a note's loudness falls to 1/e in this many beats
LEVEL = 0.12  # of full scale: a queue is long, and a telephone is close to the ear

# Four broken chords (I vi IV V in F), semitones from A4 = 440 Hz.
_CHORDS = (
    (-16, -12, -9, -4, 0, -4, -9, -12),
    (-19, -16, -12, -7, -4, -7, -12, -16),
    (-23, -16, -11, -7, -4, -7, -11, -16),
    (-21, -14, -11, -9, -2, -9, -11, -14),
)


def hold_music(path: Path) -> Path:
    """The WAV at ``path`` (8 kHz, mono, 16 bit, about half a minute), made if it isn't there. CPU-bound: 0.1 s."""
    if path.exists():
        return path
    notes = [note for chord in _CHORDS for note in chord] + [None] * 4
    total = round(len(notes) * BEAT * RATE)
    samples = [0.0] * total
    length = round(BEAT * RATE * 4)
    fades = [
        min(1.0, i / 80) * math.exp(-i / (BEAT * RATE * DECAY)) * (1 - i / length) for i in range(length)
    ]
    tones: dict[int, list[float]] = {}  # half of the notes come twice
    for at, note in enumerate(notes):
        if note is None:
            continue
        if note not in tones:
            step = 2 * math.pi * 440.0 * 2 ** (note / 12) / RATE
            tones[note] = [
                fade * (math.sin(step * i) + 0.25 * math.sin(2 * step * i)) for i, fade in enumerate(fades)
            ]
        begin = round(at * BEAT * RATE)
        end = min(begin + length, total)
        samples[begin:end] = map(add, samples[begin:end], tones[note])
    peak = max(map(abs, samples)) or 1.0
    scale = 32767 * LEVEL / peak * 2
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with wave.open(str(part), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(struct.pack(f"<{total}h", *(round(s * scale) for s in samples)))
    os.replace(part, path)
    return path
