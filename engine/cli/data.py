"""``insideline data``: the sample company, and two weeks of its past, to try reports on."""

from __future__ import annotations

import re

import click

from engine.cli.client import Engine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import echo_json, json_object

FEWEST_DAYS, MOST_DAYS = 14, 90
"""What departments tell of the sample company's past lies within two weeks."""


class Days(click.ParamType[int]):
    """``14d``, or a number of days."""

    name = "days"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([0-9]{1,3})d?", str(value))
        if found is None or not (int(found[1]) == 0 or FEWEST_DAYS <= int(found[1]) <= MOST_DAYS):
            self.fail(f"{value!r} is none of {FEWEST_DAYS}d to {MOST_DAYS}d; 0 for no past", param, ctx)
        return int(found[1])


@click.group()
def data() -> None:
    """The sample company."""


@data.command()
@click.option(
    "--history", default="14d", show_default=True, type=Days(), help="How much of its past; 0 for none."
)
@home_option
@json_object
def seed(history: int, as_json: bool) -> None:
    """Fill empty tables with the sample company, and write its past: calls, queue figures, tickets, ratings, and what
    each department adds. Twice is as once. A database with real calls is refused, and so is one that an engine uses."""
    from engine.app.app import department_tables
    from engine.app.history import seed as seed_history
    from engine.cli.offline import installation_of, quiet
    from engine.clock import Clock
    from engine.store.store import Store

    place = home()
    with Engine(place) as engine:
        if engine.runs:
            raise Failed("an engine runs in this home: stop it first")
    made, clock = installation_of(place), Clock()
    quiet()
    made.require_sound()
    store = Store(made.folders.database_url, clock, made.folders.var, departments=department_tables(made))
    store.open()
    try:
        done = seed_history(made, store, clock, history)
    finally:
        store.close()
    if as_json:
        echo_json(done)
        return
    click.echo(
        f"sample data of {', '.join(done.samples)}" if done.samples else "the sample data was there already"
    )
    if done.days:
        added = f", and what {', '.join(done.departments)} added" if done.departments else ""
        click.echo(f"{done.days} days of history: {done.calls} calls{added}")
    elif history:
        click.echo("the history was there already")
