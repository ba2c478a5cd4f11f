"""``insideline recording``: what was recorded, and hearing it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from engine.cli.client import asked
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, iso, json_option, length, listing, moment, short, short_recording, window
from engine.cli.sound import play_file

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
    given: dict[str, Any] = {name: value or "" for name, value in wanted.items()}
    rows = asked(
        place,
        "/recordings",
        lambda offline: offline.recordings_of(place, since=since, until=until, limit=limit, **given),
        since=iso(since),
        until=iso(until),
        limit=limit,
        **wanted,
    )
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
    play_file(f"recording {id}", file, row["seconds"])


def _find(place: Path, id: str) -> tuple[dict[str, Any], Path]:
    def alone(offline: Any) -> dict[str, Any]:
        row, file = offline.recording_file(place, id)
        return {"recording": row, "file": file}

    found = asked(place, f"/recordings/{id}", alone)
    return found["recording"], Path(found["file"])
