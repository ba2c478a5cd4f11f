"""Which home a command works on, and how it is reached there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.cli.failing import Failed

F = TypeVar("F", bound=Callable[..., Any])

_MARKS = ("conf", "dialplans")
_KEY = "insideline.home"


def _remember(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    if value is None:
        return
    said = ctx.get_parameter_source("home") is not click.core.ParameterSource.ENVIRONMENT
    if said or _KEY not in ctx.meta:  # `insideline --home A status` wins over the environment, too
        ctx.meta[_KEY] = value.resolve()


def home_option(function: F) -> F:
    """``--home DIR`` for a command; :func:`home` tells what was said."""
    option = click.option(
        "--home",
        metavar="DIR",
        envvar="INSIDELINE_HOME",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        expose_value=False,
        callback=_remember,
        help="The centre's folder (default: the one you are in).",
    )
    return option(function)


def home() -> Path:
    """The home that was said, or the one that we are in; :class:`Failed` when we are in none."""
    said = click.get_current_context().meta.get(_KEY)
    if isinstance(said, Path):
        return said
    here = Path.cwd()
    for folder in (here, *here.parents):
        if all((folder / mark).is_dir() for mark in _MARKS):
            return folder
    raise Failed(
        f"{here} is no home of a centre (there is no conf/ and dialplans/): "
        "say --home DIR, or make one with `insideline init DIR`"
    )
