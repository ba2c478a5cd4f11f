"""``insideline supervise``: listen to an agent, whisper, barge, take the caller over."""

from __future__ import annotations

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.show import Column, json_option, listing, short, since

_COLUMNS: tuple[Column, ...] = (
    ("supervisor", "by"),
    ("agent", "agent"),
    ("phone", "phone"),
    ("how", lambda row: row["mode"].replace("_", " ") if row["listens"] else "rings"),
    ("call", lambda row: short(row["call"])),
    ("for", lambda row: since(row["since"])),
)
_BY = click.option("--by", required=True, help="The supervisor's agent number.")


@click.group()
def supervise() -> None:
    """Hear a talk. Only for agents with the role supervisor; the journal keeps who listened to whom.

    On the phone that listens: 0 nobody hears you, 1 the caller does, 2 the agent does, 3 both do; 9 takes the caller
    over.
    """


@supervise.command("list")
@home_option
@json_option
def list_ears(as_json: bool) -> None:
    """Who listens to whom."""
    with Engine(home()) as engine:
        listing(engine.get("/supervisions"), _COLUMNS, as_json=as_json, empty="nobody listens")


@supervise.command()
@click.argument("agent")
@_BY
@click.option("--phone", default="", help="The phone to ring, when it is not the supervisor's own.")
@click.option(
    "--mode",
    type=click.Choice(["listen", "whisper", "whisper_caller", "barge"]),
    default="listen",
    show_default=True,
    help="Who hears the supervisor: nobody, the agent, the caller, both.",
)
@home_option
def agent(agent: str, by: str, phone: str, mode: str) -> None:
    """Hear AGENT's talk; again with another --mode to change it."""
    with Engine(home()) as engine:
        ear = engine.post(f"/supervisions/{agent}", by=by, phone=phone, mode=mode)
    click.echo(f"{ear['phone']} {'listens to' if ear['listens'] else 'rings, to hear'} {agent} ({mode})")


@supervise.command()
@click.argument("agent")
@_BY
@home_option
def take(agent: str, by: str) -> None:
    """Take AGENT's caller over, on the phone that listens; AGENT is free."""
    with Engine(home()) as engine:
        taken = engine.post(f"/supervisions/{agent}/take_over", by=by)
    click.echo(f"{by} talks to the caller of {short(taken['call'])}")


@supervise.command()
@click.argument("agent")
@_BY
@home_option
def end(agent: str, by: str) -> None:
    """Listen no more."""
    with Engine(home()) as engine:
        engine.delete(f"/supervisions/{agent}", by=by)
    click.echo(f"{by} listens no more")
