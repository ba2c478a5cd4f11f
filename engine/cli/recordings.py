"""``insideline recording``: what was recorded, and hearing it."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from engine.cli.client import Engine, NoEngine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, iso, json_option, length, listing, moment, short, short_recording, window

_COLUMNS: tuple[Column, ...] = (
    ("recording", lambda row: short_recording(row["id"])),
    ("call", lambda row: short(row["call"])),
    ("began", lambda row: moment(row["began"])),
    ("lasts", lambda row: length(row["seconds"]) if row["ended"] else "running"),
    ("policy", "policy"),
    ("agent", "agent"),
    ("masked", lambda row: len(row["masks"]) or ""),
    ("file", "path"),
)
# Each with the arguments that keep it from talking.
_PLAYERS = (("aplay", "-q"), ("play", "-q"), ("afplay",))


@click.group()
def recording() -> None:
    """The recordings: caller left, the other party right."""


@recording.command("list")
@window
@click.option("--call", help="Of this call.")
@click.option("--agent", help="With this agent.")
@home_option
@json_option
def list_recordings(
    since: datetime | None, until: datetime | None, limit: int, as_json: bool, **wanted: str | None
) -> None:
    """Recordings by their beginning, newest first."""
    place = home()
    try:
        with Engine(place) as engine:
            rows = engine.get("/recordings", since=iso(since), until=iso(until), limit=limit, **wanted)
    except NoEngine:
        from engine.cli.offline import recordings_of

        given: dict[str, Any] = {name: value or "" for name, value in wanted.items()}
        rows = recordings_of(place, since=since, until=until, limit=limit, **given)
    listing(
        rows, _COLUMNS, as_json=as_json, empty="no recordings", spare=("file", "masked", "policy", "call")
    )


@recording.command("play")
@click.argument("id")
@home_option
def play(id: str) -> None:
    """Play a recording, or say where its file is.

    ID is what `recording list` shows. A machine without a sound device says where the file is.
    """
    row, file = _find(home(), id)
    if row["deleted"]:
        raise Failed(f"recording {id} was deleted on {moment(row['deleted'])}")
    if not file.is_file():
        raise Failed(f"the file of recording {id} is not there: {file}")
    player = _player()
    if player is None:
        click.echo(f"no sound device here; the recording ({length(row['seconds'])}) is {file}")
        return
    click.echo(f"{file} ({length(row['seconds'])}); Ctrl-C stops")
    try:
        done = subprocess.run([*player, str(file)], check=False)
    except KeyboardInterrupt:
        return
    if done.returncode:
        raise Failed(f"{player[0]} could not play {file} (it ended with {done.returncode})")


def _find(place: Path, id: str) -> tuple[dict[str, Any], Path]:
    try:
        with Engine(place) as engine:
            found = engine.get(f"/recordings/{id}")
            return found["recording"], Path(found["file"])
    except NoEngine:
        from engine.cli.offline import recording_file

        return recording_file(place, id)


def _player() -> tuple[str, ...] | None:
    if not _has_sound():
        return None
    return next((player for player in _PLAYERS if shutil.which(player[0])), None)


def _has_sound() -> bool:
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
