"""``insideline cdr``: the calls that are over. Works beside a running engine and without one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from engine.cli.client import asked
from engine.cli.home import home, home_option
from engine.cli.show import Column, iso, json_option, length, listing, moment, short, short_recording, window

_COLUMNS: tuple[Column, ...] = (
    ("call", lambda row: short(row["call"])),
    ("arrived", lambda row: moment(row["arrived"])),
    ("from", "number"),
    ("to", "dialled"),
    ("lasted", lambda row: length(row["seconds"])),
    ("outcome", "outcome"),
    ("last step", lambda row: f"{row['last_flow']} {row['last_step']}".strip()),
    ("waited", lambda row: length(row["waited"]) if row["queue"] else ""),
    ("agent", "agent"),
    ("talked", lambda row: length(row["talked"]) if row["agent"] else ""),
    ("recording", lambda row: short_recording(row["recording"])),
    ("cause", lambda row: "" if row["ordinary"] else row["cause"]),
)
_SPARE = ("cause", "recording", "last step", "waited", "talked", "agent")


@click.group()
def cdr() -> None:
    """The calls that are over."""


@cdr.command("list")
@window
@click.option("--number", help="Of this caller.")
@click.option("--dialled", help="To this number.")
@click.option("--agent", help="Last talked to this agent.")
@click.option("--queue", help="Last waited in this queue.")
@home_option
@json_option
def list_cdrs(
    since: datetime | None, until: datetime | None, limit: int, as_json: bool, **wanted: str | None
) -> None:
    """Calls by their arrival, newest first."""
    place = home()
    given: dict[str, Any] = {name: value or "" for name, value in wanted.items()}
    rows = asked(
        place,
        "/cdrs",
        lambda offline: offline.cdrs_of(place, since=since, until=until, limit=limit, **given),
        since=iso(since),
        until=iso(until),
        limit=limit,
        **wanted,
    )
    listing(rows, _COLUMNS, as_json=as_json, empty="no calls", spare=_SPARE)
