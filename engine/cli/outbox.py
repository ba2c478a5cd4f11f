"""``insideline outbox``: commands to remote systems whose result is not known yet."""

from __future__ import annotations

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.show import Column, echo_json, json_object, json_option, listing, moment, short, since

_COLUMNS: tuple[Column, ...] = (
    ("id", "id"),
    ("command", "command"),
    ("to", "remote"),
    ("state", "state"),
    ("tries", "attempts"),
    ("for", lambda row: since(row["created"])),
    ("next", lambda row: moment(row["due"]) if row["state"] == "waiting" else ""),
    ("last", lambda row: row["reason"] or row["error"]),
    ("call", lambda row: short(row["call"])),
    ("key", "key"),
)


@click.group()
def outbox() -> None:
    """Commands to remote systems whose result is not known yet.

    waiting: it is tried again, in order. stuck: given up; a person must look. refused: nobody has heard it yet.
    """


@outbox.command("list")
@home_option
@json_option
def list_outbox(as_json: bool) -> None:
    """All of them, in the order in which they were meant."""
    with Engine(home()) as engine:
        listing(
            engine.get("/outbox"),
            _COLUMNS,
            as_json=as_json,
            empty="nothing waits",
            spare=("key", "call", "next"),
        )


@outbox.command()
@click.argument("id")
@home_option
@json_object
def retry(id: str, as_json: bool) -> None:
    """Try one now, also when it was given up."""
    _act(id, "retry", "is tried now", as_json=as_json)


@outbox.command()
@click.argument("id")
@home_option
@json_object
def drop(id: str, as_json: bool) -> None:
    """Send one no more. Look first whether the remote has done it: whoever asks again does it anew."""
    _act(id, "drop", "is dropped", as_json=as_json)


def _act(id: str, deed: str, words: str, *, as_json: bool) -> None:
    with Engine(home()) as engine:
        row = engine.post(f"/outbox/{id}/{deed}")
    if as_json:
        echo_json(row)
    else:
        click.echo(f"{row['command']} to {row['remote']} {words}")
