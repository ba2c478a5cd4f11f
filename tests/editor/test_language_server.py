"""The YAML language server of editors, with our schemas: what it finds, offers and explains."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.main import cli
from tests.editor.language_server import ROOT, Editor

pytestmark = pytest.mark.editor
FLOW = "plugins/reception/flows/new.yaml"
HEAD = """\
grammar: 1
flow: reception/new
revision: 1
title: A new flow
languages: [en]
start: greet
blocks:
  greet:
"""


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """An editor with the shipped centre open in it, its schemas written and its settings set."""
    home = tmp_path_factory.mktemp("editor") / "home"
    for name in ("conf", "dialplans", "plugins", "prompts"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    done = CliRunner().invoke(cli, ["--home", str(home), "schema", "--write", str(home / "schemas")])
    assert done.exit_code == 0, done.output
    opened = Editor(home, json.loads((home / "schemas" / "settings.json").read_text(encoding="utf-8")))
    yield opened
    opened.quits()


def found(editor: Editor, steps: str) -> list[tuple[int, str]]:
    """What is found in a flow: the line (of the steps, from 1) and the words."""
    faults = editor.opens(FLOW, HEAD + steps)
    editor.closes(FLOW)
    return [(fault["range"]["start"]["line"] + 1 - HEAD.count("\n"), fault["message"]) for fault in faults]


def test_nothing_is_found_in_what_is_shipped(editor: Editor) -> None:
    for path in sorted(editor.folder.glob("**/*.yaml")):
        shown = str(path.relative_to(editor.folder))
        assert (shown, editor.opens(shown)) == (shown, [])
        editor.closes(shown)


@pytest.mark.parametrize(
    ("steps", "line", "words"),
    [
        ("    - answer\n    - open_huors: {calendar: office, closed: greet}\n", 2,
         "Property open_huors is not allowed."),
        ("    - answer\n    - anwser\n", 2, 'Value is not accepted. Valid values: "answer"'),
        ("    - menu:\n        prompt: bye\n        options: {1: greet}\n", 1, 'Missing property "give_up".'),
        ("    - menu:\n        prompt: bye\n        atempts: 2\n        options: {1: greet}\n        give_up: greet\n",
         3, "Property atempts is not allowed."),
        ("    - silence: 5\n", 1, "a length of time carries its unit: 500ms, 5s, 10m, 2h"),
        ("    - go: greet\n      hangup: USER_BUSY\n", 2, "Property hangup is not allowed."),
        ("    - open_hours:\n        calendar: ofice\n        closed: greet\n", 2,
         'Value is not accepted. Valid values: "always"'),
        ("    - command: {do: desk.pause, failed: greet}\n", 1, 'Missing property "id".'),
    ],
)  # fmt: skip
def test_a_mistake_is_found_in_its_line(editor: Editor, steps: str, line: int, words: str) -> None:
    faults = found(editor, steps)
    assert [fault[0] for fault in faults] == [line], faults
    assert faults[0][1].startswith(words)


def test_a_step_is_offered_with_the_keys_that_it_needs(editor: Editor) -> None:
    offered = editor.completes(FLOW, HEAD + "    - »")
    assert {"answer", "menu", "queue", "collect", "identify", "fax", "if"} <= set(offered)
    assert offered["menu"]["insertText"] == "menu:\n  prompt: $1\n  give_up: $2\n  options: $3"
    assert offered["menu"]["documentation"].startswith("A prompt that offers keys")


def test_the_keys_of_a_step_are_offered_and_no_steps_among_them(editor: Editor) -> None:
    offered = editor.completes(FLOW, HEAD + "    - menu:\n        prompt: bye\n        »")
    assert {"attempts", "give_up", "options", "again"} <= set(offered)
    assert "queue" not in offered


@pytest.mark.parametrize(
    ("steps", "names"),
    [
        ("    - queue:\n        name: »\n", {"logistics"}),
        ("    - open_hours: {calendar: »}\n", {"office", "always"}),
        ("    - query:\n        ask: »\n", {"logistics.track"}),
        ("    - play: »\n", {"bye", "connecting"}),
        ("    - go: »\n", {"logistics/main", "common/survey"}),
        ("    - collect:\n        as: »\n", {"digits", "money", "pin"}),
    ],
)
def test_the_names_of_the_centre_are_offered(editor: Editor, steps: str, names: set[str]) -> None:
    assert names <= set(editor.completes(FLOW, HEAD + steps))


def test_a_key_is_explained(editor: Editor) -> None:
    told = editor.explains(FLOW, HEAD + "    - menu:\n        give»_up: greet\n")
    assert "Where a caller leads who gave no good answer" in told


def test_the_other_files_are_checked_too(editor: Editor) -> None:
    path = "conf/queues.yaml"
    text = Path(editor.folder / path).read_text(encoding="utf-8")
    faults = editor.opens(path, f"{text}  more: {{title: {{en: More}}, strategy: nearest}}\n")
    editor.closes(path)
    assert [fault["range"]["start"]["line"] for fault in faults] == [text.count("\n")]
