from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import ValidationError, model_validator

from engine.schema.faults import Fault
from engine.schema.fields import (
    CalendarRef,
    Duration,
    Flag,
    Key,
    Language,
    Name,
    Positive,
    PromptRef,
    Target,
    Text,
)
from engine.schema.shapes import FileShape, Ref, Reference, Shape, Short, load_file, references, wrong


class Music(Short):
    short = "sound"

    sound: Name = "default"
    volume: Positive = 5


class Queue(Shape):
    title: Text
    longest: Duration = 60.0
    strategy: Literal["longest_idle", "ring_all"] = "longest_idle"
    keys: dict[Key, Target] = {}
    language: Language | None = None
    calendars: list[CalendarRef] = []
    music: Music = Music()
    loud: Flag = False
    pair: tuple[Annotated[str, Ref("left")], ...] = ()

    @model_validator(mode="after")
    def _loud_needs_music(self) -> Queue:
        if self.loud and self.music.volume < 6:
            raise wrong("too-quiet", "a loud queue needs a volume of 6", at="music")
        return self


class Queues(FileShape):
    grammar: Positive
    queues: dict[Name, Queue]
    closing: PromptRef | None = None


def load(tmp_path: Path, text: str) -> tuple[Queues | None, list[Fault]]:
    path = tmp_path / "queues.yaml"
    path.write_text(text, encoding="utf-8")
    return load_file(path, Queues, name="queues.yaml")


def test_a_file_becomes_a_model_that_knows_its_places(tmp_path: Path) -> None:
    model, faults = load(
        tmp_path,
        "grammar: 1\nqueues:\n  sales:\n    title: Sales\n    longest: 10m\n"
        "    keys: {1: out, star: again}\n    music: jazz\n",
    )
    assert faults == []
    assert model is not None
    queue = model.queues["sales"]
    assert (queue.longest, queue.keys, queue.music.sound) == (600.0, {"1": "out", "*": "again"}, "jazz")
    assert str(model.at("queues", "sales", "longest")) == "queues.yaml:5:14"
    assert str(model.at("queues", "sales", "keys", "*")) == "queues.yaml:6:26"
    assert str(model.at("queues", "sales", key=True)) == "queues.yaml:3:3"


def test_every_fault_of_a_file_comes_at_once_and_in_order(tmp_path: Path) -> None:
    model, faults = load(
        tmp_path,
        """\
grammer: 1
queues:
  sales:
    titel: Sales
    longest: 10
    strategy: longest_idel
    keys: {12: out, 1: Out}
    language: zh_CN
    calendars: [office, 7]
    music: {sound: jazz, volum: 3, volume: loud}
    loud: perhaps
  Desk: {title: x}
  back: just text
""",
    )
    assert model is None
    assert [(fault.line, fault.column, fault.code) for fault in faults] == [
        (1, 1, "unknown-key"),
        (4, 5, "unknown-key"),
        (5, 14, "duration"),
        (6, 15, "unknown-choice"),
        (7, 12, "key"),
        (7, 24, "target"),
        (8, 15, "language"),
        (9, 25, "name"),
        (10, 26, "unknown-key"),
        (10, 44, "number"),
        (11, 11, "flag"),
        (12, 3, "name"),
        (13, 9, "shape"),
    ]
    hints = {fault.line: fault.hint for fault in faults}
    assert hints[1] == 'did you mean "grammar"?'
    assert hints[4] == 'did you mean "title"?'
    assert hints[5] == "say its unit: 10s"
    assert hints[6] == 'did you mean "longest_idle"?'
    assert hints[8] == "write zh-CN or en"


def test_a_fault_of_the_source_is_not_reported_again_by_the_shape(tmp_path: Path) -> None:
    model, faults = load(tmp_path, "grammar: 1\nqueues:\n  sales:\n    title: {x}\n    longest:\n")
    assert model is None
    assert [(fault.line, fault.code) for fault in faults] == [(4, "unquoted-braces"), (5, "empty-value")]


def test_a_text_cut_off_by_a_comment_is_refused_but_a_key_is_not(tmp_path: Path) -> None:
    text = "grammar: 1\nclosing: goodbye # a key\nqueues:\n  sales: {title: Press 1 # for sales\n    }\n"
    _, faults = load(tmp_path, text)
    assert [(fault.line, fault.column, fault.code) for fault in faults] == [(4, 18, "cut-off")]
    _, faults = load(tmp_path, text.replace("goodbye", "Good bye"))
    assert [(fault.line, fault.code) for fault in faults] == [(2, "cut-off"), (4, "cut-off")]


def test_a_validator_of_the_whole_may_point_at_a_field(tmp_path: Path) -> None:
    _, faults = load(
        tmp_path, "grammar: 1\nqueues:\n  sales:\n    title: x\n    music: jazz\n    loud: yes\n"
    )
    assert [(fault.line, fault.column, fault.code) for fault in faults] == [(5, 12, "too-quiet")]


def test_references_are_found_at_any_depth_with_their_paths(tmp_path: Path) -> None:
    model, _ = load(
        tmp_path,
        "grammar: 1\nclosing: bye\nqueues:\n"
        "  sales: {title: x, keys: {hash: out}, language: en, calendars: [a, b], pair: [p, q]}\n",
    )
    assert model is not None
    assert references(model) == [
        Reference("target", "out", ("queues", "sales", "keys", "#")),
        Reference("language", "en", ("queues", "sales", "language")),
        Reference("calendar", "a", ("queues", "sales", "calendars", 0)),
        Reference("calendar", "b", ("queues", "sales", "calendars", 1)),
        Reference("left", "p", ("queues", "sales", "pair", 0)),
        Reference("left", "q", ("queues", "sales", "pair", 1)),
        Reference("prompt", "bye", ("closing",)),
    ]
    assert str(model.at("queues", "sales", "keys", "#")) == "queues.yaml:4:34"


def test_a_file_that_is_a_list_is_refused(tmp_path: Path) -> None:
    _, faults = load(tmp_path, "- a\n")
    assert [(fault.line, fault.code) for fault in faults] == [(1, "shape")]


def test_a_shape_gives_its_json_schema() -> None:
    schema = Queues.model_json_schema()
    queue = schema["$defs"]["Queue"]
    assert queue["additionalProperties"] is False
    assert queue["properties"]["strategy"]["enum"] == ["longest_idle", "ring_all"]
    assert "pattern" in queue["properties"]["longest"]
    assert schema["required"] == ["grammar", "queues"]


def test_a_parsed_shape_never_changes() -> None:
    with pytest.raises(ValidationError):
        Music().volume = 7  # type: ignore[misc]
