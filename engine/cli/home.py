"""Which home a command works on, and how it is reached there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class OfHome(click.Group):
    """A group whose commands depend on the home: a ``--home`` after a command's name holds for finding it, too."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        said = _said_in(args)
        if said is not None:
            ctx.meta[_KEY] = _FOLDER.convert(said, None, ctx).resolve()
        return super().resolve_command(ctx, args)


def _said_in(words: Sequence[str]) -> str | None:
    """The ``--home`` among words that nobody has read yet; the last one holds, as it does for click."""
    said = None
    for at, word in enumerate(words):
        if word == "--":
            break
        if word == "--home" and at + 1 < len(words):
            said = words[at + 1]
        elif word.startswith("--home="):
            said = word.partition("=")[2]
    return said


def home_option(function: F) -> F:
    """``--home DIR`` for a command; :func:`home` tells what was said."""
    option = click.option(
        "--home",
        metavar="DIR",
        envvar="INSIDELINE_HOME",
        type=_FOLDER,
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
