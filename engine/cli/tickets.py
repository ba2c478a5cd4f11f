"""``insideline ticket``: what departments owe, and what became of it."""

from __future__ import annotations

import getpass
from typing import Any

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.offline import ticket_kinds_of
from engine.cli.show import (
    Column,
    echo_json,
    json_object,
    json_option,
    limit_option,
    listing,
    moment,
    short,
    span,
)

_COLUMNS: tuple[Column, ...] = (
    ("ticket", "number"),
    ("kind", "kind"),
    ("state", "state"),
    ("group", "group"),
    ("owner", "owner"),
    ("due", lambda row: moment(row["due"])),
    ("overdue", lambda row: "yes" if row["escalated"] else ""),
    ("caller", "caller"),
    ("opened", lambda row: moment(row["opened"])),
    ("department", "department"),
)

_ANSWERS = (("answer", "answer"), ("reopened", "reopens"), ("returned", "returns"))

_by = click.option("--as", "by", default="", help="Who does it: an agent's id, or a name; you when left out.")


@click.group()
def ticket() -> None:
    """The tickets: what departments owe somebody, until it is done."""


@ticket.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are solved or closed.")
@click.option("--overdue", is_flag=True, help="Only what is past its time.")
@click.option(
    "--state",
    type=click.Choice(["open", "assigned", "returned", "solved", "closed", "reopened"]),
    help="Only in this state.",
)
@click.option("--department", help="Of this department.")
@click.option("--kind", help="Of this kind.")
@click.option("--group", help="For this group.")
@click.option("--owner", help="With this person.")
@click.option("--caller", help="From this number.")
@click.option("--data", multiple=True, metavar="NAME=VALUE", help="That says this; may be given again.")
@limit_option
@home_option
@json_option
def list_tickets(
    everything: bool,
    overdue: bool,
    state: str | None,
    data: tuple[str, ...],
    limit: int,
    as_json: bool,
    **wanted: str | None,
) -> None:
    """Where somebody has to do something, what is due first in front."""
    owed = not everything and not state
    with Engine(home()) as engine:
        rows = engine.get(
            "/tickets",
            state=state,
            limit=limit,
            owed=_flag(owed),
            overdue=_flag(overdue),
            data=list(data),
            **wanted,
        )
    spare = ("department", "opened", "caller", "overdue", "owner")
    listing(rows, _COLUMNS, as_json=as_json, empty="no tickets", spare=spare)


@ticket.command("show")
@click.argument("number")
@home_option
@json_object
def show_ticket(number: str, as_json: bool) -> None:
    """One ticket, with its history and what belongs to it."""
    with Engine(home()) as engine:
        found = engine.get(f"/tickets/{number}")
    if as_json:
        echo_json(found)
        return
    row = found["ticket"]
    pairs = [(title, what(row) if callable(what) else row[what]) for title, what in _COLUMNS]
    pairs += [(title, row[name]) for title, name in _ANSWERS]
    pairs = [(title, value) for title, value in pairs if value]
    for name, value in row["data"].items():
        pairs.append((f"  {name}", ("no", "yes")[value] if isinstance(value, bool) else value))
    for kind, ref in row["links"]:
        pairs.append((kind, short(ref) if kind == "call" else ref))
    wide = max(10, *(len(title) for title, _ in pairs)) + 2
    for title, value in pairs:
        click.echo(f"{title:<{wide}}{value}")
    click.echo()
    for one in found["history"]:
        by = f" by {one['by']}" if one["by"] else ""
        note = f"  {one['note']}" if one["note"] else ""
        click.echo(f"  {moment(one['at'])}  {one['what']:<10}{by}{note}")


def _do(number: str, deed: str, by: str, **body: str) -> dict[str, Any]:
    with Engine(home()) as engine:
        done: dict[str, Any] = engine.post(f"/tickets/{number}/{deed}", by=by or getpass.getuser(), **body)
    owner = f", with {done['owner']}" if done["owner"] else ""
    click.echo(f"ticket {done['number']} is {done['state']}{owner}")
    return done


@ticket.command()
@click.argument("number")
@click.argument("owner")
@_by
@home_option
def assign(number: str, owner: str, by: str) -> None:
    """Give it to somebody."""
    _do(number, "assign", by, owner=owner)


@ticket.command()
@click.argument("number")
@_by
@home_option
def take(number: str, by: str) -> None:
    """Take it yourself."""
    _do(number, "take", by, owner=by or getpass.getuser())


@ticket.command()
@click.argument("number")
@click.argument("text")
@_by
@home_option
def answer(number: str, text: str, by: str) -> None:
    """Answer it: who asked hears TEXT when asking how it stands. It is solved then."""
    _do(number, "answer", by, text=text)


@ticket.command("return")
@click.argument("number")
@click.argument("why")
@_by
@home_option
def give_back(number: str, why: str, by: str) -> None:
    """Give it back to its group."""
    _do(number, "return", by, text=why)


@ticket.command()
@click.argument("number")
@click.argument("text")
@_by
@home_option
def note(number: str, text: str, by: str) -> None:
    """Write something down."""
    _do(number, "note", by, text=text)


@ticket.command()
@click.argument("number")
@click.argument("text", required=False, default="")
@_by
@home_option
def solve(number: str, text: str, by: str) -> None:
    """It is done."""
    _do(number, "solve", by, text=text)


@ticket.command()
@click.argument("number")
@click.argument("text", required=False, default="")
@_by
@home_option
def close(number: str, text: str, by: str) -> None:
    """It is over."""
    _do(number, "close", by, text=text)


@ticket.command()
@click.argument("number")
@click.argument("why")
@_by
@home_option
def reopen(number: str, why: str, by: str) -> None:
    """It was not done after all."""
    _do(number, "reopen", by, text=why)


@ticket.command()
@home_option
@json_option
def kinds(as_json: bool) -> None:
    """The kinds of tickets that departments declare, with their fields. Needs no running engine."""
    rows = ticket_kinds_of(home())
    columns: tuple[Column, ...] = (
        ("department", "department"),
        ("kind", "kind"),
        ("group", "group"),
        ("due within", lambda row: span(row["within"]) if row["within"] else ""),
        ("calendar", "calendar"),
        ("escalate", "escalate"),
        ("fields", lambda row: [f"{one}*" if one in row["required"] else one for one in row["fields"]]),
    )
    listing(rows, columns, as_json=as_json, empty="no department declares kinds of tickets")


def _flag(on: bool) -> str:
    return "true" if on else ""
