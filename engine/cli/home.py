"""Which home a command works on, and how it is reached there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from engine.cli.failing import Failed

F = TypeVar("F", bound=Callable[..., Any])

_MARKS = ("conf", "dialplans")
_KEY = "insideline.home"
TIMEZONE = "Asia/Shanghai"  # of a conf/engine.yaml that says none: as Settings has it
_found: Path | None = None  # for greenlets of the command, which have no context


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
        is_eager=True,  # a time among the other options is one of this centre
        expose_value=False,
        callback=_remember,
        help="The centre's folder (default: the one you are in).",
    )
    return option(function)


def home() -> Path:
    """The home that was said, or the one that we are in; :class:`Failed` when we are in none."""
    global _found
    context = click.get_current_context(silent=True)
    said = context.meta.get(_KEY) if context is not None else _found
    if isinstance(said, Path):
        _found = said
        return said
    here = Path.cwd()
    for folder in (here, *here.parents):
        if all((folder / mark).is_dir() for mark in _MARKS):
            _found = folder
            return folder
    raise Failed(
        f"{here} is no home of a centre (there is no conf/ and dialplans/): "
        "say --home DIR, or make one with `insideline init DIR`"
    )


def zone() -> tzinfo | None:
    """The time zone of the centre, as its conf/engine.yaml says; None (this machine's) where there is no home, or it
    can't be read: other commands say why."""
    try:
        file = home() / "conf" / "engine.yaml"
        return _zone_in(file, file.stat().st_mtime_ns)
    except (Failed, OSError):
        return None


@lru_cache(maxsize=8)
def _zone_in(file: Path, _changed: int) -> tzinfo | None:
    # Not through the settings as a whole: reading those takes longer than most commands.
    import yaml

    try:
        tree: Any = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        said = {key.value: value.value for key, value in tree.value}.get("timezone", TIMEZONE)
        return ZoneInfo(said)
    except (yaml.YAMLError, ValueError, OSError, AttributeError, TypeError, KeyError):
        return None
