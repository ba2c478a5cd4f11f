"""``insideline call``: the live calls."""

from __future__ import annotations

import click

from engine.cli.client import Engine, NoEngine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, echo_json, json_object, json_option, length, listing, moment, short, since

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
    """The live calls, and what one was. A call is named by its id, or by the beginning that lists show."""


@call.command("list")
@home_option
@json_option
def list_calls(as_json: bool) -> None:
    """All live calls, oldest first."""
    with Engine(home()) as engine:
        listing(
            engine.get("/calls"),
            _COLUMNS,
            as_json=as_json,
            empty="no calls",
            spare=("language", "agent", "queue"),
        )


@call.command("show")
@click.argument("id")
@home_option
@json_object
def show_call(id: str, as_json: bool) -> None:
    """One call: where it is, or what it was."""
    place = home()
    with Engine(place) as engine:
        try:
            live = engine.get(f"/calls/{id}")
        except NoEngine:
            from engine.cli.offline import call_of

            _show_over(call_of(place, id), as_json=as_json)
            return
        except Failed as not_live:
            try:
                over = engine.get(f"/cdrs/{id}")
            except Failed as not_over:
                raise (not_over if "there is no" in not_live.message else not_live) from None
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
        (
            "talked",
            f"{length(row['talked'])} with {', '.join(row['data'].get('agents') or [row['agent']])}"
            if row["talked"]
            else "",
        ),
        ("recording", row["recording"]),
        ("cause", row["cause"]),
    ):
        if value:
            click.echo(f"{title:<10}{value}")
    journal = over["journal"]
    assert isinstance(journal, list)
    click.echo()
    for entry in journal:
        facts = {"queue": entry["queue"], "agent": entry["agent"], **(entry["data"] or {})}
        more = "  ".join(
            f"{name}={_plain(value)}" for name, value in facts.items() if value not in ("", None)
        )
        click.echo(f"  {moment(entry['at'])}  {entry['kind']:<20} {more}".rstrip())


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}:{_plain(one)}" for name, one in value.items())
    return ",".join(map(_plain, value)) if isinstance(value, list) else str(value)


@call.command("hangup")
@click.argument("id")
@click.option("--cause", default="NORMAL_CLEARING", show_default=True, help="The hang-up cause.")
@home_option
def hangup(id: str, cause: str) -> None:
    """End a call."""
    with Engine(home()) as engine:
        ended = engine.delete(f"/calls/{id}", cause=cause)
    click.echo(f"hung up {short(ended['id'])} ({ended['number'] or 'withheld'} -> {ended['dialled']})")
