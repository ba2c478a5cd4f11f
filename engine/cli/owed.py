"""``insideline callback``, ``notice``, ``tally`` and ``schedule``: what is owed, told, counted, done by the clock."""

from __future__ import annotations

import getpass

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.show import Column, json_option, limit_option, listing, moment, short

_CALLBACKS: tuple[Column, ...] = (
    ("callback", "id"),
    ("number", "number"),
    ("queue", "queue"),
    ("state", "state"),
    ("tries", lambda row: f"{row['tries']}/{row['most']}"),
    ("next", lambda row: moment(row["next"]) if row["state"] == "owed" else ""),
    ("due", lambda row: moment(row["due"])),
    ("until", lambda row: moment(row["until"])),
    ("why", "why"),
    ("call", lambda row: short(row["last"] or row["call"])),
)
_NOTICES: tuple[Column, ...] = (
    ("notice", "id"),
    ("level", "level"),
    ("group", "group"),
    ("state", "state"),
    ("created", lambda row: moment(row["created"])),
    ("text", lambda row: row["text"] or row["prompt"]),
    ("by", "by"),
    ("error", "error"),
)
_TALLIES: tuple[Column, ...] = (
    ("tally", "name"),
    ("area", "area"),
    ("count", "count"),
    ("first", lambda row: moment(row["first"])),
    ("last", lambda row: moment(row["last"])),
)
_SCHEDULES: tuple[Column, ...] = (
    ("schedule", "name"),
    ("last slot", lambda row: moment(row["slot"])),
    ("state", "state"),
    ("tries", "tries"),
    ("error", "error"),
)


@click.group()
def callback() -> None:
    """The calls that we owe."""


@callback.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are over.")
@click.option("--queue", help="Of this queue.")
@click.option(
    "--state",
    type=click.Choice(
        ["owed", "dialling", "talking", "done", "declined", "cancelled", "taken_over", "failed", "expired"]
    ),
    help="Only in this state.",
)
@limit_option
@home_option
@json_option
def list_callbacks(everything: bool, queue: str | None, state: str | None, limit: int, as_json: bool) -> None:
    """What is owed, whose turn is next in front."""
    live = "" if everything or state else "true"
    with Engine(home()) as engine:
        rows = engine.get("/callbacks", queue=queue, state=state, live=live, limit=limit)
    spare = ("call", "until", "next", "why", "due")
    listing(rows, _CALLBACKS, as_json=as_json, empty="no callbacks", spare=spare)


@callback.command("cancel")
@click.argument("id")
@home_option
def cancel(id: str) -> None:
    """It is owed no more."""
    with Engine(home()) as engine:
        gone = engine.delete(f"/callbacks/{id}", by=getpass.getuser())
    click.echo(f"cancelled callback {gone['id']} to {gone['number']}")


@callback.command("now")
@click.argument("id")
@home_option
def now(id: str) -> None:
    """Call as soon as anybody can: without its pause, or before its time."""
    with Engine(home()) as engine:
        row = engine.post(f"/callbacks/{id}/now", by=getpass.getuser())
    click.echo(f"callback {row['id']} to {row['number']} is due now")


@click.group()
def notice() -> None:
    """What people behind the desk are told."""


@notice.command("list")
@click.option(
    "--state",
    type=click.Choice(["waiting", "trying", "told", "acknowledged", "failed"]),
    help="Only in this state.",
)
@click.option("--group", help="Only for this group.")
@limit_option
@home_option
@json_option
def list_notices(state: str | None, group: str | None, limit: int, as_json: bool) -> None:
    """Notices, the newest first."""
    with Engine(home()) as engine:
        rows = engine.get("/notices", state=state, group=group, limit=limit)
    listing(rows, _NOTICES, as_json=as_json, empty="no notices", spare=("error", "by", "group"))


@notice.command("ack")
@click.argument("id")
@home_option
def ack(id: str) -> None:
    """You see to it: nobody else is told."""
    with Engine(home()) as engine:
        row = engine.post(f"/notices/{id}/ack", by=getpass.getuser())
    click.echo(f"notice {row['id']} is acknowledged by {row['by']}")


@click.group()
def tally() -> None:
    """What callers reported, counted by area."""


@tally.command("list")
@click.argument("name", required=False, default="")
@home_option
@json_option
def list_tallies(name: str, as_json: bool) -> None:
    """What stands now, the most first."""
    with Engine(home()) as engine:
        rows = engine.get("/tallies", name=name)
    listing(rows, _TALLIES, as_json=as_json, empty="nothing is counted at the moment", spare=("first",))


@click.group()
def schedule() -> None:
    """What departments have done by the clock."""


@schedule.command("list")
@home_option
@json_option
def list_schedules(as_json: bool) -> None:
    """The last slot of each."""
    with Engine(home()) as engine:
        rows = engine.get("/schedules")
    listing(rows, _SCHEDULES, as_json=as_json, empty="no schedules", spare=("error", "tries"))
