"""``insideline party``: who calls. Works beside a running engine and without one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from engine.cli.client import Engine, NoEngine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, echo_json, json_object, json_option, length, listing

_COLUMNS: tuple[Column, ...] = (
    ("id", "id"),
    ("kind", "kind"),
    ("code", "code"),
    ("name", "name"),
    ("tier", "tier"),
    ("language", "language"),
    ("region", "region"),
    ("numbers", "numbers"),
    ("locked", lambda row: f"{length(row['locked'])} more" if row["locked"] else ""),
)


@click.group()
def party() -> None:
    """Who calls: dealers, suppliers, employees, branches, customers.

    A party is named by kind/code (dealer/44010001), by its code, a number of its own, or its id.
    """


@party.command("list")
@click.argument("text", default="")
@click.option("--kind", default="", help="Of this kind: dealer, employee …")
@click.option("--tier", default="", help="Of this tier: diamond, gold …")
@click.option("--region", default="", help="Of this region.")
@click.option("--site", default="", help="Of this site or branch.")
@click.option("--department", default="", help="Looked after by this department.")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many."
)
@home_option
@json_option
def list_parties(text: str, limit: int, as_json: bool, **wanted: str) -> None:
    """All parties, or those with TEXT in their name, or as their code or number."""
    rows = _do("list", text=text, limit=limit, **wanted)
    listing(rows, _COLUMNS, as_json=as_json, empty="no parties", spare=("region", "language", "numbers"))


@party.command("show")
@click.argument("name")
@home_option
@json_object
def show_party(name: str, as_json: bool) -> None:
    """One party."""
    row = _do("show", name=name)
    if as_json:
        echo_json(row)
        return
    _print(row)


def _facts(command: Callable[..., Any]) -> Callable[..., Any]:
    for option, about in (
        ("--notes", "What the desk should know."),
        ("--department", "The department that looks after it."),
        ("--stage", "prospect, new, satisfied, kept, long-standing …"),
        ("--region", "The region."),
        ("--site", "The site or branch."),
        ("--language", "The language that it speaks: zh-CN, en."),
        ("--tier", "diamond, gold, ordinary …"),
        ("--code", "What it types to be known."),
    ):
        command = click.option(option, default="", help=about)(command)
    return command


@party.command("add")
@click.argument("kind")
@click.argument("name")
@_facts
@click.option("--number", "numbers", multiple=True, help="A number that it calls from; may be given again.")
@click.option("--change", is_flag=True, help="Change the party of that kind and code, if it is there.")
@home_option
@json_object
def add(kind: str, name: str, numbers: tuple[str, ...], change: bool, as_json: bool, **facts: str) -> None:
    """Add a party: KIND is dealer, supplier, employee, branch, customer, or a word of your own."""
    row = _do("add", kind=kind, name=name, numbers=list(numbers), change=change, **facts)
    if as_json:
        echo_json(row)
        return
    _print(row)


@party.command("set-pin")
@click.argument("name")
@click.option("--none", is_flag=True, help="Take its PIN away.")
@home_option
def set_pin(name: str, none: bool) -> None:
    """Give a party its PIN (asked for, or read from the first line of a pipe), and unlock it."""
    pin = ""
    if not none:
        pin = _pin()
        if not pin:
            raise Failed("a PIN is 4 to 12 digits")
    row = _do("set-pin", name=name, pin=pin)
    click.echo(f"{row['kind']} {row['code']} {row['name']}: the PIN is {'gone' if none else 'set'}")


@party.command("hash-pin")
def hash_pin() -> None:
    """Print the argon2 hash of a PIN (asked for, or read from a pipe), for the column pin_hash of a table."""
    from engine.errors import WrongState
    from engine.records.party_table import hash_of

    try:
        click.echo(hash_of(_pin()))
    except WrongState as error:
        raise Failed(str(error)) from None


def _pin() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("PIN (4 to 12 digits)", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().strip()


@party.command("unlock")
@click.argument("name", default="")
@click.option("--number", default="", help="Unlock callers from this number instead.")
@home_option
def unlock(name: str, number: str) -> None:
    """Let a party (and its numbers), or a number, try its PIN again."""
    if bool(name) == bool(number):
        raise Failed("say a party, or --number and a number")
    row = _do("unlock", name=name, number=number)
    click.echo(f"unlocked {row['number'] if number else row['name']}")


@party.command("remove")
@click.argument("name")
@home_option
def remove(name: str) -> None:
    """Forget a party, its numbers and its PIN."""
    row = _do("remove", name=name)
    click.echo(f"removed {row['kind']} {row['code']} {row['name']}")


@party.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--change", is_flag=True, help="Change the parties that are there already.")
@home_option
def import_(file: Path, change: bool) -> None:
    """Add the parties of a CSV file, all or none. Its first line names the columns: kind, name, code, tier, language,
    site, region, stage, department, notes, numbers (with blanks between), pin or pin_hash."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Failed(f"{file} is not UTF-8: save it as CSV UTF-8") from None
    click.echo(f"{_do('import', csv=text, change=change)['kept']} parties kept")


def _print(row: dict[str, Any]) -> None:
    more: tuple[Column, ...] = (
        ("site", "site"),
        ("stage", "stage"),
        ("department", "department"),
        ("notes", "notes"),
    )
    columns: list[Column] = [*_COLUMNS, *more]
    for title, what in columns:
        value: Any = row[what] if isinstance(what, str) else what(row)
        if value:
            shown = ", ".join(value) if isinstance(value, list) else value
            click.echo(f"{title:<12}{shown}")


def _do(deed: str, **told: Any) -> Any:
    """A deed of :mod:`engine.records.party_desk`: done by the running engine, which knows the locks, or here."""
    place = home()
    try:
        with Engine(place) as engine:
            return engine.post(f"/parties/{deed}", **told)
    except NoEngine:
        from engine.cli.offline import parties_of, quiet
        from engine.records import party_desk

        quiet()
        with parties_of(place) as parties:
            return party_desk.do(parties, deed, told)
