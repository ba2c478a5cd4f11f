"""``insideline status``: how the running engine is."""

from __future__ import annotations

from typing import Any

import click

from engine.cli.client import Engine
from engine.cli.home import home, home_option
from engine.cli.show import echo_json, moment, since


@click.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="A JSON object, for programs.")
def status(as_json: bool) -> None:
    """How the running engine is."""
    with Engine(home()) as engine:
        said = engine.get("/status")
    if as_json:
        echo_json(said)
        return
    for title, text in lines(said):
        click.echo(f"{title:<10}{text}")


def _queue(one: dict[str, Any]) -> str:
    closed = f"; closed: {one['closed']}" if one["closed"] else ""
    return f"{one['name']}: {one['waiting']} waiting, {one['ready']} of {one['in']} agents ready{closed}"


def lines(said: dict[str, Any]) -> list[tuple[str, str]]:
    """What ``/status`` said, as titled lines for people."""
    switch, day, store = said["switch"], said["day"], said["store"]
    shown = [
        ("engine", f"{said['version']} in {said['home']}, for {since(said['began'])}"),
        ("switch", f"{switch['name']}: {_up(switch)}"),
        ("calls", f"{said['calls']} now; {day['calls']} since the start" + _unanswered(day)),
    ]
    priority = said.get("priority") or {}  # an older engine may still run
    if priority.get("why"):
        shown.append(("priority", f"normal: {priority['why']}"))
    shown += [("queue", _queue(one)) for one in said["queues"]]
    shown.append(("flows", f"{said['flows']['count']} (set {said['flows']['hash']})"))
    if store["spooling"]:
        shown.append(
            (
                "store",
                f"down since {moment(store['since'])} ({store['reason']}): {store['spooled']} bytes spooled",
            )
        )
    else:
        shown.append(("store", f"up, {store['written']} rows written"))
    for name in ("lost", "refused", "stuck"):
        if store[name]:
            what = "threads" if name == "stuck" else "rows"
            shown.append(("store", f"{store[name]} {what} {name}"))
    shown += _trouble(said)
    names = [plugin["name"] for plugin in said["plugins"] if plugin["origin"] != "built-in"]
    shown.append(("plugins", ", ".join(names) or "none"))
    for plugin in said["plugins"]:
        told = plugin["told"] or {}
        wrong = ", ".join(
            f"{name} {told[name]} times" for name in ("failed", "late", "dropped") if told.get(name)
        )
        if wrong:
            shown.append(("plugin", f"{plugin['name']}: {wrong} when told of something"))
    shown += [
        ("KEPT OUT", f"plugin {fault['plugin']}: {fault['message']}{fault['callers']}")
        for fault in said["faults"]
    ]
    return shown


def _trouble(said: dict[str, Any]) -> list[tuple[str, str]]:
    """Breakers that are not closed, what waits for remote systems, and who held the engine up."""
    shown = [
        (
            "breaker",
            f"{one['name']}: {one['state'].replace('_', ' ')} since {moment(one['since'])} ({one['error']})",
        )
        for one in said.get("breakers") or []
        if one["state"] != "closed"
    ]
    outbox = said.get("outbox") or {}
    if outbox.get("waiting") or outbox.get("stuck"):
        shown.append(
            (
                "outbox",
                f"{outbox['waiting']} waiting since {moment(outbox['oldest'])}, {outbox['stuck']} need a person",
            )
        )
    if said.get("mended"):
        shown.append(("mended", f"{said['mended']} times: calls or agents were not what events had said"))
    for plugin, one in (said.get("blocked") or {}).items():
        who = f"plugin {plugin}" if plugin else "the engine itself"
        shown.append(
            (
                "blocked",
                f"{who}: {one['count']} times, {one['longest']:.1f} s at the longest ({one['where']})",
            )
        )
    return shown


def _unanswered(day: dict[str, Any]) -> str:
    missed = day["ended"] - day["answered"]
    return f", {missed} of them never answered" if missed else ""


def _up(switch: dict[str, Any]) -> str:
    if not switch["up"]:
        return f"not there ({switch['why']}); the engine keeps trying" if switch["why"] else "not there"
    if switch["leads"]:
        return "up"
    return f"up, but not led: {switch['why']}" if switch["why"] else "up, but another engine leads it"
