"""``insideline dial``: a person at the terminal is the caller on the simulator."""

from __future__ import annotations

import os
import select
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from engine.cli.client import Engine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import length, moment
from engine.clock import Clock

_KEYS = frozenset("0123456789*#")
_MARGIN = " " * len("08:30:00  ")
_ENDING = 5  # polls after hanging up, until the engine must have noticed


@click.command()
@click.argument("number")
@click.option("--from", "caller", default="", metavar="NUMBER", help="The number that you call from.")
@click.option("--steps", is_flag=True, help="Show each step of the flow.")
@home_option
def dial(number: str, caller: str, steps: bool) -> None:
    """Be the caller: prompts are shown as text, the keys that you type are pressed, Ctrl-C hangs up.

    The engine must run on the simulator (`insideline run`, in another terminal). From a pipe each line is
    pressed when the next prompt begins.
    """
    place = home()
    with Engine(place) as engine:
        begun: dict[str, str] = engine.post("/dials", number=number, **({"from": caller} if caller else {}))
        terminal = sys.stdin.isatty()
        how = "; 0-9 * # are pressed as you type, Ctrl-C hangs up" if terminal else ""
        click.echo(f"calling {number}{f' from {caller}' if caller else ''}{how}")
        call = _Call(engine, begun["id"], steps=steps)
        # A connection of its own: the other one waits in a poll.
        with Engine(place) as presser, _keys_as_typed(terminal):
            typing = call.clock.spawn(_press_typed if terminal else _press_lines, call, presser)
            try:
                call.follow()
            finally:
                typing.kill()


class _Call:
    """What the person hears, as lines on the terminal."""

    def __init__(self, engine: Engine, id: str, *, steps: bool) -> None:
        self.clock = Clock()
        self.id = id
        self.asked = self.clock.event()  # a prompt began since the last keys
        self._engine = engine
        self._steps = steps
        self._seen = 0
        self._began = ""
        self._music = False  # the last thing heard was music
        self._typing = False  # keys stand on a line that is not ended yet

    def follow(self) -> None:
        """Show the call until its end; Ctrl-C hangs up first."""
        try:
            while not self._show():
                pass
        except KeyboardInterrupt:
            self._engine.delete(f"/dials/{self.id}")
            for _ in range(_ENDING):
                if self._show():
                    return
            raise Failed("the engine did not say that the call ended") from None

    def _show(self) -> bool:
        """Show what happened since; True when the call is over."""
        for event in self._engine.get(f"/dials/{self.id}/events", after=self._seen):
            self._seen = event["number"]
            self._began = self._began or event["at"]
            if self._line(event):
                return True
        return False

    def _line(self, event: dict[str, Any]) -> bool:
        kind, text, at = event["kind"], event["text"], moment(event["at"])
        again = (
            self._music and kind == "music"
        )  # music begins anew at its end: nothing that people would notice
        if kind in ("said", "music"):
            self._music = kind == "music"
        if kind == "ended":
            self._say(at, f"-- the call is over ({text}) after {length(_seconds(self._began, event['at']))}")
            return True
        if kind == "said":
            self._say(at, text)
            self.asked.set()
        elif kind == "music" and not again:
            self._say(at, f"~ {text} ~")
        elif kind == "state":
            self._say(at, f"-- {text}")
        elif kind == "step" and self._steps:
            self._say(at, f". {text}", dim=True)
        return False

    def pressed(self, keys: str) -> None:
        """Show keys; those typed one after the other on one line."""
        click.echo(keys if self._typing else f"{_MARGIN}> {keys}", nl=False)
        self._typing = True

    def _say(self, at: str, text: str, *, dim: bool = False) -> None:
        if self._typing:
            click.echo()
            self._typing = False
        for number, line in enumerate(_wrapped(text, _room())):
            click.echo(click.style((_MARGIN if number else f"{at}  ") + line, dim=dim))


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
    from datetime import datetime

    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


@contextmanager
def _keys_as_typed(terminal: bool) -> Iterator[None]:
    """Give each key at once, and don't show it by itself."""
    if not terminal:
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _press_typed(call: _Call, engine: Engine) -> None:
    while True:
        select.select([sys.stdin], [], [])  # gevent's: the poll goes on meanwhile
        typed = os.read(sys.stdin.fileno(), 64).decode(errors="replace")
        if not typed:
            return
        keys = "".join(key for key in typed if key in _KEYS)
        if keys:
            engine.post(f"/dials/{call.id}/keys", keys=keys)
            call.pressed(keys)


def _press_lines(call: _Call, engine: Engine) -> None:
    for line in sys.stdin:
        keys = "".join(key for key in line if key in _KEYS)
        if keys:
            call.asked.wait()
            call.asked.clear()
            engine.post(f"/dials/{call.id}/keys", keys=keys)
            call.pressed(keys)
