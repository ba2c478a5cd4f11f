"""Recordings: real WAV files (8 kHz, 16 bit) with a different tone for each who is heard.

Left is what the far end says, right what it hears, when ``RECORD_STEREO`` is set; else one mixed
channel. Nobody speaks here, so a tone stands for speech: 440 Hz for the far end in a talk, 620 Hz for
the other party, 350 Hz for what is played. While masked there is silence.

A recording keeps marks while it runs; the sound is joined from ready pieces of one second when it
stops. As on the switch it is shorter than the time it took: some 100 ms are lost at its start and
whenever a bridge begins or ends, so nothing in it can be found by the wall clock.
"""

from __future__ import annotations

import array
import math
import struct
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from engine.clock import Timer

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel

RATE = 8000
LOST = 0.1  # seconds that a change of media loses
LOST_BEFORE_A_CLIP = 0.06  # and the start of ``record``
FAR_END, OTHER_PARTY, PLAYED = 440, 620, 350  # Hz
_LOUD = 6000  # of 32767

log = structlog.get_logger(__name__)


@lru_cache(maxsize=32)
def _second(left: int, right: int, channels: int) -> bytes:
    """One second of sound: whole periods, so that seconds join without a click."""
    step = 2 * math.pi / RATE
    samples = array.array("h")
    for index in range(RATE):
        one = int(_LOUD * math.sin(step * left * index)) if left else 0
        two = int(_LOUD * math.sin(step * right * index)) if right else 0
        if channels == 2:
            samples.append(one)
            samples.append(two)
        else:
            samples.append((one + two) // 2)
    return samples.tobytes()


def header(channels: int, frames: int) -> bytes:
    """A WAV header for ``frames`` frames."""
    size = frames * channels * 2
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, channels, RATE, RATE * channels * 2, channels * 2, 16)
        + b"data"
        + struct.pack("<I", size)
    )


class Recording:
    """One file that is being recorded on a channel."""

    def __init__(self, channel: Channel, path: str, limit: int, *, dictated: bool = False) -> None:
        self.channel = channel
        self._dictated = dictated  # made by ``record``: one channel, whatever RECORD_STEREO says
        self._speaking = channel.party.speaking
        self.on_speech: Callable[[bool], None] | None = None
        self.path = path
        self.channels = 2 if channel.true("RECORD_STEREO") and not dictated else 1
        self.masked = False
        self._playing = 1 if channel.hears_playback else 0
        self._talking = channel.talks
        self._began = channel.clock.monotonic()
        self._since = self._began + (LOST_BEFORE_A_CLIP if dictated else LOST)
        self._stretches: list[tuple[float, int, int]] = []  # seconds, left Hz, right Hz
        self._timer: Timer | None = None
        if limit > 0:
            self._timer = channel.clock.after(float(limit), self.stop, "success-maxtime")
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(header(self.channels, 0))
        channel.fire("RECORD_START", {"Record-File-Path": path})

    def _mark(self, lost: float = 0.0) -> None:
        now = self.channel.clock.monotonic()
        seconds = now - self._since
        if seconds > 0:
            left = FAR_END if (self._talking or self._speaking) and not self.masked else 0
            right = 0 if self.masked else OTHER_PARTY if self._talking else PLAYED if self._playing else 0
            if self._dictated:
                right = 0  # only what comes from the far end
            self._stretches.append((seconds, left, right))
            self._since = now + lost
        elif lost:
            self._since = max(self._since, now + lost)

    def plays(self, playing: bool) -> None:
        """A sound begins or ends on the channel (they nest)."""
        self._mark()
        self._playing = max(0, self._playing + (1 if playing else -1))

    def talks(self, talking: bool) -> None:
        """A talk begins or ends on the channel."""
        self._mark(LOST)
        self._talking = talking

    def speaks(self, speaking: bool) -> None:
        """The far end begins or stops to speak, though there is no talk."""
        self._mark()
        self._speaking = speaking
        if self.on_speech is not None:
            self.on_speech(speaking)

    def mask(self, masked: bool) -> None:
        """Write silence from now on, or sound again."""
        self._mark()
        self.masked = masked

    def stop(self, cause: str = "") -> None:
        """Write the file and fire RECORD_STOP."""
        channel = self.channel
        if channel.recordings.get(self.path) is not self:
            return
        del channel.recordings[self.path]
        if self._timer is not None:
            self._timer.cancel()
        self._mark()
        frames = self._write(channel.switch.record_limit)
        total = sum(seconds for seconds, _, _ in self._stretches)
        samples = round(total * RATE)
        channel.set("record_samples", str(samples))
        channel.set("record_seconds", str(samples // RATE))
        channel.set("record_ms", str(samples * 1000 // RATE))
        log.debug("recording written", path=self.path, frames=frames)
        extra = {"Record-File-Path": self.path}
        if self._dictated:
            size = str(44 + frames * 2 * self.channels)
            channel.set("record_file_size", size)
            channel.set("record_record_file_size", size)
        else:
            cause = cause or ("success-silence" if channel.hangup_cause else "success-maxtime")
            channel.set("record_completion_cause", cause)
            extra["Record-Completion-Cause"] = cause
        channel.fire("RECORD_STOP", extra)

    def _write(self, limit: float | None) -> int:
        pieces: list[bytes] = []
        frames, phase, left_over = 0, 0, math.inf if limit is None else limit
        width = self.channels * 2
        for seconds, left, right in self._stretches:
            wanted = round(min(seconds, left_over) * RATE)
            left_over -= seconds
            source = _second(left, right, self.channels)
            frames += wanted
            while wanted > 0:
                take = min(wanted, RATE - phase)
                pieces.append(source[phase * width : (phase + take) * width])
                phase = (phase + take) % RATE
                wanted -= take
            if left_over <= 0:
                break
        try:
            with open(self.path, "wb") as file:
                file.write(header(self.channels, frames))
                file.writelines(pieces)
        except OSError as error:
            log.warning("recording not written", path=self.path, error=str(error))
        return frames


def start(channel: Channel, path: str, limit: int = 0) -> bool:
    """Record the channel into ``path`` (absolute). False when that file is already being recorded or can't be."""
    if path in channel.recordings:
        return True  # it just goes on
    if not path:
        return False
    try:
        channel.recordings[path] = Recording(channel, path, limit)
    except OSError as error:
        log.warning("recording not begun", path=path, error=str(error))
        return False
    return True


def mask(channel: Channel, path: str, masked: bool) -> bool:
    """Mask or unmask one recording. False when there is none of that path."""
    one = channel.recordings.get(path)
    if one is None:
        return False
    one.mask(masked)
    return True


def stop(channel: Channel, path: str) -> bool:
    """Stop one recording, or ``all``. False when there is none."""
    chosen = (
        list(channel.recordings.values())
        if path in ("", "all")
        else [one for one in [channel.recordings.get(path)] if one is not None]
    )
    for one in chosen:
        one.stop()
    return bool(chosen)
