"""``insideline explain``: why a call waited, why an agent was idle. Works beside a running engine and without one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from engine.acd.explain import others_told
from engine.acd.explain_agent import passed_told
from engine.acd.reasons import seconds
from engine.cli.client import asked
from engine.cli.home import home, home_option
from engine.cli.show import Moment, echo_json, iso, json_object, moment, short


@click.group()
def explain() -> None:
    """Why a call waited, and why an agent was idle, from the journal."""


@explain.command("call")
@click.argument("id")
@home_option
@json_object
def explain_call(id: str, as_json: bool) -> None:
    """Why a call waited, and why this agent took it and not another.

    ID is the call's, or the beginning of it that lists show. Times count from the moment in which it came into
    its first queue.
    """
    place = home()
    told = asked(place, f"/explain/calls/{id}", lambda offline: offline.explained_call(place, id))
    if as_json:
        echo_json(told)
        return
    caller = f" from {told['number']}" if told["number"] else ""
    if not told["moments"]:
        click.echo(f"call {short(told['call'])}{caller} never waited in a queue")
        return
    click.echo(
        f"call {short(told['call'])}{caller}, in {', '.join(told['queues'])} from {moment(told['began'])}: "
        f"{told['outcome'] or 'nobody saw how it ended'}, waited {seconds(told['waited'])}"
    )
    click.echo()
    for one in told["moments"]:
        click.echo(f"{seconds(one['seconds']):>8}  {one['text']}")
        for line in others_told(one["others"]):
            click.echo(f"{'':>12}{line}")


@explain.command("agent")
@click.argument("id")
@click.option(
    "--since",
    type=Moment(),
    metavar="TIME",
    help="From this time on (2h, today …); the last hour without it.",
)
@click.option("--until", type=Moment(), metavar="TIME", help="Before this time; now without it.")
@home_option
@json_object
def explain_agent(id: str, since: datetime | None, until: datetime | None, as_json: bool) -> None:
    """What an agent did, and why it had no call while callers waited."""
    place = home()
    end = until or datetime.now(UTC)
    begin = since or end - timedelta(hours=1)
    told = asked(
        place,
        f"/explain/agents/{id}",
        lambda offline: offline.explained_agent(place, id, begin, end),
        since=iso(begin),
        until=iso(end),
    )
    if as_json:
        echo_json(told)
        return
    queues = ", ".join(f"{name} (tier {tier})" for name, tier in told["queues"].items())
    click.echo(
        f"agent {told['agent']} from {moment(told['since'])} to {moment(told['until'])}; serves {queues or 'no queue'}"
    )
    click.echo(f"logged in without a call while somebody waited in its queues: {seconds(told['idle'])}")
    click.echo()
    for one in told["stretches"]:
        _show_stretch(one)


def _show_stretch(one: dict[str, Any]) -> None:
    click.echo(f"{moment(one['began'])}  {seconds(one['seconds']):>8}  {one['text']}")
    for line in passed_told(one["state"], one["passed"]):
        click.echo(f"{'':>22}{line}")
