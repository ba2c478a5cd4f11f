"""``insideline db``: the database's tables."""

from __future__ import annotations

import click

from engine.cli.client import Engine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option


@click.group()
def db() -> None:
    """The database."""


@db.command()
@home_option
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def upgrade(dry_run: bool) -> None:
    """Bring the tables to what this program wants. Stop the engine first, and keep a copy."""
    from engine.cli.offline import quiet, store_of

    place = home()
    if not dry_run:
        with Engine(place) as engine:
            if engine.runs:
                raise Failed("an engine runs in this home: stop it first")
    with store_of(place, readonly=False) as store:
        quiet()
        changes = store.pending_upgrades() if dry_run else store.upgrade()
    for change in changes:
        click.echo(f"{'would change ' if dry_run else ''}{change}")
    if not changes:
        click.echo("nothing to do")
