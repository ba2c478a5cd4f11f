"""``insideline recording``: what was recorded, and hearing it."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from engine.cli.client import Engine, NoEngine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, iso, json_option, length, listing, moment, short, short_recording, window
from engine.cli.sound import player

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
    program = player()
    if program is None:
        click.echo(f"no sound device here; the recording ({length(row['seconds'])}) is {file}")
        return
    click.echo(f"{file} ({length(row['seconds'])}); Ctrl-C stops")
    try:
        done = subprocess.run([*program, str(file)], check=False)
    except KeyboardInterrupt:
        return
    if done.returncode:
        raise Failed(f"{program[0]} could not play {file} (it ended with {done.returncode})")


def _find(place: Path, id: str) -> tuple[dict[str, Any], Path]:
    try:
        with Engine(place) as engine:
            found = engine.get(f"/recordings/{id}")
            return found["recording"], Path(found["file"])
    except NoEngine:
        from engine.cli.offline import recording_file

        return recording_file(place, id)
