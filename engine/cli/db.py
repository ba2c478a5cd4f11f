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


@db.command()
@click.argument("department")
@click.argument("message")
@home_option
def revision(department: str, message: str) -> None:
    """Write a migration of DEPARTMENT: what its models have that its migrations do not make yet.

    It goes into the department's folder migrations/, to be read before `db upgrade` runs it: a column that was
    renamed looks like one that went and one that came. Write the first one before you change models whose tables
    are in use.
    """
    from engine.app.app import department_tables
    from engine.cli.offline import installation_of, quiet
    from engine.store.revisions import write_revision

    made = installation_of(home())
    quiet()
    found = next((one for one in department_tables(made) if one.name == department), None)
    folder = made.host.folders.get(department)
    if found is None or folder is None:
        raise Failed(f"there is no department {department} with tables in this home")
    written = write_revision(found, folder / "migrations", message)
    click.echo("nothing to do: the migrations make what the models want" if written is None else str(written))
