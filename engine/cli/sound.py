"""Sound on this machine, where it can make any."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import click

from engine.cli.failing import Failed
from engine.cli.show import length
from engine.clock import Clock

# Each with the arguments that keep it from talking.
_PLAYERS = (("aplay", "-q"), ("play", "-q"), ("afplay",))


def player() -> tuple[str, ...] | None:
    """The program that plays a file here (``aplay``, sox's ``play``, ``afplay``); None without one or a device."""
    if not has_sound():
        return None
    return next((one for one in _PLAYERS if shutil.which(one[0])), None)


def has_sound() -> bool:
    """Whether this machine can make a sound: a card of its own, or a sound server of this session."""
    if shutil.which("afplay"):
        return True
    try:
        cards = Path("/proc/asound/cards").read_text(encoding="ascii", errors="replace")
    except OSError:
        cards = ""
    if cards.strip() and "no soundcards" not in cards:
        return True
    server = Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")) / "pulse" / "native"
    return "PULSE_SERVER" in os.environ or server.is_socket()


def play_file(what: str, file: Path, seconds: float) -> None:
    """Play a file and wait for its end, or say where it is on a machine without a sound device. ``what`` is what people
    call it: ``message 7``. Raises Failed."""
    if not file.is_file():
        raise Failed(f"the file of {what} is not there: {file}")
    program = player()
    if program is None:
        click.echo(f"no sound device here; the {what.partition(' ')[0]} ({length(seconds)}) is {file}")
        return
    click.echo(f"{file} ({length(seconds)}); Ctrl-C stops")
    try:
        done = subprocess.run([*program, str(file)], check=False)
    except KeyboardInterrupt:
        return
    if done.returncode:
        raise Failed(f"{program[0]} could not play {file} (it ended with {done.returncode})")


class Speaker:
    """Plays one thing at a time; the next one, or :meth:`hush`, ends it."""

    def __init__(self, clock: Clock, program: tuple[str, ...]) -> None:
        self._clock = clock
        self._program = program
        self._turn = 0
        self._process: subprocess.Popen[bytes] | None = None

    def play(self, clips: Sequence[str]) -> None:
        """Play the files one after the other; returns at once."""
        self.hush()
        self._clock.spawn(self._play, self._turn, tuple(clips))

    def hush(self) -> None:
        """Silence."""
        self._turn += 1
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def _play(self, turn: int, clips: tuple[str, ...]) -> None:
        for clip in clips:
            if turn != self._turn:
                return
            self._process = subprocess.Popen(
                [*self._program, clip],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self._process.wait()
