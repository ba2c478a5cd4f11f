"""``insideline agent``: the agents, and what an operator may do for them."""

from __future__ import annotations

from typing import Any

import click

from engine.cli.client import Engine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, echo_json, json_object, json_option, listing, short, since

_COLUMNS: tuple[Column, ...] = (
    ("agent", "id"),
    ("name", "name"),
    ("phone", lambda row: row["phone"] + ("" if row["reachable"] else " (silent)")),
    ("state", lambda row: agent_state(row)),
    ("for", lambda row: since(row["since"])),
    ("call", lambda row: short(row["call"])),
    ("queues", "queues"),
    ("skills", lambda row: ", ".join(f"{name} {level}" for name, level in row["skills"].items())),
    ("taken", "calls_taken"),
)


def agent_state(row: dict[str, Any]) -> str:
    """What an agent does, in words, as lists show it."""
    said = str(row["state"]).replace("_", " ")
    if row.get("calling_back"):
        return f"{said}, calling back {row['calling_back']}"
    return f"{said} ({row['reason']})" if row["reason"] else said


@click.group()
def agent() -> None:
    """The agents."""


@agent.command("list")
@click.option("--queue", default="", help="Only those who serve this queue.")
@home_option
@json_option
def list_agents(queue: str, as_json: bool) -> None:
    """All agents and what they do."""
    with Engine(home()) as engine:
        rows = engine.get("/agents")
        if queue:
            engine.get(f"/queues/{queue}")  # which says so when there is none
            rows = [row for row in rows if queue in row["queues"]]
    listing(
        rows,
        _COLUMNS,
        as_json=as_json,
        empty=f"nobody serves {queue}" if queue else "no agents (conf/agents.yaml names them)",
        spare=("skills", "queues", "taken", "call"),
    )


@agent.command()
@click.argument("id")
@home_option
@json_object
def show(id: str, as_json: bool) -> None:
    """One agent, and the call that is offered or talked to, with what the desk is told of it."""
    with Engine(home()) as engine:
        row = engine.get(f"/agents/{id}")
        call = None
        if row["call"]:
            try:
                call = engine.get(f"/agents/{id}/call")
            except Failed:
                call = None  # over: the agent does the work after it
    if as_json:
        echo_json({**row, "on_call": call})
        return
    for title, text in _lines(row, call):
        click.echo(f"{title:<12}{text}")


def _lines(row: dict[str, Any], call: dict[str, Any] | None) -> list[tuple[str, str]]:
    phone = row["phone"] + (f" over {row['trunk']}" if row["trunk"] else "")
    shown = [
        ("agent", f"{row['id']} {row['name']}"),
        ("state", f"{agent_state(row)} for {since(row['since'])}"),
        ("phone", phone + ("" if row["reachable"] else " (silent)")),
        ("site", row["site"]),
        ("roles", ", ".join(row["roles"])),
        ("queues", ", ".join(row["queues"])),
        ("skills", ", ".join(f"{name} {level}" for name, level in row["skills"].items())),
        ("languages", ", ".join(row["languages"])),
        ("taken", str(row["calls_taken"])),
        ("call", short(row["call"])),
        ("disposition", row["disposition"]),
        ("choices", ", ".join(f"{key} {word}" for key, word in row["dispositions"].items())),
    ]
    if call is not None:
        shown += [("asked by", call.get("asked_by") or "")]
        shown += [("from", f"{call['number']} {call['name']}".strip()), ("dialled", call["dialled"])]
        party = call.get("party") or {}
        shown.append(
            ("party", " ".join(str(party[one]) for one in ("name", "code", "tier") if party.get(one)))
        )
        told = {**(call.get("popped") or {}), **(call.get("told") or {})}
        shown += [(name, str(value)) for name, value in told.items()]
    return [(title, text) for title, text in shown if text]


@agent.command()
@click.argument("id")
@click.option("--phone", default="", help="The extension of the phone, when it is not the agent's own.")
@home_option
@json_object
def login(id: str, phone: str, as_json: bool) -> None:
    """Log an agent in."""
    _do(id, "login", as_json, **({"phone": phone} if phone else {}))


@agent.command()
@click.argument("id")
@home_option
@json_object
def logout(id: str, as_json: bool) -> None:
    """Log an agent out, at once or when the talk is over."""
    _do(id, "logout", as_json)


@agent.command()
@click.argument("id")
@home_option
@json_object
def ready(id: str, as_json: bool) -> None:
    """End a pause, or the work after a call."""
    _do(id, "ready", as_json)


@agent.command()
@click.argument("id")
@click.argument("reason")
@home_option
@json_object
def pause(id: str, reason: str, as_json: bool) -> None:
    """Pause an agent, for a reason (`rules: pauses` of conf/agents.yaml may name them)."""
    _do(id, "pause", as_json, reason=reason)


@agent.command()
@click.argument("id")
@home_option
@json_object
def unlock(id: str, as_json: bool) -> None:
    """Let an agent try its PIN again after too many wrong ones, and the phone that it sits at."""
    _do(id, "unlock", as_json)


@agent.command("wrap-up")
@click.argument("id")
@home_option
@json_object
def wrap_up(id: str, as_json: bool) -> None:
    """The work after a call is done."""
    _do(id, "wrap-up", as_json)


@agent.command()
@click.argument("id")
@click.argument("code")
@home_option
@json_object
def disposition(id: str, code: str, as_json: bool) -> None:
    """Say what came of the agent's call: a word or a key of the list of its queue. Ends the work after it."""
    _do(id, "disposition", as_json, code=code)


def _do(id: str, deed: str, as_json: bool, **more: str) -> None:
    with Engine(home()) as engine:
        row = engine.post(f"/agents/{id}/{deed}", **more)
    if as_json:
        echo_json(row)
        return
    click.echo(f"{row['id']} {row['name']}: {agent_state(row)}{_when(row, deed)}")


def _when(row: dict[str, Any], deed: str) -> str:
    """When a pause or log-out takes effect that an agent's call delays."""
    if deed in ("pause", "logout"):
        if row["state"] in ("talking", "hold"):
            return "; that takes effect when this call is over"
        if row["state"] == "offered":
            return "; that takes effect when its phone has stopped ringing"
    return ""
