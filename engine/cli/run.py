"""``insideline run``: the engine, and the board over it."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import click
import gevent
import structlog

from engine.cli.home import home, home_option
from engine.cli.logfile import LogFile
from engine.cli.show import as_typed, many
from engine.clock import Clock
from engine.errors import InsidelineError

if TYPE_CHECKING:
    from engine.app import App

_OTHERS = 0o027  # recordings, the database and the log are for the engine's user and group only
_LAST_LOOK = 5.0  # seconds for the board's last picture: one that can't be drawn must not hold up the end
_LENGTHS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Length(click.ParamType[float]):
    """A length of time: ``500ms 60s 10m 2h``."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h)", str(value))
        if found is None:
            self.fail(f"{value!r} is no length of time; say 60s, 10m or 2h", param, ctx)
        return float(found[1]) * _LENGTHS[found[2]]


@click.command()
@click.option(
    "--switch",
    default="auto",
    show_default=True,
    metavar="auto|freeswitch|simulator|HOST:PORT",
    help="What answers the event socket; auto: FreeSWITCH where there is one.",
)
@click.option(
    "--for", "seconds", type=Length(), metavar="TIME", help="End by itself after this time, as in 60s."
)
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The event socket's password, for HOST:PORT.",
)
@click.option("--no-board", is_flag=True, help="Log lines, also on a terminal.")
@click.option("--sample", is_flag=True, help="Fill empty tables with the sample company.")
@home_option
def run(switch: str, seconds: float | None, password_file: Path | None, no_board: bool, sample: bool) -> None:
    """Start the engine, and show what happens until Ctrl-C, SIGTERM, or the end of --for.

    It then takes no more calls, lets those that run end, and says what the day was. A second Ctrl-C does not
    wait for them.
    """
    gc.disable()
    place = home()
    on_terminal = sys.stdout.isatty() and not no_board
    # Threads render prompts and write to the database beside the calls; the hub must not wait 5 ms for its turn.
    sys.setswitchinterval(0.0005)
    _be_the_only_one(place)
    os.umask(os.umask(0o077) | _OTHERS)
    _set_up_log(place, to_file=on_terminal)
    from engine.app import App
    from engine.app.memory import give_large_blocks_back

    give_large_blocks_back()
    app = App(place, switch=switch, password_file=password_file, sample=sample)
    ending = _Ending(app)
    try:
        app.start()
        # What is there now stays to the end: no collection has to look through it. (What of it is garbage, some
        # thousand objects, costs less than the half second that collections would take of a start.)
        gc.freeze()
        gc.enable()
        app.take_priority()  # from here on it serves
        _greet(app)
        left = _watched(app, lambda: app.run(seconds), ending.drain, on_terminal=on_terminal)
    finally:
        gc.enable()
        app.stop()
        ending.forget()
    _say_goodbye(app, left)


def _be_the_only_one(place: Path) -> None:
    """Refuse to start beside another engine of this home before anything of it is touched."""
    from engine.cli.client import socket_of
    from engine.web.server import refuse_a_second_engine

    refuse_a_second_engine(socket_of(place))


def _set_up_log(place: Path, *, to_file: bool) -> None:
    from engine.cli.offline import settings_of
    from engine.log import set_up

    settings = settings_of(place)
    # The board has the terminal; what would be logged there goes where it can be read afterwards.
    stream = cast(TextIO, LogFile(settings.folders(place).var / "insideline.log")) if to_file else None
    set_up(settings.log.level, settings.log.format, stream)


def _greet(app: App) -> None:
    parts = app.parts
    click.echo(f"Insideline {parts.version} on {parts.switch().name}, in {parts.home}")
    for line in parts.how_to_call:
        click.echo(f"  {as_typed(line)}")
    click.echo("  Ctrl-C stops: no new calls, those that run may end")


def _watched(app: App, work: Callable[[], None], drain: Callable[[], int], *, on_terminal: bool) -> int:
    """Show the board while the engine works, or tell what happens until all is over; what ``drain`` says."""
    from engine.cli import board

    done = app.clock.event()
    parts = app.parts
    if on_terminal:
        from rich.console import Console

        watcher = app.clock.spawn(board.watch, parts, Console(), done)
    else:
        watcher = app.clock.spawn(board.tell, parts, click.echo, done)
    try:
        work()
        if on_terminal:  # the terminal is given back, for what is said from here on
            done.set()
            watcher.join(_LAST_LOOK)
        return drain()
    finally:
        done.set()
        watcher.join(_LAST_LOOK)
        watcher.kill(block=False)


class _Ending:
    """Signals end the day; a second one ends it at once. SIGHUP lets the engine read its files again."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._at_once = Clock().event()
        self._asked = False
        self._handlers: list[Any] = [
            gevent.signal_handler(number, self._on_signal, signal.Signals(number).name)
            for number in (signal.SIGINT, signal.SIGTERM)
        ]
        self._handlers.append(gevent.signal_handler(signal.SIGHUP, self._reload))

    def _reload(self) -> None:
        """SIGHUP: take changed files, as `insideline reload` does. Every fault goes to the log."""
        try:
            self._app.reload("SIGHUP")
        except InsidelineError as error:
            structlog.get_logger(__name__).error("reload.failed", error=str(error))

    def _on_signal(self, name: str) -> None:
        if self._asked:
            self._at_once.set()
        self._asked = True
        self._app.ask_to_stop(name)

    def drain(self) -> int:
        """Let the calls that run end, or hand them over; not after a second signal. How many did not end."""
        calls = len(self._app.parts.calls.views())
        if calls:
            click.echo(f"{many(calls, 'call')} not over yet; a second Ctrl-C does not wait")
        drainer = self._app.clock.spawn(self._app.drain)
        drainer.rawlink(lambda _: self._at_once.set())
        self._at_once.wait()
        drainer.kill()
        return drainer.value if isinstance(drainer.value, int) else len(self._app.parts.calls.views())

    def forget(self) -> None:
        for handler in self._handlers:
            handler.cancel()


def _say_goodbye(app: App, left: int) -> None:
    from engine.cli import board

    day = app.installation.day
    seconds = (app.clock.now() - day.began).total_seconds()
    for line in board.summary(day.figures, seconds):
        click.echo(line)
    if left:
        click.echo(f"{many(left, 'call')} did not end in time")
