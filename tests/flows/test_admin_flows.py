# ruff: noqa: E501
"""Five flows as an administrator writes them are clean; what administrators do wrong in them is told at its place."""

from __future__ import annotations

import pytest

from tests.flows.administered import administered
from tests.flows.checking import marked


def test_five_flows_as_an_administrator_writes_them_have_no_fault() -> None:
    flows, faults = administered().check()
    assert list(faults) == [], faults.pretty()
    assert list(administered().faults) == [], administered().faults.pretty()
    assert flows is not None
    assert set(flows.flows) >= {
        "power/main",
        "pay/main",
        "shop/main",
        "office/main",
        "survey/main",
        "survey/after",
    }


# What is done wrong: the flow, what is written, what is written instead (the mark stands where the fault must be told),
# the code, and a word of what is told. Each makes this one fault and no other.
BROKEN: dict[str, tuple[str, str, str, str, str]] = {
    "a key of the phone that begins a comment": (
        "pay/main", "options: {1: month, star: bye}", "options: {1: month, »*: bye}", "unquoted-star", "star"),
    "a value without quotes": (
        "power/main", 'with: {meter: "{meter}"}', "with: {meter: »{meter}}", "unquoted-braces", 'quote it: "{meter}"'),
    "a text that a comment cuts off": (
        "power/main", "title: Power faults, counted by area", "title: »Power faults #2", "cut-off", "quote the text"),
    "a block that is written twice": (
        "power/main", "  repaired:\n    - say: repaired_fault\n    - go: menu\n",
        "  repaired:\n    - say: repaired_fault\n    - go: menu\n  »known:\n    - go: menu\n", "duplicate-key", "line 33"),
    "a tab": (
        "office/main", "    - play: bye\n", "\t- play: bye\n", "tab", "blanks"),
    "a length of time without a unit": (
        "power/main", "window: 2h", "window: »2", "duration", "2"),
    "a misspelt block": (
        "power/main", "otherwise: count", "otherwise: »cuont", "unknown-block", 'did you mean "count"?'),
    "a misspelt field of a record": (
        "power/main", 'tell: {area: "{area.name}"}', 'tell: {area: "»{area.nmae}"}', "unknown-field", "name"),
    "a state that there never is": (
        "power/main", 'area.state == "known"', 'area.state == »"konwn"', "unknown-choice", 'did you mean "known"?'),
    "a way of nothing found that is left out": (
        "pay/main", "ask: pay.slip, with: {employee: \"{employee}\", month: \"{month}\"}, into: slip, not_found: none,",
        "ask: »pay.slip, with: {employee: \"{employee}\", month: \"{month}\"}, into: slip,", "missing-way", "not_found"),
    "a refusal that is left out": (
        "pay/main", "do: pay.sign_in\n        with: {employee: \"{employee}\", pin: \"{pin}\"}\n        refused: {wrong: wrong_pin, locked: bye}",
        "do: »pay.sign_in\n        with: {employee: \"{employee}\", pin: \"{pin}\"}\n        refused: {wrong: wrong_pin}", "missing-way", "locked"),
    "pay in the journal": (
        "pay/main", 'data: {month: "{slip.month}"}', 'data: {pay: "»{slip.net}"}', "private", "private"),
    "a PIN in the journal": (
        "pay/main", 'data: {month: "{slip.month}"}', 'data: {pin: "»{pin}"}', "secret-spoken", "secret"),
    "a number that is set as a text": (
        "shop/main", 'set: {total: "= 0", lines: "= 0"}', 'set: {total: "= 0", lines: "= 0", fee: 1, all: "= »fee + 1"}',
        "wrong-type", '"= 1"'),
    "a text where a number is wanted": (
        "shop/main", 'count: "{pieces}"}', 'count: "»many"}', "wrong-type", "many"),
    "an amount said as a day": (
        "shop/main", "values: {left: \"{article.left}\"}", "values: {left: \"order »{article.price:date}\"}", "wrong-type", "date"),
    "a key compared with a number": (
        "survey/after", 'answer.mark == "1"', "answer.mark == »1", "wrong-type", "quote it"),
    "a day compared with a text": (
        "office/main", "now.month == 10 and now.day <= 7", 'now < »"2026-10-08"', "wrong-type", "now.month"),
    "a name that is not known on every way": (
        "survey/main", "    - set: {reason: none}\n    - go: keep\n", "    - go: keep\n", "not-born", "press 3"),
    "a loop that a silent caller never leaves": (
        "office/main", "  »note:\n", "  note:\n", "endless-loop", "stay silent x2 -> block message again"),
    "a key that the words do not name": (
        "survey/main", "options: {1: keep, 2: keep, 3: keep}", "options: {1: keep, 2: keep, 3: keep, »4: keep}", "silent-key",
        "press 1"),
    "a key that the words name and the menu lacks": (
        "office/main", "{prompt: message_or_end, options: {1: note, 2: bye}", "{prompt: »message_or_end, options: {1: note}",
        "menu-key", "2"),
    "a return that the flow does not declare": (
        "survey/main", 'values: {mark: none, reason: none}', 'values: {mark: none, »raeson: none}', "unknown-return", "reason"),
    "a command without an id": (
        "shop/main", "- id: add\n      command:", "- »command:", "missing-id", "id"),
    "a prompt of another department": (
        "office/main", "- say: back_on", "- say: »repaired_fault", "unknown-prompt", "repaired_fault"),
}  # fmt: skip


@pytest.mark.parametrize(("flow", "written", "instead", "code", "told"), BROKEN.values(), ids=BROKEN)
def test_what_is_done_wrong_is_told_at_its_place_and_nothing_else(
    request: pytest.FixtureRequest, flow: str, written: str, instead: str, code: str, told: str
) -> None:
    text = administered().texts[flow]
    name = request.node.callspec.id
    if name == "a tab":
        line, column = text[: text.index("    - play: bye\n")].count("\n") + 1, 1
        text = text.replace(written, instead)
    elif name == "a loop that a silent caller never leaves":
        text = text.replace("attempts: 2, give_up: bye}", "attempts: 2, give_up: wait}")
        text = text.replace("  note:\n", "  wait:\n    - silence: 5s\n    - go: message\n  note:\n")
        text, line, column = marked(text.replace("  message:\n", "  »message:\n"))
    else:
        assert text.count(written) == 1, f"{written!r} is not once in {flow}"
        text = text.replace(written, instead)
        if "»" not in text:  # the fault stands where the name is read
            text = text.replace(
                'mark: "{mark}", reason: "{reason}"}}', 'mark: "{mark}", reason: "»{reason}"}}'
            )
        text, line, column = marked(text)
    flows, faults = administered().check(**{flow.replace("/", "_"): text})
    found = {(fault.file, fault.line, fault.column, fault.code) for fault in faults}
    assert found == {(f"{flow}.yaml", line, column, code)}, faults.pretty()
    assert told in faults.pretty()
    assert (flows is None) == bool(faults.errors)


def test_there_are_more_than_twenty_of_them() -> None:
    assert len(BROKEN) > 20
