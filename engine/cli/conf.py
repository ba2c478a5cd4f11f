"""``insideline conf``: the files in conf/. Needs no running engine."""

from __future__ import annotations

import click

from engine.cli.home import home, home_option
from engine.cli.show import echo_json, many


@click.group()
def conf() -> None:
    """The files in conf/."""


@conf.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="A JSON array of the faults, for editors.")
def check(as_json: bool) -> None:
    """Check everything in conf/: queues, agents, calendars, trunks, notices, the engine's settings.

    What the files say of one another is looked up, and what they name of flows and plugins; it warns of skills that
    bring their agents no calls, because a certificate is missing. `insideline flow check` does the same for the whole
    home, without the certificates.

    Exit 0: clean (warnings are shown). 1: faults. 2: it could not run.
    """
    place = home()
    try:
        from engine.cli.offline import installation_of

        made = installation_of(place)
    except OSError as error:
        click.echo(f"insideline: {error}", err=True)
        raise click.exceptions.Exit(2) from error
    mine = [fault for fault in made.faults if fault.file.startswith("conf/")]
    if not any(fault.severity == "error" for fault in mine):
        from engine.cli.withheld import withheld

        mine += withheld(made)
    elsewhere = len(made.faults.errors) + len(made.host.faults)
    errors = sum(fault.severity == "error" for fault in mine)
    elsewhere -= errors
    if as_json:
        echo_json([fault.to_json() for fault in mine])
    else:
        for fault in mine:
            click.echo(fault.pretty(), err=True)
        if errors:
            click.echo(many(errors, "fault"), err=True)
        else:
            held = made.acd
            counts = (
                f"{many(len(held.queues), 'queue')}, {many(len(held.agents), 'agent')}" if held else "conf"
            )
            more = f", {many(len(mine), 'warning')}" if mine else ""
            click.echo(f"{counts}, no fault{more}")
        if elsewhere:
            click.echo(
                f"{many(elsewhere, 'fault')} outside conf/ (`insideline flow check` shows them)", err=True
            )
    raise click.exceptions.Exit(1 if errors else 0)
