"""How a command fails: one clear line on stderr (more only for lists of faults), and a non-zero exit."""

from __future__ import annotations

from typing import IO, Any

import click


class Failed(click.ClickException):
    """A command can't do what it was asked for."""

    def show(self, file: IO[Any] | None = None) -> None:
        # A list of faults begins each line with its place, as editors and people expect.
        text = self.message if "\n" in self.message else f"insideline: {self.message}"
        click.echo(text, file=file, err=file is None)
