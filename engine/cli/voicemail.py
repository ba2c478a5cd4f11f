"""``insideline voicemail``: the messages that callers left, hearing and deleting them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from engine.cli.client import Engine, asked
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, json_option, length, limit_option, listing, moment, short_recording
from engine.cli.sound import play_file

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
@limit_option
@home_option
@json_option
def list_messages(box: str, limit: int, as_json: bool) -> None:
    """Messages: the new ones first, the oldest of them first."""
    place = home()
    rows = asked(
        place, "/messages", lambda offline: offline.messages_of(place, box, limit), box=box, limit=limit
    )
    listing(rows, _COLUMNS, as_json=as_json, empty="no messages", spare=("heard by",))


@voicemail.command("play")
@click.argument("id")
@home_option
def play(id: str) -> None:
    """Play a message, or say where its file is. It stays new: a phone hears it for its box."""
    row, file = _find(home(), id)
    if row["state"] == "deleted":
        raise Failed(f"message {id} was deleted")
    play_file(f"message {id}", file, row["seconds"])


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
