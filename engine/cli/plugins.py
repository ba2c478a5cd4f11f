"""``insideline plugin``: which plugins there are and what is wrong with them, and a new department to begin with."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

import click

from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, json_option, listing

_TEMPLATES = Path(__file__).parent / "new_plugin"
_COLUMNS: tuple[Column, ...] = (
    ("plugin", "name"),
    ("origin", "origin"),
    ("version", "version"),
    ("department", "department"),
    ("brings", "brings"),
    ("state", lambda row: "kept out" if row["fault"] else "ok"),
)
_LONGEST = 30


@click.group()
def plugin() -> None:
    """The departments' plugins."""


@plugin.command("list")
@home_option
@json_option
def list_plugins(as_json: bool) -> None:
    """Every plugin, where it is from and what it brings; those that were kept out, with their faults. Exit 1 when there
    are any."""
    from engine.app.installation import Installation
    from engine.app.kept_out import led_away
    from engine.cli.offline import installation_of

    made: Installation = installation_of(home())
    host = made.host
    rows: list[dict[str, object]] = []
    for one in host.plugins:
        department = one.department
        brings = [
            (len(department.queries) if department else 0, "queries"),
            (len(department.commands) if department else 0, "commands"),
            (len(department.schedules) if department else 0, "schedules"),
            *(
                (sum(1 for name in names if re.split(r"[._]", name)[0] == one.name), what)
                for names, what in (
                    (host.steps, "steps"), (host.formats, "formats"), (host.reports, "reports"),
                    (host.notifiers, "notifiers"),
                )
            ),
            (len(host.commands.get(one.name, ())), "commands of the command line"),
        ]  # fmt: skip
        rows.append(
            {
                "name": one.name,
                "origin": one.origin,
                "version": one.version,
                "folder": str(one.folder or ""),
                "department": department.name if department else "",
                "brings": ", ".join(f"{count} {what}" for count, what in brings if count),
                "fault": "",
                "place": "",
                "traceback": "",
            }
        )
    for fault in host.faults:
        rows.append(
            {
                "name": fault.plugin,
                "origin": "",
                "version": "",
                "folder": "",
                "department": "",
                "brings": "",
                "fault": fault.message,
                "place": _place(fault.traceback) or _place(fault.message),
                "traceback": fault.traceback,
            }
        )
    listing(rows, _COLUMNS, as_json=as_json, empty="no plugins", spare=("version", "brings"))
    if not as_json:
        for fault in host.faults:
            click.echo(f"\n{fault.plugin}: {fault.message}{led_away(made, fault.plugin)}", err=True)
            if fault.traceback:
                click.echo(fault.traceback, err=True)
    raise click.exceptions.Exit(1 if host.faults else 0)


def _place(text: str) -> str:
    """``file:line`` out of a traceback (its last frame), or out of a fault that names it."""
    frames = re.findall(r'File "([^"]+)", line (\d+)', text)
    if frames:
        return ":".join(frames[-1])
    found = re.match(r"(\S+\.py:\d+)", text)
    return found[1] if found else ""


@plugin.command("new")
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its folder is made (default: plugins/ of this home).",
)
@click.option("--number", help="The number that shall lead to it (default: one that is free).")
@home_option
def new(name: str, folder: Path | None, number: str | None) -> None:
    """Make a working department NAME, with a flow, prompts, tables, sample data and tests that pass."""
    _check_name(name)
    place = home()
    target = (folder if folder is not None else place / "plugins").expanduser().absolute() / name
    if target.exists():
        raise Failed(f"{target} is there already")
    if number is not None and not re.fullmatch(r"[0-9*#]{2,15}", number):
        raise Failed(f"{number!r} is no number that can be dialled")
    dialled = number or _free_number(place)
    names = {"name": name, "Title": "".join(part.capitalize() for part in name.split("_")), "number": dialled}
    try:
        for template in sorted(_TEMPLATES.rglob("*.tmpl")):
            made = target / template.relative_to(_TEMPLATES).with_suffix("")
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_text(
                Template(template.read_text(encoding="utf-8")).substitute(names), encoding="utf-8"
            )
    except OSError as error:
        raise Failed(f"{error.filename or target}: {error.strerror}") from None
    click.echo(f"{target}: a department that works. Try it:")
    click.echo(f"  pytest {_shown(target)}")
    click.echo("Let a number lead to it: below `numbers:` in dialplans/main.yaml, add")
    click.echo(f'  - {{to: "{dialled}", flow: {name}/main, languages: [zh-CN, en]}}')
    click.echo("and then")
    click.echo("  insideline flow check && insideline db upgrade && insideline run --sample")


def _check_name(name: str) -> None:
    from engine.hooks.brought import RESERVED

    if not re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", name) or "__" in name:
        raise Failed(f"a department's name is lower-case letters, digits and _, not {name!r}")
    if len(name) > _LONGEST:
        raise Failed(f"{name!r} is too long: {_LONGEST} letters are enough")
    if keyword.iskeyword(name) or name in RESERVED or name in ("common", "core", "engine"):
        raise Failed(f"{name!r} means something already; choose another name")


def _free_number(place: Path) -> str:
    """The first number from 8050 on that the dialplan does not name (patterns are left to the checker)."""
    try:
        said = (place / "dialplans" / "main.yaml").read_text(encoding="utf-8")
    except OSError:
        said = ""
    agents = place / "conf" / "agents.yaml"
    said += agents.read_text(encoding="utf-8") if agents.is_file() else ""
    return next(number for number in map(str, range(8050, 10000)) if not re.search(rf"\b{number}\b", said))


def _shown(target: Path) -> str:
    here = Path.cwd()
    return str(target.relative_to(here)) if target.is_relative_to(here) else str(target)
