"""``insideline doctor``: what this machine and this home have, and what they lack."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.home import home, home_option
from engine.cli.show import echo_json, json_option, many
from engine.errors import InsidelineError

if TYPE_CHECKING:
    from engine.app.installation import Installation

_SIGNS = {"ok": "ok", "note": "note", "wrong": "WRONG"}
_COLOURS = {"ok": "green", "note": "yellow", "wrong": "red"}
_LEAST_SPACE = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``state``: ok, note (works, but …) or wrong (the engine would not start, or without a
    department)."""

    about: str
    state: str
    text: str


@click.command()
@home_option
@json_option
def doctor(as_json: bool) -> None:
    """Say what this machine and this home lack. Exit 1 when the engine would not start, or not with all plugins."""
    place = home()
    findings = []
    for finding in examine(place):
        findings.append(finding)
        if not as_json:
            sign = click.style(f"{_SIGNS[finding.state]:<6}", fg=_COLOURS[finding.state])
            click.echo(f"{sign}{finding.about:<11}{finding.text}")
    if as_json:
        echo_json([asdict(one) for one in findings])
    raise click.exceptions.Exit(1 if any(one.state == "wrong" for one in findings) else 0)


def examine(place: Path) -> Iterator[Finding]:
    """All findings, as they are made."""
    from engine.cli.offline import installation_of, quiet

    yield Finding("python", "ok", f"{sys.version.split()[0]} in {sys.prefix}")
    yield from _looked("files", lambda: _files(place))
    made = installation_of(place)
    quiet()
    yield from _configuration(made)
    yield from _looked("switch", lambda: _switch(made))
    yield from _looked("ports", lambda: _ports(place, made))
    yield from _looked("priority", lambda: _priority(made))
    yield from _looked("speech", lambda: _speech(made))
    yield from _looked("fax", lambda: _fax(made))
    yield from _looked("database", lambda: _database(place))
    yield from _looked("engine", lambda: _engine(place))
    yield from _looked("sound", _sound)


def _looked(about: str, look: Callable[[], Finding]) -> Iterator[Finding]:
    try:
        yield look()
    except (InsidelineError, click.ClickException, OSError) as error:
        text = error.message if isinstance(error, click.ClickException) else str(error)
        yield Finding(about, "wrong", text)


def _files(place: Path) -> Finding:
    var = place / "var"
    there = var if var.exists() else place
    free = shutil.disk_usage(there).free
    probe = there / ".insideline-doctor"
    probe.touch()
    probe.unlink()
    text = f"{there} can be written, {free / (1 << 30):.1f} GB free"
    return Finding("files", "ok" if free > _LEAST_SPACE else "note", text)


def _configuration(made: Installation) -> Iterator[Finding]:
    from engine.app.kept_out import led_away

    errors, warnings = made.faults.errors, made.faults.warnings
    if errors:
        yield Finding(
            "home",
            "wrong",
            f"{many(len(errors), 'fault')} (`insideline flow check` shows them); the first: {errors[0]}",
        )
    else:
        flows = len(made.flows) if made.flows is not None else 0
        agents = len(made.acd.agents) if made.acd is not None else 0
        queues = len(made.acd.queues) if made.acd is not None else 0
        text = f"{many(flows, 'flow')}, {many(queues, 'queue')}, {many(agents, 'agent')}"
        yield Finding(
            "home",
            "note" if warnings else "ok",
            text
            + (
                f"; {many(len(warnings), 'warning')} (`insideline flow check` shows it all)"
                if warnings
                else ""
            ),
        )
    for fault in made.host.faults:
        text = f"{fault.plugin} is kept out: {fault.message}{led_away(made, fault.plugin)}"
        yield Finding("plugin", "wrong", text)
    names = [one.name for one in made.host.plugins if one.origin != "built-in"]
    yield Finding("plugins", "ok" if names else "note", ", ".join(names) or "none")


def _switch(made: Installation) -> Finding:
    from engine.switch.freeswitch import find_freeswitch

    binary = made.settings.switch.binary or find_freeswitch()
    if binary is None:
        return Finding("switch", "note", "no freeswitch here: `insideline run` takes the simulator")
    return Finding("switch", "ok", f"{binary}")


def _ports(place: Path, made: Installation) -> Finding:
    """Whether the ports of a FreeSWITCH of ours could be opened; of no concern to the simulator."""
    from engine.app.ports import taken_ports
    from engine.cli.client import Engine, NoEngine

    with Engine(place) as engine:
        try:
            engine.get("/news", after=2**53)
        except NoEngine:
            pass
        else:
            return Finding("ports", "ok", "an engine runs in this home, and uses them")
    taken, looked = taken_ports(made.settings.switch, trunks=bool(made.trunks))
    if taken:
        return Finding("ports", "note", f"taken, so a FreeSWITCH of ours could not start: {', '.join(taken)}")
    return Finding("ports", "ok", f"free: {', '.join(looked)}")


def _priority(made: Installation) -> Finding:
    """Whether the engine may run like the switch's own threads; of no concern to the simulator."""
    from engine.app.priority import HINT, refused

    if made.settings.priority == "normal":
        return Finding("priority", "ok", "normal, as conf/engine.yaml says")
    why = refused()
    if why:
        return Finding(
            "priority", "note", f"not real-time, agents ring late on a busy machine: {why}; {HINT}"
        )
    return Finding("priority", "ok", "real-time beside a FreeSWITCH, like the switch's own threads")


def _speech(made: Installation) -> Finding:
    from gevent.threadpool import ThreadPool

    from engine.clock import Clock
    from engine.prompts import find_voice, voices_state

    pool = ThreadPool(1)
    try:
        voice = Clock().blocking(pool, find_voice)
    finally:
        pool.kill()
    state = voices_state(voice, made.settings.languages)
    return Finding("speech", "ok" if state.ok else "note", state.line)


def _fax(made: Installation) -> Finding:
    from engine.app.faxes import uses_fax
    from engine.errors import FaxError
    from engine.records.fax_pages import HINT, find_font, missing

    used = uses_fax(made.flows)
    try:
        font = find_font(made.settings.fax.font)
        chinese = missing("运单", font)
    except FaxError as error:
        return Finding("fax", "wrong" if used else "note", str(error))
    if chinese:
        return Finding("fax", "note", f"{font} has no Chinese: {HINT}")
    return Finding("fax", "ok", f"pages are written with {font}")


def _database(place: Path) -> Finding:
    from engine.cli.offline import store_of

    with store_of(place, readonly=False) as store:
        where = store.url.render_as_string()
        if store.url.get_backend_name() == "sqlite" and not Path(str(store.url.database)).exists():
            return Finding("database", "ok", f"{where} is not there yet; the engine makes it")
        if store.is_empty():
            return Finding("database", "ok", f"{where} ({store.server()}) is empty yet; the engine fills it")
        changes = store.pending_upgrades()
        server = store.server()
    if changes:
        return Finding(
            "database", "wrong", f"{where} is older than this program: run `insideline db upgrade`"
        )
    return Finding("database", "ok", f"{where} ({server}) is up to date")


def _engine(place: Path) -> Finding:
    from engine.cli.client import Engine, NoEngine

    with Engine(place) as engine:
        try:
            said: dict[str, Any] = engine.get("/status")
        except NoEngine:
            return Finding("engine", "ok", "none runs in this home")
    switch = said["switch"]
    text = f"{said['version']} runs, on {switch['name']}, {many(said['calls'], 'call')}"
    return Finding(
        "engine",
        "ok" if switch["up"] else "note",
        text + ("" if switch["up"] else "; the switch is not there"),
    )


def _sound() -> Finding:
    from engine.cli.sound import player

    program = player()
    if program is None:
        text = "no sound device: `recording play` says where the file is, `dial` shows prompts only"
        return Finding("sound", "note", text)
    return Finding("sound", "ok", f"recordings, and prompts of `dial --sound`, are played with {program[0]}")
