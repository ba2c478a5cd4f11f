from __future__ import annotations

import zlib
from pathlib import Path

import orjson
import pytest

from engine.flows.model import FlowSet
from tests.flows.checking import MAIN, SAMPLE, check, department


def compiled(plugins: Path = SAMPLE) -> FlowSet:
    flows, faults = check(plugins)
    assert flows is not None, faults.pretty()
    return flows


def test_a_set_comes_back_from_its_bytes_as_it_was() -> None:
    before = compiled()
    after = FlowSet.from_bytes(before.to_bytes())
    assert after.hash == before.hash
    assert after == before
    main = after["orders/main"]
    assert [step.line for step in main.blocks["greet"].steps] == [13, 14, 15, 16, 17, 18]
    assert main.blocks["greet"].steps[5].label == "greet[6] menu"
    assert main.on_hangup[0].kind == "journal"


def test_a_comment_or_a_line_more_does_not_make_another_set(tmp_path: Path) -> None:
    text = MAIN.read_text(encoding="utf-8")
    changed = compiled(
        department(tmp_path, main="# a comment\n\n" + text.replace("- hangup", "- hangup   # the end"))
    )
    assert changed.hash == compiled().hash
    assert changed["orders/main"].blocks["greet"].line == 15


def test_another_word_makes_another_set(tmp_path: Path) -> None:
    text = MAIN.read_text(encoding="utf-8")
    assert (
        compiled(department(tmp_path, main=text.replace("attempts: 2", "attempts: 3"))).hash
        != compiled().hash
    )


def test_a_set_knows_its_flows() -> None:
    flows = compiled()
    assert len(flows) == 2
    assert "orders/check" in flows
    assert flows.get("orders/none") is None
    main = flows["orders/main"]
    assert (main.department, main.revision, main.languages, main.start) == (
        "orders",
        3,
        ("zh-CN", "en"),
        "greet",
    )
    assert main.goal == {"contained": 0.6}
    assert main.step("state", 0).kind == "query"
    assert main.step("order", 0).key == "place"
    assert main.step("state", 0).key == "state.0"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        zlib.compress(b"[]"),
        zlib.compress(orjson.dumps({"grammar": 7, "hash": "", "flows": []})),
        zlib.compress(
            orjson.dumps({"grammar": 1, "hash": "", "flows": [{"file": "x", "tree": {}, "lines": {}}]})
        ),
        zlib.compress(orjson.dumps({"grammar": 1, "hash": "0000", "flows": []})),
    ],
)
def test_bytes_that_are_no_set_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        FlowSet.from_bytes(data)
