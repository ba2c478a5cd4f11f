"""``insideline conference``: who talks with whom in rooms."""

from __future__ import annotations

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.show import Column, json_option, listing, short

_COLUMNS: tuple[Column, ...] = (
    ("room", "room"),
    ("member", "member"),
    ("call", lambda row: short(row["call"])),
    ("number", "number"),
)


@click.group()
def conference() -> None:
    """The conferences."""


@conference.command("list")
@home_option
@json_option
def list_rooms(as_json: bool) -> None:
    """The rooms and who is in them."""
    with Engine(home()) as engine:
        rooms = engine.get("/conferences")
    rows = [{"room": room["room"], **member} for room in rooms for member in room["members"]]
    listing(rows, _COLUMNS, as_json=as_json, empty="nobody is in a conference")


@conference.command("kick")
@click.argument("room")
@click.argument("member")
@home_option
def kick(room: str, member: str) -> None:
    """Send a member (its number, or `all`) out: a caller's flow goes on, an invited party is hung up."""
    with Engine(home()) as engine:
        gone = engine.delete(f"/conferences/{room}/{member}")
    click.echo(f"{room}: {', '.join(gone['kicked'])} sent out")
