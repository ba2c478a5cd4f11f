"""``insideline call``: the live calls."""

from __future__ import annotations

import click

from engine.cli.client import Engine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, echo_json, json_option, length, listing, moment, short, since

_COLUMNS: tuple[Column, ...] = (
    ("call", lambda row: short(row["id"])),
    ("from", "number"),
    ("to", "dialled"),
    ("state", "state"),
    ("step", lambda row: f"{row['flow']} {row['step']}".strip()),
    ("queue", "queue"),
    ("agent", "agent"),
    ("language", "language"),
    ("for", lambda row: since(row["began"])),
)


@click.group()
def call() -> None:
    """The live calls. A call is named by its id, or by as many first signs of it as name only one."""


@call.command("list")
@home_option
@json_option
def list_calls(as_json: bool) -> None:
    """All live calls, oldest first."""
    with Engine(home()) as engine:
        listing(engine.get("/calls"), _COLUMNS, as_json=as_json, empty="no calls")


@call.command("show")
@click.argument("id")
@home_option
@json_option
def show_call(id: str, as_json: bool) -> None:
    """One call: where it is, or what it was."""
    with Engine(home()) as engine:
        try:
            live = engine.get(f"/calls/{id}")
        except Failed as not_live:
            try:
                over = engine.get(f"/cdrs/{id}")
            except Failed:
                raise not_live from None
            _show_over(over, as_json=as_json)
            return
    if as_json:
        echo_json(live)
        return
    for title, what in _COLUMNS:
        value = live["id"] if title == "call" else (what(live) if callable(what) else live[what])
        if value:
            click.echo(f"{title:<10}{value}")


def _show_over(over: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        echo_json(over)
        return
    row = over["cdr"]
    assert isinstance(row, dict)
    for title, value in (
        ("call", row["call"]),
        ("from", row["number"]),
        ("to", row["dialled"]),
        ("arrived", moment(row["arrived"])),
        ("lasted", length(row["seconds"])),
        ("flow", f"{row['flow']} revision {row['revision']} ({row['flow_hash']})" if row["flow"] else ""),
        ("outcome", row["outcome"]),
        ("waited", length(row["waited"]) if row["waited"] else ""),
        ("talked", f"{length(row['talked'])} with {row['agent']}" if row["talked"] else ""),
        ("recording", row["recording"]),
        ("cause", row["cause"]),
    ):
        if value:
            click.echo(f"{title:<10}{value}")
    journal = over["journal"]
    assert isinstance(journal, list)
    for entry in journal:
        more = " ".join(f"{key}={value}" for key, value in (entry["data"] or {}).items())
        click.echo(
            f"  {moment(entry['at'])}  {entry['kind']:<22} {entry['queue']} {entry['agent']} {more}".rstrip()
        )


@call.command("hangup")
@click.argument("id")
@click.option("--cause", default="NORMAL_CLEARING", show_default=True, help="The hang-up cause.")
@home_option
def hangup(id: str, cause: str) -> None:
    """End a call."""
    with Engine(home()) as engine:
        ended = engine.delete(f"/calls/{id}", cause=cause)
    click.echo(f"hung up {short(ended['id'])} ({ended['number'] or 'withheld'} -> {ended['dialled']})")
