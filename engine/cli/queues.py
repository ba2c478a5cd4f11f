"""``insideline queue``: the queues and who waits in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from engine.cli.agents import agent_state
from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.show import Column, echo_json, json_object, json_option, length, listing, short, since

_COLUMNS: tuple[Column, ...] = (
    ("queue", lambda row: row["name"] + (" (closed)" if row["closed"] else "")),
    ("title", "title"),
    ("waiting", "callers"),
    ("longest", lambda row: length(row["longest_wait"]) if row["callers"] else ""),
    ("ready", "agents_ready"),
    ("busy", "agents_busy"),
    ("away", "agents_away"),
    ("logged in", "agents_in"),
    ("answered", "answered"),
    ("abandoned", "abandoned"),
)
_WAITING: tuple[Column, ...] = (
    ("position", "position"),
    ("call", lambda row: short(row["call"])),
    ("from", "number"),
    ("waits", lambda row: "to be called back" if row["virtual"] else "on the line"),
    ("for", lambda row: since(row["since"])),
    ("priority", "priority"),
    ("needs", lambda row: ", ".join(f"{name} {level}" for name, level in row["skills"].items())),
    ("asks for it", "asks"),
    ("rings at", "offered_to"),
)
_AGENTS: tuple[Column, ...] = (
    ("agent", "id"),
    ("name", "name"),
    ("state", agent_state),
    ("for", lambda row: since(row["since"])),
    ("call", lambda row: short(row["call"])),
    ("taken", "calls_taken"),
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
    """One queue, who waits in it, and what its agents do."""
    with Engine(home()) as engine:
        row = engine.get(f"/queues/{name}")
        agents = [] if as_json else [one for one in engine.get("/agents") if name in one["queues"]]
    if as_json:
        echo_json(row)
        return
    listing([row], _COLUMNS, as_json=False, empty="", spare=("title", "logged in"))
    for line in _figures(row):
        click.echo(line)
    click.echo()
    listing(
        row["waiting"],
        _WAITING,
        as_json=False,
        empty="nobody waits",
        spare=("priority", "needs", "asks for it", "waits"),
    )
    if row["callers"] > len(row["waiting"]):
        click.echo(f"and {row['callers'] - len(row['waiting'])} more")
    click.echo()
    there = [one for one in agents if one["state"] != "logged_out"]
    listing(there, _AGENTS, as_json=False, empty="nobody is logged in", spare=("taken", "call"))
    away = [f"{one['id']} {one['name']}" for one in agents if one["state"] == "logged_out"]
    if away:
        click.echo(f"logged out: {', '.join(away)}")


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


@queue.command("close")
@click.argument("name")
@click.option("--why", default="", help="For the journal, and the board.")
@click.option("--by", default="", help="The supervisor's agent number.")
@home_option
def close_queue(name: str, why: str, by: str) -> None:
    """Take nobody into the queue until it is opened; its at_closing says what becomes of those who wait."""
    with Engine(home()) as engine:
        row = engine.post(f"/queues/{name}/close", why=why, by=by)
    click.echo(f"{name} is closed: {row['closed']}")


@queue.command("open")
@click.argument("name")
@click.option("--by", default="", help="The supervisor's agent number.")
@home_option
def open_queue(name: str, by: str) -> None:
    """Take callers again, as far as the queue's calendar lets it."""
    with Engine(home()) as engine:
        row = engine.post(f"/queues/{name}/open", by=by)
    click.echo(f"{name} is {'closed: ' + row['closed'] if row['closed'] else 'open'}")


@queue.command("move")
@click.argument("call")
@click.option("--queue", "to", default="", help="The queue to wait in.")
@click.option("--front", is_flag=True, help="As the next one.")
@click.option("--by", default="", help="The supervisor's agent number.")
@home_option
def move(call: str, to: str, front: bool, by: str) -> None:
    """Move a waiting caller to another queue, to the front, or both. CALL is the id that `queue show` lists."""
    with Engine(home()) as engine:
        row = engine.post(f"/calls/{call}/move", queue=to, front="yes" if front else "", by=by)
    click.echo(f"{short(row['call'])} is number {row['position']}" + (f" in {to}" if to else ""))
