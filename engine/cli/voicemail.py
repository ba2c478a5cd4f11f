"""``insideline voicemail``: the messages that callers left, hearing and deleting them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import click

from engine.cli.client import Engine, NoEngine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, json_option, length, listing, moment, short_recording
from engine.cli.sound import player

_COLUMNS: tuple[Column, ...] = (
    ("message", lambda row: short_recording(row["id"])),
    ("box", "box"),
    ("state", "state"),
    ("left", lambda row: moment(row["left"])),
    ("lasts", lambda row: length(row["seconds"])),
    ("caller", "number"),
    ("heard by", "heard_by"),
)


@click.group()
def voicemail() -> None:
    """The messages that callers left."""


@voicemail.command("list")
@click.option("--box", default="", help="Of this box: an agent's number, a queue, a department.")
@click.option("--limit", default=100, type=click.IntRange(1, 10_000), show_default=True)
@home_option
@json_option
def list_messages(box: str, limit: int, as_json: bool) -> None:
    """Messages: the new ones first, the oldest of them first."""
    place = home()
    try:
        with Engine(place) as engine:
            rows = engine.get("/messages", box=box, limit=limit)
    except NoEngine:
        from engine.cli.offline import messages_of

        rows = messages_of(place, box, limit)
    listing(rows, _COLUMNS, as_json=as_json, empty="no messages", spare=("heard by",))


@voicemail.command("play")
@click.argument("id")
@home_option
def play(id: str) -> None:
    """Play a message, or say where its file is. It stays new: a phone hears it for its box."""
    row, file = _find(home(), id)
    if row["state"] == "deleted":
        raise Failed(f"message {id} was deleted")
    if not file.is_file():
        raise Failed(f"the sound of message {id} is not there: {file}")
    tool = player()
    if tool is None:
        click.echo(f"no sound device here; the message ({length(row['seconds'])}) is {file}")
        return
    click.echo(f"{file} ({length(row['seconds'])}); Ctrl-C stops")
    try:
        done = subprocess.run([*tool, str(file)], check=False)
    except KeyboardInterrupt:
        return
    if done.returncode:
        raise Failed(f"{tool[0]} could not play {file} (it ended with {done.returncode})")


@voicemail.command("delete")
@click.argument("id")
@home_option
def delete(id: str) -> None:
    """Delete a message and its sound, for good. Needs the running engine."""
    with Engine(home()) as engine:
        row = engine.delete(f"/messages/{id}", by="command")
    click.echo(f"message {short_recording(row['id'])} of {row['box']} is deleted")


def _find(place: Path, id: str) -> tuple[dict[str, Any], Path]:
    from engine.cli.offline import message_file

    return message_file(place, id)
