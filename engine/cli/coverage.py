"""``insideline flow coverage``, and ``flow check --coverage``: what tests never walked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import echo_json, json_option

if TYPE_CHECKING:
    from engine.app import Installation
    from engine.flows.coverage import FlowCoverage


@click.command()
@click.option(
    "--fail-under", metavar="PERCENT", type=click.FloatRange(0, 100), help="Exit 1 when it is less."
)
@click.option("--erase", is_flag=True, help="Forget what was walked so far.")
@home_option
@json_option
def coverage(fail_under: float | None, erase: bool, as_json: bool) -> None:
    """Which blocks and ways of the flows no test has walked.

    Run the tests with `pytest --flow-coverage` before; each run adds to what was walked. What was walked of a flow
    counts until the flow is changed.
    """
    from engine.cli.offline import installation_of
    from engine.flows import coverage as kept

    place = home()
    if erase:
        (place / "var" / kept.FILE).unlink(missing_ok=True)
        return
    found = walked(installation_of(place), place)
    percent = kept.total(found)
    if as_json:
        echo_json({"percent": round(percent, 1), "flows": [row.to_json() for row in found]})
    else:
        show_walked(found)
    if fail_under is not None and percent < fail_under:
        raise click.exceptions.Exit(1)


def walked(made: Installation, place: Path) -> list[FlowCoverage]:
    """What the tests walked of the flows of this home. Raises :class:`Failed` where that can't be said."""
    from engine.flows import coverage as kept

    path = place / "var" / kept.FILE
    if not path.is_file():
        raise Failed(f"nothing was walked yet (there is no {path}): run `pytest --flow-coverage`")
    if made.flows is None:
        raise Failed(f"the flows have {len(made.faults.errors)} faults (`insideline flow check` shows them)")
    try:
        return kept.coverage(made.flows.flows, kept.read_walked(path))
    except ValueError as error:
        raise Failed(str(error)) from error


def show_walked(found: list[FlowCoverage]) -> None:
    """The table, and below it the places that no test came by."""
    from engine.flows import coverage as kept

    wide = max((len(row.flow) for row in found), default=4)
    click.echo(f"{'flow':<{wide}}  {'blocks':>7}  {'ways':>7}       %")
    for row in found:
        blocks, ways = (f"{walked}/{of}" for walked, of in (row.blocks, row.ways))
        click.echo(f"{row.flow:<{wide}}  {blocks:>7}  {ways:>7}  {row.percent:5.1f}")
    click.echo(f"{'all':<{wide}}  {'':>7}  {'':>7}  {kept.total(found):5.1f}")
    missed = [one for row in found for one in row.missed]
    if missed:
        click.echo("")
    for one in missed:
        click.echo(str(one))
