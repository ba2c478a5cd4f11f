"""``insideline reload``: the running engine takes changed files."""

from __future__ import annotations

import getpass

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.show import echo_json, json_object, many


@click.command()
@home_option
@json_object
def reload(as_json: bool) -> None:
    """Let the running engine take changed flows, prompts, dialplans and calendars.

    All or nothing: with any fault, what was there serves on, every fault is shown, and the exit is 1. Calls that
    run keep the flows that they began with.
    """
    with Engine(home()) as engine:
        done = engine.post("/reload", by=getpass.getuser())
    if as_json:
        echo_json(done)
    else:
        for fault in done["faults"]:
            click.echo(fault["pretty"], err=True)
        if not done["ok"]:
            errors = sum(fault["severity"] == "error" for fault in done["faults"])
            click.echo(f"{many(errors, 'fault')}; what was there serves on", err=True)
        else:
            changed = ", ".join(done["changed"]) or "nothing has changed"
            click.echo(f"taken: {changed} (set {done['flows']})" if done["changed"] else changed)
        if done["later"]:
            click.echo(f"at the next start: {', '.join(done['later'])}")
    raise click.exceptions.Exit(0 if done["ok"] else 1)
