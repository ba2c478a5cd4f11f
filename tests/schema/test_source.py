from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.schema import compose
from engine.schema.source import MAX_BYTES, MAX_DEPTH, Document, parse_text, read_document

MARK = "»"


def parse_marked(text: str) -> tuple[Document, int, int]:
    """Parse a text without its mark; where the mark stood, as line and column."""
    before = text[: text.index(MARK)]
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return parse_text(text.replace(MARK, ""), "a.yaml"), line, column


@pytest.fixture(params=["libyaml", "python"])
def composer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of reading YAML: with libyaml, and where PyYAML was built without it."""
    if request.param == "python":
        monkeypatch.setattr(compose, "FastComposer", compose._PythonComposer)
    return str(request.param)


@pytest.mark.usefixtures("composer")
@pytest.mark.parametrize(
    "typed",
    ["01088886666", "+8613800000000", "1.10", "12e5", "no", "on", "17:30", "2026-10-01", "0x1F", "~", "null"],
)
def test_every_scalar_stays_what_was_typed(typed: str) -> None:
    assert parse_text(f"a: {typed}\nb: [{typed}]\n{typed}: x\n", "a.yaml").tree == {
        "a": typed,
        "b": [typed],
        typed: "x",
    }


REFUSED = {
    "duplicate keys": ("a: 1\nb: 2\n»a: 3\n", "duplicate-key"),
    "star beside its sign": ('o:\n  star: x\n  »"*": y\n', "duplicate-key"),
    "an alias": ("a: &x 1\nb: »*x\n", "alias"),
    "an anchor": ("a: »&x 1\n", "anchor"),
    "a tag": ("a: »!!python/object/apply:os.system [x]\n", "tag"),
    "a tag on a text": ("a:\n  - »!secret x\n", "tag"),
    "an empty value": ("»a:\nb: 2\n", "empty-value"),
    "an empty value in a flow mapping": ("m: {a: 1, »b: }\n", "empty-value"),
    "an empty item": ("a:\n  - x\n  -»\n", "empty-value"),
    "a value that is a comment": ("»end: # the hash key\n", "empty-value"),
    "a hash key among options": ("options:\n  1: a\n  »#: b\n", "hash-key"),
    "a hash key in braces": ("options: {1: a,\n  »#: b\n  }\n", "hash-key"),
    "a name in braces without quotes": ("with: {number: »{waybill}}\n", "unquoted-braces"),
    "a name and format in braces": ("a: »{waybill:digits}\n", "unquoted-braces"),
    "a text that begins with braces": ("a: {x} »and more\n", "syntax"),
    "a star without quotes": ("options: {1: a, »*: b}\n", "unquoted-star"),
    "a star in a block": ("options:\n  »*: b\n", "unquoted-star"),
    "a colon in a text": ("a: hello »: you\nb: c: d\n", "syntax"),
    "a tab": ("a:\n»\tb: c\n", "tab"),
    "an open quote": ('a: »"x\nb: 2\n', "syntax"),
    "a list as a key": ("»[a, b]: c\n", "complex-key"),
    "two documents": ("a: 1\n»---\nb: 2\n", "syntax"),
    "a sign that begins no text": ("a: »@x\n", "syntax"),
    "a control character": ("a: x»\x07y\n", "control-character"),
    "a line separator": ("a: x»\u2028y\n", "control-character"),
}


@pytest.mark.usefixtures("composer")
@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_what_surprises_people_is_refused_at_its_place(text: str, code: str) -> None:
    document, line, column = parse_marked(text)
    found = [(fault.line, fault.column, fault.code) for fault in document.faults]
    assert (line, column, code) in found, "\n".join(fault.pretty() for fault in document.faults)


def test_a_duplicate_key_names_both_places() -> None:
    fault = parse_text("a: 1\nb: 2\na: 3\n", "a.yaml").faults[0]
    assert str(fault.also) == "a.yaml:1:1"
    assert "line 1" in fault.message


def test_all_faults_of_a_file_come_in_one_run() -> None:
    text = "a: 1\na: 2\nb:\nc: {x}\nd: {e: 1, e: 2}\n"
    assert [fault.code for fault in parse_text(text, "a.yaml").faults] == [
        "duplicate-key",
        "empty-value",
        "unquoted-braces",
        "duplicate-key",
    ]


@pytest.mark.usefixtures("composer")
@pytest.mark.parametrize(
    "text",
    [
        'a: "{waybill}"\n',
        "a: x  # a comment\n",
        "a: 1\n# a comment\nb: 2\n",
        "a: |\n  #: not an option\n",
        'a: "*"\n"#": b\n',
        "a: [1 & 2, b!]\n",
        "a: 5 * 3\n",
        "a: <<\n",
        "\ufeffa: 1\n",
        "a: 1\r\nb: 2\r\n",
    ],
)
def test_what_is_meant_as_it_stands_is_taken(text: str) -> None:
    assert parse_text(text.removeprefix("\ufeff"), "a.yaml").faults == []


def test_a_text_cut_off_by_a_comment_is_known_as_such() -> None:
    tree = parse_text("a: press 1 # for sales\nb: 'x' # fine\nc: y\n", "a.yaml").tree
    assert isinstance(tree, dict)
    assert [type(value).__name__ for value in tree.values()] == ["Cut", "str", "str"]


def test_a_file_of_100_megabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as stream:
        stream.truncate(100 << 20)
    began = time.process_time()
    document = read_document(path)
    assert time.process_time() - began < 1
    assert [fault.code for fault in document.faults] == ["too-large"]


@pytest.mark.usefixtures("composer")
@pytest.mark.parametrize("opener", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused_at_the_level_that_is_too_deep(opener: str) -> None:
    count = (MAX_BYTES - 100) // len(opener)
    document = parse_text("a:\n  " + opener * count, "a.yaml")
    assert [fault.code for fault in document.faults] == ["too-deep"]
    assert document.faults[0].line == 2
    assert document.faults[0].column <= 3 + (MAX_DEPTH + 1) * len(opener)


def test_deep_blocks_are_refused_too() -> None:
    text = "".join(f"{' ' * level}a:\n" for level in range(900)) + " " * 900 + "b: c\n"
    assert "too-deep" in {fault.code for fault in parse_text(text, "a.yaml").faults}


def test_many_levels_within_the_cap_are_read() -> None:
    deep = "[" * (MAX_DEPTH - 1) + "x" + "]" * (MAX_DEPTH - 1)
    assert parse_text(f"a: {deep}\n", "a.yaml").faults == []


def test_bytes_that_are_not_utf_8_are_refused_at_their_place(tmp_path: Path) -> None:
    path = tmp_path / "gbk.yaml"
    path.write_bytes("a: x\n您: ".encode() + "好".encode("gbk"))
    fault = read_document(path).faults[0]
    assert (fault.line, fault.column, fault.code) == (2, 4, "not-utf-8")


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    fault = read_document(tmp_path / "none.yaml", name="none.yaml").faults[0]
    assert str(fault).startswith("none.yaml: error[unreadable]")


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_a_fault(text: str) -> None:
    assert parse_text(text, "a.yaml").faults


def test_everything_has_its_place() -> None:
    document = parse_text("a: 1\nb:\n  - x\n  - {c: 您好, star: d}\n", "a.yaml")
    assert str(document.position(("b", 1, "c"))) == "a.yaml:4:9"
    assert str(document.position(("b", 1, "c"), key=True)) == "a.yaml:4:6"
    assert str(document.position(("b", 1, "*"))) == "a.yaml:4:19"
    assert str(document.position(("b", 7))) == "a.yaml:3:3"  # the nearest thing that is there
    assert document.has(("b", 0))
    assert not document.has(("b", 2))
    assert document.value(("b", 1, "c")) == "您好"


@settings(deadline=None)  # the machine may be busy
@given(st.text(alphabet="ab:-{}[]\"'#&*!|> \n\t,?%@1您", max_size=60))
def test_any_text_is_read_or_refused_but_never_raises(text: str) -> None:
    document = parse_text(text, "a.yaml")
    assert document.tree is not None or document.faults
    for fault in document.faults:
        assert fault.line >= 1
        assert fault.column >= 1
        fault.pretty()


@settings(deadline=None)  # the machine may be busy
@given(
    st.recursive(
        st.text("ab01 {}*&#:", max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("abc*#", min_size=1, max_size=3), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_what_was_written_as_json_is_read_as_it_was(value: object) -> None:
    if isinstance(value, dict) and ({"*", "star"} <= set(value) or {"#", "hash"} <= set(value)):
        return
    document = parse_text(json.dumps({"v": value}, ensure_ascii=False), "a.yaml")
    if not document.faults:
        assert document.tree == {"v": value}
