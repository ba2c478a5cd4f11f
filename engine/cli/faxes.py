"""``insideline fax``: what was faxed, what is on its way, what failed."""

from __future__ import annotations

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.show import Column, echo_json, json_object, json_option, listing, moment, short

_COLUMNS: tuple[Column, ...] = (
    ("fax", "id"),
    ("queued", lambda row: moment(row["queued"])),
    ("to", "number"),
    ("title", "title"),
    ("pages", "pages"),
    ("state", "state"),
    ("attempts", "attempts"),
    ("result", "result"),
    ("call", lambda row: short(row["call"])),
)
_LINES = (
    "id",
    "state",
    "number",
    "title",
    "pages",
    "sent",
    "attempts",
    "code",
    "result",
    "station",
    "trunk",
    "call",
    "flow",
)


@click.group()
def fax() -> None:
    """The faxes."""


@fax.command("list")
@click.option(
    "--state", type=click.Choice(["queued", "dialling", "sending", "sent", "failed"]), help="Only these."
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@home_option
@json_option
def list_faxes(state: str | None, limit: int, as_json: bool) -> None:
    """The faxes, newest first."""
    with Engine(home()) as engine:
        rows = engine.get("/faxes", state=state or "", limit=limit)
    listing(rows, _COLUMNS, as_json=as_json, empty="no faxes", spare=("title", "call"))


@fax.command("show")
@click.argument("id")
@home_option
@json_object
def show_fax(id: str, as_json: bool) -> None:
    """One fax (the beginning of its id will do)."""
    with Engine(home()) as engine:
        row = engine.get(f"/faxes/{id}")
    if as_json:
        echo_json(row)
        return
    for name in ("queued", "next", "ended"):
        if row[name]:
            click.echo(f"{name:<9} {moment(row[name])}")
    for name in _LINES:
        if row[name] not in ("", None):
            click.echo(f"{name:<9} {row[name]}")


@fax.command("retry")
@click.argument("id")
@home_option
def retry_fax(id: str) -> None:
    """Send a fax that failed once more, now."""
    with Engine(home()) as engine:
        row = engine.post(f"/faxes/{id}/retry")
    click.echo(f"fax {row['id']} is {row['state']}")
