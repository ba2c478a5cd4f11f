"""``insideline schema``: JSON Schemas for editors. Needs no running engine, and no sound files either."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.failing import Failed
from engine.cli.home import home, home_option

if TYPE_CHECKING:
    from engine.app.installation import Installation

names_option = click.option(
    "--names/--no-names",
    default=True,
    help="With the names of this home (its queues, prompts …), or without.",
)


@click.command()
@click.argument("kind", required=False)
@click.option(
    "--write",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write all of them there, and the settings of an editor.",
)
@names_option
@home_option
def schema(kind: str | None, folder: Path | None, names: bool) -> None:
    """Print the JSON Schema of a kind of file, or write all of them.

    Without KIND: which there are, and the files that they are for.
    """
    from engine.app.schemas import KINDS, write_schemas
    from engine.schema.faults import did_you_mean

    if kind is not None and kind not in KINDS:
        hint = did_you_mean(kind, KINDS)
        raise Failed(f"there is no schema `{kind}`" + (f" ({hint})" if hint else ""))
    if folder is not None:
        made = _installation() if names else None
        for path in write_schemas(folder, made, home()):
            click.echo(str(path))
        return
    if kind is None:
        for one in KINDS.values():
            click.echo(f"{one.word:<10} {one.about:<32} {', '.join(one.files)}")
        return
    show(kind, names=names)


def show(kind: str, *, names: bool) -> None:
    """Print one."""
    from engine.app.schemas import KINDS

    made = _installation() if names else None
    click.echo(json.dumps(KINDS[kind].schema(made), ensure_ascii=False, indent=1))


def _installation() -> Installation:
    from engine.cli.offline import installation_of

    return installation_of(home())
