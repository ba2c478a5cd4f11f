"""One run tells every mistake of all files: none hides another, and none is told twice."""
# ruff: noqa: E501 - flows with notes of what is wrong in them

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.app import read_installation
from engine.cli.init import make_home
from engine.clock import VirtualClock
from engine.flows.checker import check_drafts
from engine.flows.loader import parse_flow
from engine.flows.steps import STEPS
from tests.flows.checking import KNOWN

HEAD = "grammar: 1\nflow: orders/main\ntitle: The desk\nlanguages: [zh-CN, en]\nstart: greet\nblocks:\n"


def told(text: str) -> list[str]:
    """``line code`` of each fault of a flow, in order."""
    _, faults = check_drafts([parse_flow(text, "orders/main", STEPS)], KNOWN)
    return [f"{fault.line} {fault.code}" for fault in faults]


def expected(text: str) -> tuple[str, list[str]]:
    """A text without its ``# <- code, code`` notes, and ``line code`` of each note."""
    notes = []
    for number, line in enumerate(text.splitlines(), 1):
        if (found := re.search(r"\s+# <- (.*)$", line)) is not None:
            notes += [f"{number} {code}" for code in found[1].split(", ")]
    return re.sub(r"\s+# <- .*$", "", text, flags=re.MULTILINE), notes


@pytest.mark.parametrize(
    "text",
    [
        # A step whose shape is wrong: what it names is looked up all the same.
        HEAD
        + """\
  greet:
    - collect: {into: dealer, as: digts, prompt: entr_dealer, attempts: lots, give_up: bey}  # <- unknown-choice, unknown-prompt, number, unknown-block
    - menu:
        prompt: main_menus  # <- unknown-prompt
        options: {1: staet, 11: greet}  # <- unknown-block, key
        first: 5  # <- duration
        give_up: bye
  bye:
    - command: {do: orders.place, with: {dealer: "1", cuont: "3"}, refused: {stok: bye}, pending: bye, failed: bye}  # <- missing-id, unknown-argument, unknown-refusal
    - query: {ask: orders.sate, within: soon, failed: bye}  # <- unknown-query, duration
    - hangup
""",
        # The case of a choice that is wrong moves no fault of those behind it.
        HEAD
        + """\
  greet:
    - query: {ask: orders.state, with: {dealer: "1"}, into: order, not_found: bye, failed: bye}
    - choose:
        - when: order.state == "shipped"  # <- missing-key
        - when: fooo > 3  # <- unknown-name
          go: byee  # <- unknown-block
        - otherwise: bye
  bye:
    - hangup
""",
        # What an optional part was is no reason for more: its block is reached, its name is born, its type is open.
        HEAD
        + """\
  greet:
    - collect: {into: count, as: nummer, prompt: enter_dealer, first: 3, give_up: bye}  # <- unknown-choice, duration
    - choose:
        - when: count > 3
          go: more
        - otherwise: bye
  more:
    - say: {prompt: asked_text, repeat: often, values: {asked: "{count}"}}  # <- number
    - go: bye
  bye:
    - hangup
""",
        # A head that is wrong in places.
        HEAD.replace("title:", "titel:").replace("en]", "xx yy]").replace("titel: The desk", "titel: The desk  # <- unknown-key").replace("yy]", "yy]  # <- language")
        + """\
  greet:
    - play: no_oder  # <- unknown-prompt
    - say: "{nobody}"  # <- unknown-name
    - go: byee  # <- unknown-block
  bye:
    - hangup
""",
        # Aliases, anchors and tags are told, and what stands with them is looked at.
        HEAD
        + """\
  greet:
    - play: &a no_order  # <- anchor
    - play: !x no_oder  # <- tag, unknown-prompt
    - say: *a  # <- alias
    - set: {<<: *a, kind: "{dealr}"}  # <- alias, unknown-name
    - go: byee  # <- unknown-block
  bye:
    - hangup
""",
        # What can't be parsed is cut out, and nothing follows of it.
        HEAD.replace("The desk", '"The desk  # <- syntax')
        + """\
  greet:
    - answer
    - play: Hello: there  # <- syntax
    - menu:
        prompt: main_menus  # <- unknown-prompt
        options: {1: state, 2: 'oder, 3: bye}  # <- syntax
        give_up: bye
  state:
    - query: {ask: orders.state, into: order, failed: bye  # <- syntax
    - say: {prompt: note_text, values: {note: "{order.number}"}}
    - go: missing  # <- unknown-block
  bye:
    - collect: {into: z, as: digits, prompt: enter_dealer, give_up: bye]  # <- syntax
    - set: {kind: "{z} and {zz}"}  # <- unknown-name
    - hangup
""",
        # A whole block that is wrong in its indentation.
        HEAD
        + """\
  greet:
    - play: no_order
      - hangup  # <- syntax
  bye:
    - play: no_oder  # <- unknown-prompt
    - hangup
""",
    ],
    ids=["a step", "a case", "an optional part", "the head", "marks", "syntax", "indentation"],
)  # fmt: skip
def test_every_mistake_is_told_once(text: str) -> None:
    text, wanted = expected(text)
    found = told(text)
    assert sorted(found) == sorted(wanted)


def test_a_mistake_in_one_file_hides_none_in_the_others(tmp_path: Path) -> None:
    make_home(tmp_path)

    def change(file: str, *changes: tuple[str, str]) -> None:
        path = tmp_path / file
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")

    change(
        "dialplans/main.yaml",
        ("flow: logistics/main, languages", "flow: logistics/mian, langages"),
        ('{to: "*11", flow', '{to: "*11, flow'),
        ("flow: duty/main", "flow: duty/mian"),
    )
    change("prompts/en.yaml", ("\nrate_thanks: Thank you", '\nrate_thanks: "Thank you'))
    change("conf/queues.yaml", ("\nqueues:\n", "\nqueues:\n  broken: {title: {en: X}, offer: soon}\n"))
    change("conf/calendars.yaml", ("  office:\n", "  office: [\n"))
    change(
        "plugins/reception/flows/operator.yaml",
        ("play: to_operator", "play: to_operatr"),
        ("queue:", "queue: ["),
    )
    found = [(fault.file, fault.code) for fault in read_installation(tmp_path, VirtualClock()).faults.errors]
    assert found == [
        ("conf/calendars.yaml", "syntax"),
        ("conf/queues.yaml", "duration"),
        ("dialplans/main.yaml", "unknown-flow"),
        ("dialplans/main.yaml", "unknown-key"),
        ("dialplans/main.yaml", "syntax"),
        ("dialplans/main.yaml", "unknown-flow"),
        ("plugins/reception/flows/operator.yaml", "unknown-prompt"),
        ("plugins/reception/flows/operator.yaml", "syntax"),
        ("prompts/en.yaml", "syntax"),
    ]


def test_every_sound_file_stays_sound_however_one_line_of_it_is_cut_short() -> None:
    """Whatever is cut off at the end of a line: the file is read or refused in time, and never raises."""
    from tests.flows.checking import MAIN

    lines = MAIN.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        for cut in {len(line) // 2, len(line) - 1} - {0, -1, len(line)}:
            text = "\n".join([*lines[:number], line[:cut], *lines[number + 1 :]])
            _, faults = check_drafts([parse_flow(text, "orders/main", STEPS)], KNOWN)
            assert all(fault.line <= len(lines) + 1 for fault in faults)
            syntax = [fault for fault in faults if fault.code == "syntax"]
            assert len(syntax) <= 2, (number + 1, [str(fault) for fault in faults])
