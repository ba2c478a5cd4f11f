"""Lists and times as people read them, and as ``--json`` gives them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.cli.home import zone

F = TypeVar("F", bound=Callable[..., Any])
Column = tuple[str, str | Callable[[dict[str, Any]], object]]

json_option = click.option("--json", "as_json", is_flag=True, help="A JSON array, for programs.")
limit_option = click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many."
)
json_object = click.option("--json", "as_json", is_flag=True, help="A JSON object, for programs.")


def echo_json(value: Any) -> None:
    """``value`` as JSON on stdout."""
    import orjson

    from engine.web.answers import to_json

    plain = orjson.loads(to_json(value))
    click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())


def listing(
    rows: Sequence[dict[str, Any]],
    columns: Sequence[Column],
    *,
    as_json: bool,
    empty: str,
    spare: Sequence[str] = (),
) -> None:
    """Show a list: as a table, or as a JSON array. ``empty`` is what people read when there is nothing.

    ``spare`` are columns that a narrow terminal does without, the least missed first; those with nothing in them
    go before the others.
    """
    if as_json:
        echo_json(list(rows))
        return
    if not rows:
        click.echo(empty)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    cells = {title: [_cell(row, what) for row in rows] for title, what in columns}
    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, highlight=False, markup=False)
    left_out = _spared(cells, spare, console.width) if terminal else []
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for title in cells:
        table.add_column(title, overflow="fold")
    for row in zip(*cells.values(), strict=True):
        table.add_row(*row)
    # Into a pipe nothing is cut: whoever reads there wants the whole line.
    if not terminal:
        console.width = max(console.width, _width(cells) + 2)
    console.print(table)
    if left_out:
        click.echo(click.style(f"also, where there is room, and by --json: {', '.join(left_out)}", dim=True))


def _spared(cells: dict[str, list[str]], spare: Sequence[str], room: int) -> list[str]:
    """Take columns out of ``cells`` until they fit; those that held something."""
    left_out = []
    for title in sorted(spare, key=lambda one: any(cells[one])):
        if _width(cells) <= room:
            break
        if any(cells.pop(title)):
            left_out.append(title)
    return left_out


def _width(cells: dict[str, list[str]]) -> int:
    from rich.cells import cell_len

    return sum(2 + max(map(cell_len, (title, *column))) for title, column in cells.items()) - 1


def _cell(row: dict[str, Any], what: str | Callable[[dict[str, Any]], object]) -> str:
    value = row.get(what, "") if isinstance(what, str) else what(row)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def short(call: str) -> str:
    """The beginning of a call's id, enough to name it."""
    return call[:8]


def short_recording(id: str) -> str:
    """The same for a recording, whose id is that of its call and the number of the part."""
    call, dash, part = id.rpartition("-")
    return f"{short(call)}-{part}" if dash and part.isdigit() else id


def moment(text: str | None) -> str:
    """A time of the control API in the time zone of the centre; the date only when it is not today."""
    if not text:
        return ""
    there = zone()
    when = datetime.fromisoformat(text).astimezone(there)
    same = when.date() == datetime.now(UTC).astimezone(there).date()
    return when.strftime("%H:%M:%S" if same else "%Y-%m-%d %H:%M:%S")


def since(text: str | None) -> str:
    """How long ago."""
    if not text:
        return ""
    return length((datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds())


def length(seconds: float) -> str:
    """A length of time: ``7 s``, ``2:05``, ``1:02:05``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def span(seconds: float) -> str:
    """A time that somebody is given: ``15 min``, ``4 h``, ``37 h 30 min``."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part
    )


def as_typed(hint: str) -> str:
    """A hint that begins with ``insideline`` as it must be typed here: by its path where it is not on PATH."""
    name, space, rest = hint.partition(" ")
    if name != "insideline" or shutil.which(name):
        return hint
    program = Path(sys.argv[0])
    if program.name != name:
        return hint
    return f"{os.path.relpath(program)}{space}{rest}"


def many(number: int, what: str) -> str:
    """``1 call``, ``2 calls``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


class Moment(click.ParamType[datetime]):
    """A time of the centre as people say it: ``2026-11-22``, ``2026-11-22 08:30``, ``today``, ``90m`` (ago), ``2h``,
    ``7d``."""

    name = "moment"
    _UNITS = {"m": "minutes", "h": "hours", "d": "days"}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        there = zone()
        now = datetime.now(UTC).astimezone(there)
        text = str(value).strip()
        if text == "today":
            return now.replace(hour=0, minute=0, second=0, microsecond=0)
        if text[:-1].isdigit() and text[-1:] in self._UNITS:
            try:
                return now - timedelta(**{self._UNITS[text[-1]]: int(text[:-1])})
            except OverflowError:
                self.fail(f"{text} is too long ago", param, ctx)
        try:
            said = datetime.fromisoformat(text)
            return said.astimezone() if there is None or said.tzinfo else said.replace(tzinfo=there)
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is no time; say today, 2h, 2026-11-22 or 2026-11-22 08:30", param, ctx)


def window(function: F) -> F:
    """``--since``, ``--until`` and ``--limit`` for a list that comes from the database."""
    for option in (
        click.option(
            "--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many."
        ),
        click.option("--until", type=Moment(), metavar="TIME", help="Before this time."),
        click.option(
            "--since", type=Moment(), metavar="TIME", help="From this time on: today, 2h, 2026-11-22."
        ),
    ):
        function = option(function)
    return function


def iso(when: datetime | None) -> str | None:
    """A moment as the control API takes it."""
    return when.isoformat() if when is not None else None
