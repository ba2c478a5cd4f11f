"""What a caller at the terminal sees: the time, the words, the keys; and how long a key is still waited for."""

from __future__ import annotations

import shutil
import sys
from datetime import datetime
from math import ceil
from typing import Any

import click

from engine.cli.show import length, moment
from engine.clock import Clock

_MARGIN = " " * len("08:30:00  ")
_FRACTION = 0.1  # seconds between two looks at the countdown
_BACK = "\r\x1b[K"  # to the beginning of the line, and wipe it


class Screen:
    """The call, line by line. On a terminal in colours and with a countdown; elsewhere as plain lines."""

    def __init__(self, *, steps: bool) -> None:
        self.music = False  # the last thing heard was music
        self._terminal = sys.stdout.isatty()
        self._clock = Clock()
        self._steps = steps
        self._step = ""
        self._language = ""
        self._began = ""
        self._typing = False  # keys stand on a line that is not ended yet
        self._due = 0.0  # when the wait for a key is over; 0: none is waited for
        self._patience = 0.0  # how long that wait is, in all
        self._counted = ""  # the countdown that stands on the last line

    def header(self, number: str, caller: str, *, keys: bool) -> None:
        """Who calls whom, and what can be pressed."""
        who = f"{number}{f' from {caller}' if caller else ''}"
        click.echo(f"calling {click.style(who, bold=True)}")
        if keys:
            self.note("0-9 * # are pressed as you type   ? where you are   h or Ctrl-D hangs up")

    def note(self, text: str) -> None:
        """Something that is no part of the call."""
        self._new_line()
        click.echo(click.style(_MARGIN + text, dim=True))

    def show(self, event: dict[str, Any]) -> None:
        """Something that happened."""
        kind, text, at = event["kind"], event["text"], moment(event["at"])
        self._began = self._began or event["at"]
        again = self.music and kind == "music"  # it begins anew at its end: nothing that people would notice
        if kind in ("said", "music"):
            self.music = kind == "music"
        if kind in ("said", "music", "state", "ended"):
            self._no_key()
        if kind == "ended":
            self._say(
                at,
                f"-- the call is over ({text}) after {length(_seconds(self._began, event['at']))}",
                bold=True,
            )
        elif kind == "said":
            language = event.get("language", "")
            if language and self._language and language != self._language:
                self._say(at, f"-- now in {language}", fg="yellow")
            self._language = language or self._language
            self._say(at, text)
        elif kind == "music" and not again:
            self._say(at, f"~ {text} ~", fg="cyan")
        elif kind == "state":
            self._say(at, f"-- {text}", fg="yellow")
        elif kind == "step":
            self._step = text
            if self._steps:
                self._say(at, f". {text}", dim=True)
        elif kind == "silence" and not self._typing:  # between keys nobody wants to be counted at
            self._patience = float(event["seconds"])
            self._due = self._clock.monotonic() + self._patience
            self.tick()

    def tell_steps(self) -> None:
        """Where the call is now; and from now on each step. Asked again: no longer."""
        self._steps = not self._steps
        self.note(f". {self._step or 'nowhere yet'}" if self._steps else ". steps are no longer shown")

    def pressed(self, keys: str) -> None:
        """Show keys; those typed one after the other on one line."""
        self._due = 0.0
        self._wipe()
        click.echo(
            click.style(keys if self._typing else f"{_MARGIN}> {keys}", fg="green", bold=True), nl=False
        )
        sys.stdout.flush()
        self._typing = True

    def tick(self) -> float:
        """Draw the countdown anew; in how many seconds that wants to be done again."""
        if not self._terminal or not self._due:
            return _FRACTION
        left = ceil(self._due - self._clock.monotonic())
        if left > 0:
            self._count(f"{_MARGIN}… {left} s for a key")
        return _FRACTION

    def _no_key(self) -> None:
        """The wait for a key is over, and none came: what was counted stays, as a silence."""
        if self._due and self._due - self._clock.monotonic() < 1.0:
            self._new_line()
            self._wipe()
            click.echo(click.style(f"{_MARGIN}… {self._patience:g} s of silence", dim=True))
        self._due = 0.0

    def _count(self, text: str) -> None:
        if text != self._counted:
            self._new_line()
            sys.stdout.write(_BACK + click.style(text, dim=True))
            sys.stdout.flush()
            self._counted = text

    def _wipe(self) -> None:
        if self._counted:
            sys.stdout.write(_BACK)
            self._counted = ""

    def _new_line(self) -> None:
        if self._typing:
            click.echo()
            self._typing = False

    def _say(self, at: str, text: str, **style: Any) -> None:
        self._wipe()
        self._new_line()
        for number, line in enumerate(_wrapped(text, _room())):
            click.echo((_MARGIN if number else click.style(f"{at}  ", dim=True)) + click.style(line, **style))


def _room() -> int:
    """Columns beside the time; without a terminal nothing is broken."""
    if not sys.stdout.isatty():
        return 1 << 16
    return max(20, shutil.get_terminal_size().columns - len(_MARGIN))


def _wrapped(text: str, room: int) -> list[str]:
    from rich.console import Console
    from rich.text import Text

    return [line.plain.rstrip() for line in Text(text).wrap(Console(width=room), room)] or [""]


def _seconds(began: str, ended: str) -> float:
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
