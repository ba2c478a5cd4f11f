"""``insideline agent``: the agents, and what an operator may do for them."""

from __future__ import annotations

from typing import Any

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.show import Column, json_option, listing, short, since

_COLUMNS: tuple[Column, ...] = (
    ("agent", "id"),
    ("name", "name"),
    ("phone", lambda row: row["phone"] + ("" if row["reachable"] else " (silent)")),
    ("state", lambda row: _state(row)),
    ("for", lambda row: since(row["since"])),
    ("call", lambda row: short(row["call"])),
    ("queues", "queues"),
    ("skills", lambda row: ", ".join(f"{name} {level}" for name, level in row["skills"].items())),
    ("taken", "calls_taken"),
)


def _state(row: dict[str, Any]) -> str:
    said = str(row["state"]).replace("_", " ")
    return f"{said} ({row['reason']})" if row["reason"] else said


@click.group()
def agent() -> None:
    """The agents."""


@agent.command("list")
@home_option
@json_option
def list_agents(as_json: bool) -> None:
    """All agents and what they do."""
    with Engine(home()) as engine:
        listing(
            engine.get("/agents"),
            _COLUMNS,
            as_json=as_json,
            empty="no agents (conf/agents.yaml names them)",
            spare=("skills", "queues", "taken", "call"),
        )


@agent.command()
@click.argument("id")
@click.option("--phone", default="", help="The extension of the phone, when it is not the agent's own.")
@home_option
def login(id: str, phone: str) -> None:
    """Log an agent in."""
    _do(id, "login", **({"phone": phone} if phone else {}))


@agent.command()
@click.argument("id")
@home_option
def logout(id: str) -> None:
    """Log an agent out, at once or when the talk is over."""
    _do(id, "logout")


@agent.command()
@click.argument("id")
@home_option
def ready(id: str) -> None:
    """End a pause, or the work after a call."""
    _do(id, "ready")


@agent.command()
@click.argument("id")
@click.argument("reason")
@home_option
def pause(id: str, reason: str) -> None:
    """Pause an agent, for a reason."""
    _do(id, "pause", reason=reason)


def _do(id: str, deed: str, **more: str) -> None:
    with Engine(home()) as engine:
        row = engine.post(f"/agents/{id}/{deed}", **more)
    later = "; that takes effect when this call is over" if _not_yet(row, deed) else ""
    click.echo(f"{row['id']} {row['name']}: {_state(row)}{later}")


def _not_yet(row: dict[str, Any], deed: str) -> bool:
    """Whether a pause or log-out waits for the end of the agent's call."""
    return deed in ("pause", "logout") and row["state"] in ("offered", "talking")
