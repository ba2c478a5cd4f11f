"""``insideline rating``: what callers answered to surveys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from engine.cli.client import asked
from engine.cli.home import home, home_option
from engine.cli.show import Column, iso, json_option, listing, moment, short, window

_COLUMNS: tuple[Column, ...] = (
    ("at", lambda row: moment(row["at"])),
    ("question", "question"),
    ("mark", lambda row: f"{row['score']} of {row['most']}"),
    ("agent", "agent"),
    ("queue", "queue"),
    ("department", "department"),
    ("call", lambda row: short(row["call"])),
)
_MEANS: tuple[Column, ...] = (
    ("by", "name"),
    ("question", "question"),
    ("answers", "count"),
    ("mean", "mean"),
    ("lowest", "lowest"),
    ("highest", "highest"),
)


@click.group()
def rating() -> None:
    """What callers answered to surveys."""


@rating.command("list")
@window
@click.option("--agent", help="About this agent.")
@click.option("--queue", help="About this queue.")
@click.option("--question", help="To this question.")
@click.option(
    "--by",
    type=click.Choice(["agent", "queue", "question", "department", "flow"]),
    help="Their means by this.",
)
@home_option
@json_option
def list_ratings(
    since: datetime | None,
    until: datetime | None,
    limit: int,
    by: str | None,
    as_json: bool,
    **wanted: str | None,
) -> None:
    """The answers, newest first, or with --by the mean of each question."""
    place = home()
    given: dict[str, Any] = {name: value or "" for name, value in wanted.items()}
    rows = asked(
        place,
        "/ratings",
        lambda offline: offline.ratings_of(place, by or "", limit=limit, since=since, until=until, **given),
        since=iso(since),
        until=iso(until),
        limit=limit,
        by=by,
        **wanted,
    )
    listing(
        rows, _MEANS if by else _COLUMNS, as_json=as_json, empty="no ratings", spare=("department", "call")
    )
