"""Finds the examples in the documentation, and puts them where the real checker can be asked about them.

A YAML block is the file that its info string names behind ``yaml``, or that its keys tell (``queues:``, ``agents:``
…). Any other is a piece of a block: it is put into a flow that has the blocks ``again``, ``desk`` and ``bye``.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from engine.flows.reference import NOTE

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(?P<language>\w+)(?: +(?P<path>\S+))?\n(?P<text>.*?)^```$", re.M | re.S)
_KNOWN = {
    "queues": "conf/queues.yaml",
    "agents": "conf/agents.yaml",
    "calendars": "conf/calendars.yaml",
    "numbers": "dialplans/main.yaml",
    "trunks": "conf/trunks.yaml",
    "database": "conf/engine.yaml",
    "recording": "conf/engine.yaml",
    "switch": "conf/engine.yaml",
}
#: An entry of queues.yaml or agents.yaml: its key at two blanks, and all lines that are further in.
_ENTRY = re.compile(r"^(  ([\w-]+):.*\n(?:(?:    .*)?\n)*)", re.M)
PIECE = "plugins/facilities/flows/{name}.yaml"
_AROUND = """\
grammar: 1
flow: facilities/{name}
revision: 1
title: A piece of the documentation
owner: facilities
languages: [zh-CN, en]
start: first
blocks:
  first:
    - choose:
        - {{when: caller.number == "1", go: again}}
        - {{when: caller.number == "2", go: desk}}
        - {{when: caller.number == "3", go: bye}}
{steps}
  again:
    - hangup
  desk:
    - hangup
  bye:
    - hangup
"""


@dataclass(frozen=True)
class Example:
    """A fenced block of a page. ``path`` is the file that it is, or "" for a piece of a flow."""

    page: str
    line: int
    language: str
    path: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Everything that is written for people at the root and in docs/."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def examples(language: str) -> list[Example]:
    """All fenced blocks of that language."""
    found = []
    for page in pages():
        content = page.read_text(encoding="utf-8")
        if content.startswith(NOTE):
            continue  # the reference of the steps: its examples have tests of their own
        for match in _FENCE.finditer(content):
            if match["language"] == language:
                line = content.count("\n", 0, match.start()) + 2
                path = match["path"] or _path_of(match["text"])
                found.append(Example(str(page.relative_to(ROOT)), line, language, path, match["text"]))
    return found


def _path_of(text: str) -> str:
    keys = re.findall(r"^([a-z_]+):", text, re.M)
    return next((_KNOWN[key] for key in keys if key in _KNOWN), "")


def install(home: Path, files: list[Example]) -> None:
    """The centre of this repository in ``home``, with the files of a page written over it. Its queues and agents come
    before those of the sample company, which stay: the shipped departments need theirs."""
    for name in ("conf", "dialplans", "plugins", "prompts"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    for example in files:
        text = example.text
        if example.path in ("conf/queues.yaml", "conf/agents.yaml"):
            text += _others(text, (ROOT / example.path).read_text(encoding="utf-8"))
        write(home, example.path, text)


def _others(shown: str, shipped: str) -> str:
    """The entries of a shipped file that a page does not show, as they stand there."""
    entries = _ENTRY.findall(re.split(r"^(?:queues|agents):\n", shipped, flags=re.M)[1])
    return "".join(text for text, key in entries if f"\n  {key}:" not in shown)


def write(home: Path, path: str, text: str) -> None:
    """A file of the home."""
    file = home / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def around(piece: str, name: str, *, ended: bool) -> str:
    """A whole flow of that name around a piece of one; ``ended`` when the piece ends its block itself."""
    steps = piece if ended else f"{piece}- go: bye\n"
    return _AROUND.format(name=name, steps=indent(steps, "    ").rstrip())
