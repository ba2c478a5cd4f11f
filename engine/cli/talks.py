"""``insideline talk``: what an agent does in a talk, done for him by command."""

from __future__ import annotations

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.show import short

_SAYS = {
    "talking": "the caller and {agent} talk",
    "held": "the caller is on hold",
    "ringing": "the caller is on hold; the phone rings",
    "queued": "the caller is on hold; {agent} waits in the queue",
    "consulting": "the caller is on hold; the two of them talk",
    "aside": "the caller and {agent} talk; the other one waits",
    "three": "all three talk",
}


@click.group()
def talk() -> None:
    """What an agent does in a talk. CALL is a call's id, or its beginning as lists show it.

    TARGET is a number as one dials it (an agent's, an extension, a number outside), or agent:8013, extension:1002,
    number:+8620..., queue:logistics, flow:logistics/main.
    """


def _do(call: str, verb: str, target: str = "") -> None:
    with Engine(home()) as engine:
        now = engine.post(f"/calls/{call}/talk/{verb}", target=target)
    row = now["call"]
    said = (
        "the caller goes on"
        if now["over"]
        else _SAYS[now["talk"]].format(agent=row["agent"] or "the other one")
    )
    click.echo(f"{short(row['id'])}: {said}")


@talk.command()
@click.argument("call")
@home_option
def hold(call: str) -> None:
    """The caller hears music."""
    _do(call, "hold")


@talk.command()
@click.argument("call")
@home_option
def resume(call: str) -> None:
    """Back to the caller; who was asked waits."""
    _do(call, "resume")


@talk.command()
@click.argument("call")
@click.argument("target")
@home_option
def transfer(call: str, target: str) -> None:
    """Send the caller to TARGET without asking; the agent is free at once."""
    _do(call, "transfer", target)


@talk.command()
@click.argument("call")
@click.argument("target")
@home_option
def consult(call: str, target: str) -> None:
    """Ask TARGET, while the caller hears music; in a queue, wait for whoever is free there; hear a flow."""
    _do(call, "consult", target)


@talk.command()
@click.argument("call")
@home_option
def complete(call: str) -> None:
    """The caller talks to who was asked, or goes on waiting for him; the first agent is free."""
    _do(call, "complete")


@talk.command()
@click.argument("call")
@home_option
def conference(call: str) -> None:
    """All three talk."""
    _do(call, "conference")


@talk.command()
@click.argument("call")
@home_option
def back(call: str) -> None:
    """The agent and the caller talk, and nobody else."""
    _do(call, "back")
