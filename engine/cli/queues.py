"""``insideline queue``: the queues and who waits in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.show import Column, echo_json, json_object, json_option, length, listing, short, since

_COLUMNS: tuple[Column, ...] = (
    ("queue", "name"),
    ("title", "title"),
    ("waiting", lambda row: len(row["waiting"])),
    ("longest", lambda row: length(row["longest_wait"]) if row["waiting"] else ""),
    ("ready", "agents_ready"),
    ("busy", "agents_busy"),
    ("logged in", "agents_in"),
    ("answered", "answered"),
    ("abandoned", "abandoned"),
)
_WAITING: tuple[Column, ...] = (
    ("position", "position"),
    ("call", lambda row: short(row["call"])),
    ("from", "number"),
    ("for", lambda row: since(row["since"])),
    ("priority", "priority"),
    ("needs", lambda row: ", ".join(f"{name} {level}" for name, level in row["skills"].items())),
    ("rings at", "offered_to"),
)


@click.group()
def queue() -> None:
    """The queues."""


@queue.command("list")
@home_option
@json_option
def list_queues(as_json: bool) -> None:
    """All queues."""
    with Engine(home()) as engine:
        listing(
            engine.get("/queues"),
            _COLUMNS,
            as_json=as_json,
            empty="no queues (conf/queues.yaml names them)",
            spare=("title", "logged in"),
        )


@queue.command("show")
@click.argument("name")
@home_option
@json_object
def show_queue(name: str, as_json: bool) -> None:
    """One queue and who waits in it."""
    with Engine(home()) as engine:
        row = engine.get(f"/queues/{name}")
    if as_json:
        echo_json(row)
        return
    listing([row], _COLUMNS, as_json=False, empty="", spare=("title", "logged in"))
    for line in _figures(row):
        click.echo(line)
    click.echo()
    listing(row["waiting"], _WAITING, as_json=False, empty="nobody waits", spare=("priority", "needs"))


def _figures(row: dict[str, Any]) -> Iterator[str]:
    """What the queue promises and what it does, line by line."""
    if row["closed"]:
        yield f"closed: {row['closed']}"
    if row["target"] is not None:
        promise = f"{row['target']:.0%} answered within {row['within']:g}s"
        kept = "no calls yet" if row["in_time"] is None else f"so far {row['in_time']:.0%}"
        yield f"service level: {promise}; {kept}"
    if row["handling"] is not None:
        yield f"a call keeps an agent busy for {length(row['handling'])}"
    if row["left"] or row["overflowed"]:
        yield f"without an agent: {row['left']} left, {row['overflowed']} overflowed"
