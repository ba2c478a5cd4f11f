"""``insideline init``: a home out of the files that come with the program."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from engine.cli.failing import Failed
from engine.cli.show import many
from engine.shipped import FOLDERS, shipped

MARK = ".insideline-home"
"""Beside conf/: what was written, as it was written, so that nothing that people changed is ever written over."""

_OWN = {
    "pytest.ini": "# The departments' tests: `pytest`, or `pytest plugins/logistics`.\n"
    "[pytest]\ntestpaths = plugins\naddopts = -q -p engine.testing.patched --import-mode=importlib\n",
    ".gitignore": "# What the engine writes.\nvar/\n__pycache__/\n.pytest_cache/\n",
}
_NOT = frozenset({"__pycache__", ".DS_Store"})


@dataclass(slots=True)
class Done:
    """What came of each file."""

    written: list[str]
    updated: list[str]
    changed: list[str]  # by people: left alone
    removed: list[str]  # by people: not put back


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also into a folder that is not empty; what you changed stays.")
@click.option("--diff", is_flag=True, help="Write nothing: show how a home differs from what is shipped.")
def init(folder: Path, force: bool, diff: bool) -> None:
    """Make a home in DIR: conf, dialplans, prompts, plugins and the switch's configuration, to be made yours.

    After an update of the program, `--diff` shows what is new, and `--force` brings it: files that you never
    changed are brought up to date, those that you changed or removed stay as they are.
    """
    folder = folder.expanduser().absolute()
    if diff:
        _show_differences(folder)
        return
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise Failed(
            f"{folder} is not empty; choose another folder, or say --force: it overwrites nothing that you changed"
        )
    try:
        done = make_home(folder)
    except OSError as error:
        raise Failed(f"{error.filename or folder}: {error.strerror}") from None
    _tell(folder, done)


def shipped_files() -> Iterator[tuple[str, bytes]]:
    """Each file of a home with its path in it, in order."""
    yield from ((name, text.encode()) for name, text in _OWN.items())
    root = shipped()
    for name in FOLDERS:
        for path in sorted((root / name).rglob("*")):
            if path.is_file() and not _NOT & set(path.parts) and path.suffix != ".pyc":
                yield path.relative_to(root).as_posix(), path.read_bytes()


def make_home(folder: Path) -> Done:
    """Write what is missing, bring up to date what nobody changed. OSError when the folder can't be written."""
    done = Done([], [], [], [])
    before = _marked(folder)
    marked: dict[str, str] = {}
    for name, content in shipped_files():
        target = folder / name
        new = _digest(content)
        there = _digest(target.read_bytes()) if target.is_file() else None
        if there is None and name in before:
            done.removed.append(name)
            marked[name] = before[name]
            continue
        if there not in (None, new, before.get(name)):
            done.changed.append(name)
            marked[name] = before.get(name, "")
            continue
        if there != new:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            (done.written if there is None else done.updated).append(name)
        marked[name] = new
    _mark(folder, marked)
    return done


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _marked(folder: Path) -> dict[str, str]:
    try:
        said = json.loads((folder / MARK).read_text(encoding="utf-8"))
        return {str(name): str(digest) for name, digest in said["files"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Failed(f"{folder / MARK} can't be read; remove it to have every file compared anew") from None


def _mark(folder: Path, files: dict[str, str]) -> None:
    from importlib.metadata import version

    text = json.dumps({"version": version("insideline"), "files": files}, indent=1)
    (folder / MARK).write_text(text + "\n", encoding="utf-8")


def _tell(folder: Path, done: Done) -> None:
    said = [
        f"{many(len(names), 'file')} {what}"
        for names, what in (
            (done.written, "written"),
            (done.updated, "brought up to date"),
            (done.changed, "left as you changed them"),
            (done.removed, "that you removed not put back"),
        )
        if names
    ]
    click.echo(f"{folder}: {', '.join(said) or 'everything was there already'}")
    for name in done.changed:
        click.echo(f"  yours: {name}")
    if done.changed:
        click.echo(f"  `insideline init --diff {folder}` shows what the shipped ones have")
    if done.written and not (done.updated or done.changed):
        click.echo(_NEXT.format(folder=folder))


_NEXT = """
A whole sample company to try and to change. Next:
  cd {folder}
  insideline doctor              what this machine has and lacks
  insideline run --sample        starts the centre, with sample data; on the simulator where there is no FreeSWITCH
  insideline dial 8004           in another terminal: be a caller
Then make it yours: conf/engine.yaml (every key is explained there), conf/agents.yaml, conf/queues.yaml,
dialplans/main.yaml (which number leads where), plugins/ (a folder for each department)."""


def _show_differences(folder: Path) -> None:
    if not folder.is_dir():
        raise Failed(f"there is no home in {folder}")
    before = _marked(folder)
    same = 0
    for name, content in shipped_files():
        target = folder / name
        if not target.is_file():
            click.echo(f"{name}: {'removed by you' if name in before else 'new'}")
            continue
        there = target.read_bytes()
        if there == content:
            same += 1
            continue
        for line in difflib.unified_diff(
            there.decode(errors="replace").splitlines(),
            content.decode(errors="replace").splitlines(),
            f"{name} (yours)" if _digest(there) != before.get(name) else f"{name} (as it was shipped)",
            f"{name} (shipped)",
            lineterm="",
        ):
            click.echo(click.style(line, fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1])))
    click.echo(f"{many(same, 'file')} as shipped")
