"""A book of recordings over a store of its own, and WAVs with known sound in them."""

from __future__ import annotations

import array
import math
import struct
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.clock import VirtualClock
from engine.config import Recording
from engine.recording.book import Book
from engine.store import Store

RATE = 8000


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()  # 2026-11-23 01:00 UTC, 09:00 in Shanghai
    yield clock
    clock.close()


@pytest.fixture
def store(tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr("engine.store.engines.BUSY_SECONDS", 0.02)
    store = Store(f"sqlite:///{tmp_path}/il.db", clock, tmp_path)
    store.open()
    yield store
    store.close()


@pytest.fixture
def settings() -> Recording:
    return Recording.model_validate(
        {
            "folder": "recordings",
            "policies": {
                "service": {"keep": "180d"},
                "training": {"share": "20%", "keep": "30d"},
            },
        }
    )


@pytest.fixture
def book(store: Store, clock: VirtualClock, tmp_path: Path, settings: Recording) -> Iterator[Book]:
    book = Book(store, clock, tmp_path / "recordings", settings)
    yield book
    book.close()


def _tone(seconds: float, level: float = 0.5, hertz: float = 440.0) -> list[int]:
    """Samples of a tone; ``level`` 1 is the loudest."""
    return [int(32767 * level * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(int(seconds * RATE))]


def _write_wav(file: Path | str, left: list[int], right: list[int]) -> None:
    """A stereo WAV as a switch leaves it."""
    samples = array.array("h", [sample for pair in zip(left, right, strict=True) for sample in pair])
    with wave.open(str(file), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())


@pytest.fixture
def tone() -> Callable[..., list[int]]:
    return _tone


@pytest.fixture
def silence() -> Callable[[float], list[int]]:
    return lambda seconds: [0] * int(seconds * RATE)


@pytest.fixture
def write_wav() -> Callable[..., None]:
    return _write_wav


@pytest.fixture
def unfinished() -> Callable[[Path], None]:
    """Make the header of a WAV what it is while the switch still writes, or when it died."""

    def spoil(file: Path) -> None:
        data = bytearray(file.read_bytes())
        data[4:8] = struct.pack("<I", 0)
        data[40:44] = struct.pack("<I", 0xFFFFFFFF)
        file.write_bytes(bytes(data))

    return spoil
