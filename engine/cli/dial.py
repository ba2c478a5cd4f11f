"""``insideline dial``: a person at the terminal (or a script) is the caller on the simulator."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from engine.cli.client import Engine
from engine.cli.dial_screen import Screen
from engine.cli.dial_script import Differs, Line, Record, Replay, read_script
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.sound import Speaker, player
from engine.clock import Clock

_KEYS = frozenset("0123456789*#")
_HANG_UP = frozenset("hH\x04")  # \x04: Ctrl-D
_ENDING = 5  # polls after hanging up, until the engine must have noticed


@click.command()
@click.argument("number", required=False, default="")
@click.option("--from", "caller", default="", metavar="NUMBER", help="The number that you call from.")
@click.option("--steps", is_flag=True, help="Show each step of the flow (? does so while you call).")
@click.option(
    "--script",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Replay a transcript; exit 1 where the call goes another way.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write one. It has every key that you type, PINs too, so nobody else may read it.",
)
@click.option("--sound", is_flag=True, help="Play the prompts, too, where this machine has a sound device.")
@home_option
def dial(
    number: str, caller: str, steps: bool, script: Path | None, record: Path | None, sound: bool
) -> None:
    """Be the caller: prompts are shown as text, the keys that you type are pressed, Ctrl-C hangs up.

    The engine must run on the simulator (`insideline run`, in another terminal). From a pipe each line is
    pressed when the next prompt begins; at an empty line nothing is.
    """
    place = home()
    lines = read_script(script) if script is not None else []
    if lines and lines[0].kind == "dial":
        number, caller = number or lines[0].what, caller or lines[0].caller
    if not number:
        raise click.UsageError("Missing argument 'NUMBER' (or a script that begins with `dial NUMBER`).")
    terminal = script is None and sys.stdin.isatty()
    with (
        Engine(place) as engine,
        Engine(place) as presser,
        _own(record) as written,
    ):  # the first waits in a poll
        begun: dict[str, str] = engine.post("/dials", number=number, **({"from": caller} if caller else {}))
        call = _Call(engine, presser, begun["id"], Screen(steps=steps))
        call.screen.header(number, caller, keys=terminal)
        if sound:
            call.speaker = _speaker(call)
        if written is not None:
            call.record = Record(written, number, caller)
        if script is not None:
            _replay(call, script, lines)
            return
        with _keys_as_typed(terminal):
            typing = call.clock.spawn(_press_typed if terminal else _press_lines, call)
            try:
                call.follow()
            finally:
                typing.kill()


@contextmanager
def _own(record: Path | None) -> Iterator[TextIO | None]:
    """A transcript to write, which nobody else may read: what was typed stands in it."""
    if record is None:
        yield None
        return
    try:
        made = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(made, 0o600)  # it may have been there
    except OSError as error:
        raise Failed(f"{record} can't be written: {error.strerror}") from None
    with os.fdopen(made, "w", encoding="utf-8") as file:
        yield file


class _Call:
    """The call that a person or a script makes."""

    def __init__(self, engine: Engine, presser: Engine, id: str, screen: Screen) -> None:
        self.clock = Clock()
        self.screen = screen
        self.prompts = self.clock.queue()  # one for each prompt that began since the last keys
        self.speaker: Speaker | None = None
        self.record: Record | None = None
        self.watch: Callable[[dict[str, Any]], None] = lambda event: None
        self.over = False
        self._engine = engine
        self._presser = presser
        self._id = id
        self._seen = 0

    def follow(self) -> None:
        """Show the call until its end; Ctrl-C hangs up first."""
        counting = self.clock.spawn(self._count)
        try:
            while not self._show():
                pass
        except KeyboardInterrupt:
            self.hang_up(self._engine)
            for _ in range(_ENDING):
                if self._show():
                    return
            raise Failed("the engine did not say that the call ended") from None
        finally:
            counting.kill()
            if self.speaker is not None:
                self.speaker.hush()

    def press(self, keys: str) -> None:
        """Press keys, and show them."""
        self._presser.post(f"/dials/{self._id}/keys", keys=keys)
        if self.speaker is not None:
            self.speaker.hush()
        if self.record is not None:
            self.record.pressed(keys)
        self.screen.pressed(keys)

    def hang_up(self, engine: Engine | None = None) -> None:
        """Put the receiver down; nothing when the call is over already."""
        if self.over:
            return
        if self.record is not None:
            self.record.hung_up()
        (engine or self._presser).delete(f"/dials/{self._id}")

    def _show(self) -> bool:
        """Show what happened since; True when the call is over."""
        for event in self._engine.get(f"/dials/{self._id}/events", after=self._seen):
            self._seen = event["number"]
            if self.record is not None:
                self.record.happened(event, self.screen.music and event["kind"] == "music")
            self.screen.show(event)
            self.watch(event)
            if event["kind"] == "said":
                self.prompts.put(event["key"])
                if self.speaker is not None:
                    self.speaker.play(event["clips"])
            if event["kind"] == "ended":
                self.over = True
                return True
        return False

    def _count(self) -> None:
        while True:
            self.clock.sleep(self.screen.tick())


def _speaker(call: _Call) -> Speaker | None:
    program = player()
    if program is None:
        call.screen.note("no sound device here: prompts are shown, not played")
        return None
    return Speaker(call.clock, program)


def _replay(call: _Call, path: Path, lines: list[Line]) -> None:
    replay = Replay(path, lines, call.clock, call.press, call.hang_up)
    call.watch = replay.happened
    following = call.clock.spawn(call.follow)
    try:
        replay.play()
    except Differs:
        call.hang_up()
        following.join()
        raise
    except BaseException:
        following.kill()
        raise
    following.get()


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


def _press_typed(call: _Call) -> None:
    while True:
        select.select([sys.stdin], [], [])  # gevent's: the poll goes on meanwhile
        typed = os.read(sys.stdin.fileno(), 64).decode(errors="replace")
        keys = "".join(key for key in typed if key in _KEYS)
        if keys:
            call.press(keys)
        if "?" in typed:
            call.screen.tell_steps()
        if not typed or _HANG_UP & set(typed):
            call.hang_up()
            return


def _press_lines(call: _Call) -> None:
    for line in sys.stdin:
        keys = "".join(key for key in line if key in _KEYS)
        if keys or not line.strip():
            call.prompts.get()
        if keys:
            while call.prompts:  # this is the last one's answer
                call.prompts.get()
            call.press(keys)
