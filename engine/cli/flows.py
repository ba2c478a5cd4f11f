"""``insideline flow``: checking and listing what calls are led by. Needs no running engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.coverage import coverage, show_walked, walked
from engine.cli.home import home, home_option
from engine.cli.schema import names_option, show
from engine.cli.show import Column, echo_json, json_option, listing, many

if TYPE_CHECKING:
    from engine.app import Installation

_COLUMNS: tuple[Column, ...] = (
    ("flow", "name"),
    ("revision", "revision"),
    ("title", "title"),
    ("owner", "owner"),
    ("languages", "languages"),
    ("blocks", "blocks"),
    ("hash", "hash"),
)
_SPARE = ("hash", "owner", "languages", "title")


@click.group()
def flow() -> None:
    """The flows."""


flow.add_command(coverage)


@flow.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="A JSON array of the faults, for editors.")
@click.option(
    "--coverage",
    "with_coverage",
    is_flag=True,
    help="Also what tests never walked (`pytest --flow-coverage`).",
)
def check(as_json: bool, with_coverage: bool) -> None:
    """Check all flows, dialplans, calendars, prompts and conf files.

    Exit 0: clean (warnings are shown). 1: faults, or with --coverage a block that no test walks. 2: it could not run.
    """
    place = home()
    try:
        from engine.cli.offline import installation_of

        made = installation_of(place)
    except OSError as error:
        click.echo(f"insideline: {error}", err=True)
        raise click.exceptions.Exit(2) from error
    plugins = [
        {"plugin": one.plugin, "message": one.message, "traceback": one.traceback} for one in made.host.faults
    ]
    faults = list(made.faults)
    errors = len(made.faults.errors) + len(plugins)
    if as_json:
        echo_json([*(fault.to_json() for fault in faults), *(_plugin_row(one) for one in plugins)])
    else:
        for fault in faults:
            click.echo(fault.pretty(), err=True)
        for one in plugins:
            click.echo(
                f"plugins/{one['plugin']}: error[plugin]: {one['traceback'] or one['message']}", err=True
            )
        if errors:
            click.echo(f"{many(errors, 'fault')}", err=True)
        else:
            flows = len(made.flows) if made.flows is not None else 0
            more = f", {many(len(faults), 'warning')}" if faults else ""
            click.echo(f"{many(flows, 'flow')}, no fault{more}")
    if with_coverage and not errors:
        errors = _never_walked(made, place, as_json)
    raise click.exceptions.Exit(1 if errors else 0)


def _never_walked(made: Installation, place: Path, quiet: bool) -> int:
    """How many blocks no test walks; shows them, and the ways that none took, unless ``quiet``."""
    found = walked(made, place)
    if not quiet:
        show_walked(found)
    blocks = sum(of - reached for reached, of in (row.blocks for row in found))
    if blocks:
        click.echo(f"{many(blocks, 'block')} never walked by a test", err=True)
    return blocks


def _plugin_row(fault: dict[str, str]) -> dict[str, Any]:
    return {
        "file": f"plugins/{fault['plugin']}",
        "line": 0,
        "column": 0,
        "end": 0,
        "severity": "error",
        "code": "plugin",
        "message": fault["message"],
        "hint": "",
        "fix": "",
    }


@flow.command("list")
@home_option
@json_option
def list_flows(as_json: bool) -> None:
    """All flows of this home, as its files say now."""
    from engine.cli.failing import Failed
    from engine.cli.offline import installation_of
    from engine.web.app import flow_rows

    made = installation_of(home())
    if made.flows is None:
        raise Failed(f"the flows have {len(made.faults.errors)} faults (`insideline flow check` shows them)")
    listing(
        flow_rows(made.flows.flows.values()),
        _COLUMNS,
        as_json=as_json,
        empty="no flows",
        spare=_SPARE,
    )


@flow.command("schema")
@names_option
@home_option
def flow_schema(names: bool) -> None:
    """Print the JSON Schema of flows, for editors.

    It knows every kind of step with its keys and ways, those of plugins too, and the names of this home.
    """
    show("flow", names=names)


@flow.command("reference")
@click.option(
    "--write",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the pages go.",
)
@home_option
def write_reference(folder: Path) -> None:
    """Write the reference of the steps, a page for each kind, those of plugins too."""
    from engine.app.installation import steps_of
    from engine.cli.offline import installation_of
    from engine.flows import reference

    for path in reference.write_reference(folder, steps_of(installation_of(home()).host)):
        click.echo(str(path))
