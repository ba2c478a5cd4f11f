"""``insideline fs``: an operator's own command to the switch, through the engine's event socket."""

from __future__ import annotations

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@home_option
def fs(command: tuple[str, ...]) -> None:
    """Give the switch an API command, as in `insideline fs sofia status`."""
    with Engine(home()) as engine:
        click.echo(engine.post("/switch", command=" ".join(command))["answer"].rstrip("\n"))
