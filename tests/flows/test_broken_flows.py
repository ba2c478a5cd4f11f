"""Every mistake that the checker knows, made once in the sample flow, is reported at its place.

Each row is what is replaced in ``sample/orders/flows/main.yaml`` and by what; the mark stands where the fault
must be reported.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.checking import MAIN, check, department, marked

BROKEN: dict[str, tuple[str, str, str]] = {
    # code: what is written, what is written instead
    "a misspelt step": ("- open_hours:", "- »open_huors:", "unknown-step"),
    "a misspelt bare step": ("- answer", "- »anwser", "unknown-step"),
    "a step that needs a value": ("- answer", "- »menu", "shape"),
    "a value for a step without one": ("- answer", "- »answer: now", "shape"),
    "two steps in one": ("- play: closed", "- play: closed\n      »hangup: USER_BUSY", "two-steps"),
    "a misspelt key of a step": ("attempts: 2", "»atempts: 2", "unknown-key"),
    "a key that is missing": ("- menu:\n        prompt: main_menu", "- »menu:", "missing-key"),
    "a way that is missing": ("not_found: none, ", "", "missing-way"),
    "a give_up that is missing": ("yes: state, no: bye, give_up: bye", "yes: state, no: bye", "missing-key"),
    "a misspelt block": ("star: greet", "star: »great", "unknown-block"),
    "a misspelt block of choose": ("go: shipped", "go: »shiped", "unknown-block"),
    "a misspelt start": ("start: greet", "start: »gret", "unknown-block"),
    "a misspelt flow": ("flow: orders/check", "flow: »orders/chek", "unknown-flow"),
    "an outcome that there is not": ("locked: bye", "»lokced: bye", "unknown-outcome"),
    "a parameter that there is not": ('pin: "{pin}"}, into', '»pine: "{pin}"}, into', "unknown-argument"),
    "a misspelt prompt": ("- play: no_order", "- play: »no_oder", "unknown-prompt"),
    "a prompt in one language only": ("- play: no_order", "- play: »only_english", "prompt-language"),
    "a text in a flow of two languages": ("- play: no_order", '- play: »"Nothing there"', "literal-text"),
    "a prompt with values that is played": ("- play: no_order", "- play: »shipped_text", "prompt-values"),
    "a misspelt queue": ("name: orders", "name: »order", "unknown-queue"),
    "a misspelt skill": ("skills: {credit: 2}", "skills: {»credits: 2}", "unknown-skill"),
    "a misspelt calendar": ("calendar: office", "calendar: »ofice", "unknown-calendar"),
    "a misspelt query": ("ask: orders.state", "ask: »orders.sate", "unknown-query"),
    "a misspelt command": ("do: orders.place", "do: »orders.plaec", "unknown-command"),
    "an argument that there is not": ('count: "= 2 + 1"', '»cuont: "= 2 + 1"', "unknown-argument"),
    "an argument that is missing": ('do: orders.place\n        with: {dealer: "{dealer}", count: "= 2 + 1"}',
                                    'do: »orders.place\n        with: {dealer: "{dealer}"}', "missing-argument"),
    "a refusal without a way": ("refused: {credit: desk, stock: none}", "refused: {credit: desk}", "missing-way"),
    "a refusal that there is not": ("stock: none", "stock: none, »stok: none", "unknown-refusal"),
    "a command without an id": ("- id: place\n      command:", "- »command:", "missing-id"),
    "a misspelt policy": ("policy: service", "policy: »servise", "unknown-policy"),
    "a misspelt format": ("{dealer:digits}", '»{dealer:digit}', "unknown-format"),
    "a word by number where no language is": ("{dealer:digits}", '»{dealer:count|dealer|dealers}', "template"),
    "a name that is nowhere": ('note: "{order.note}"', 'note: "»{odrer.note}"', "unknown-name"),
    "a name in an expression that is nowhere": ("if: asked > 0", "if: 0 < »aksed", "unknown-name"),
    "a name not born on every path": ("no: bye, give_up: bye}", "no: noted, give_up: bye}", "not-born"),
    "a name that a prompt speaks and nobody bore": ("- play: no_order", "- say: »placed_text", "not-born"),
    "a field that a record has not": ('order.state == "shipped"', '»order.stat == "shipped"', "unknown-field"),
    "a secret in a text": ("order {dealer:digits}", "order »{pin:digits}", "secret-spoken"),
    "a secret that is told": ('tell: {order: "{order}"}', 'tell: {order: "»{pin}"}', "secret-spoken"),
    "a secret that is read back": ("length: 4-6,", "length: 4-6, confirm: »position,", "secret-spoken"),
    "a read-only name": ("set: {asked:", "set: {»caller: x, asked:", "read-only"),
    "an expression that is none": ('order.state == "shipped"', 'order.state »= "shipped"', "expression"),
    "a call in an expression": ("if: asked > 0", "if: »max(asked)", "expression"),
    "an expression in a value that is none": ('"= 2 + 1"', '"= »2 ** 9"', "expression"),
    "a brace that is not closed": ('"order {dealer:digits}"', '"order »{dealer"', "template"),
    "a name without quotes": ('note: "{order.note}"', "note: »{order.note}", "unquoted-braces"),
    "a duration without a unit": ("longest: 10m", "longest: »10", "duration"),
    "a length backwards": ("length: 4-6", "length: »6-4", "length"),
    "a key that no phone has": ("{1: state,", "{»11: state,", "key"),
    "an option twice": ("star: greet}", 'star: greet, »"*": desk}', "duplicate-key"),
    "a star without quotes": ("star: greet}", "»*: greet}", "unquoted-star"),
    "an empty value": ("attempts: 2", "»attempts:", "empty-value"),
    "a duplicate block": ("  closed:\n", "", "duplicate-key"),
    "a block that nobody reaches": ("  closed:\n", "  »alone:\n    - hangup\n  closed:\n", "unreachable"),
    "a step behind the end": ("- play: bye\n    - hangup", "- hangup\n    - »play: bye", "unreachable"),
    "a block that ends nowhere": ("  »closed:\n    - play: closed\n    - go: bye", "", "no-end"),
    "a loop that silence never leaves": ("- play: bye\n    - hangup", "- play: bye\n    - go: bye", "endless-loop"),
    "a step in on_hangup that needs the caller": ("- journal:", "- »play: bye\n  - journal:", "on-hangup"),
    "a way in on_hangup": ("- journal: {event", "- »go: bye\n  - journal: {event", "on-hangup"),
    "the wrong name": ("flow: orders/main", "flow: »orders/mian", "flow-name"),
    "another grammar": ("grammar: 1", "grammar: »2", "grammar"),
    "a language without prompts": ("languages: [zh-CN, en]", "languages: [zh-CN, en, »fr]", "unknown-language"),
    "a percentage that is none": ("contained: 60%", "contained: »60", "percentage"),
    "a case without a way": ("go: noted", "", "missing-key"),
    "an otherwise that is not the last": ("- otherwise: bye", "- otherwise: bye\n        - otherwise: none", "case"),
    "a tag": ("title: The", "title: »!x The", "tag"),
    "an alias": ("title: The distributors' order desk", "title: »*x", "alias"),
}  # fmt: skip
# Where the fault stands elsewhere than the change.
ELSEWHERE = {
    "a way that is missing": "ask: »orders.state",
    "a give_up that is missing": "- »confirm:",
    "a refusal without a way": "do: »orders.place",
    "a name not born on every path": 'note: "»{order.note}"',
    "a case without a way": "- »when: order.note",
    "an otherwise that is not the last": "- »choose:",
    "a loop that silence never leaves": "  »bye:\n    - play",
    "a duplicate block": "  »bye:\n    - play",
    "a block that ends nowhere": "  »closed:",
}


@pytest.mark.parametrize(("written", "instead", "code"), BROKEN.values(), ids=BROKEN)
def test_a_broken_flow_is_reported_at_its_place(
    tmp_path: Path, request: pytest.FixtureRequest, written: str, instead: str, code: str
) -> None:
    name = request.node.callspec.id
    text = MAIN.read_text(encoding="utf-8")
    if name == "a block that ends nowhere":
        written, instead = "    - play: closed\n    - go: bye", "    - play: closed"
    elif name == "a duplicate block":
        instead = "  closed:\n    - hangup\n  bye:\n    - hangup\n"
        text = text.replace("  closed:\n    - play: closed\n    - go: bye\n", "  closed:\n")
    assert text.count(written) == 1, f"{written!r} is not once in the sample"
    text = text.replace(written, instead)
    if name in ELSEWHERE:
        place = ELSEWHERE[name]
        assert text.count(place.replace("»", "")) == 1
        text = text.replace(place.replace("»", ""), place)
    text, line, column = marked(text)
    flows, faults = check(department(tmp_path, main=text))
    assert flows is None
    found = [(fault.line, fault.column, fault.code) for fault in faults]
    assert (line, column, code) in found, faults.pretty()
    assert {fault.file for fault in faults} == {"plugins/orders/flows/main.yaml"}
