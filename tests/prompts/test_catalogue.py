from __future__ import annotations

import re
import wave
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from engine.prompts import Catalogue, load_catalogue, load_say_as
from engine.schema.templates import Slot

Write = Callable[[str, str], Path]


class _Any(frozenset[str]):
    """Plugins bring formats of their own."""

    def __contains__(self, name: object) -> bool:
        return True


def faults_of(folder: Path, departments: dict[str, Path] | None = None) -> list[str]:
    _, faults = load_catalogue(folder, departments)
    return [f"{Path(fault.file).name}:{fault.line}:{fault.column}: {fault.code}" for fault in faults]


def test_a_department_speaks_its_own_prompt_before_the_common_one(catalogue: Catalogue) -> None:
    own = catalogue.find("bye", "en", "orders")
    common = catalogue.find("bye", "en", "hr")
    assert own is not None
    assert common is not None
    assert (own.key, own.template.text) == ("orders/bye", "The order line, goodbye.")
    assert (common.key, common.template.text) == ("bye", "Goodbye.")


def test_a_prompt_can_be_named_with_its_department_from_anywhere(catalogue: Catalogue) -> None:
    assert catalogue.find("orders/bye", "zh-CN", "hr") is catalogue.find("bye", "zh-CN", "orders")
    assert catalogue.find("common/bye", "zh-CN", "orders") is catalogue.find("bye", "zh-CN")
    assert catalogue.find("hr/bye", "zh-CN", "orders") is None
    assert catalogue.find("bye", "fr") is None


def test_the_checker_learns_languages_keys_and_placeholders(catalogue: Catalogue) -> None:
    known = catalogue.known()
    assert set(known) == {"zh-CN", "en"}
    assert known["en"]["orders/state"] == {"order.number": "digits", "order.city": "", "order.at": "date"}
    assert known["en"]["bye"] == {}


@pytest.mark.parametrize(
    ("zh", "en", "expected"),
    [
        ("a: 一\n", "b: two\n", ["en.yaml:1:1: missing-prompt", "zh-CN.yaml:1:1: missing-prompt"]),
        ("a: '{x:count}个'\n", "a: one\n", ["zh-CN.yaml:1:4: placeholders"]),
        ("a: '共{x:cuont}个'\n", "a: '{x} pieces'\n", ["zh-CN.yaml:1:6: unknown-format"]),
        ("a: '{x:count|个}'\n", "a: '{x:count|piece}'\n", ["en.yaml:1:5: plural"]),
        ("a: '{x:count|个|个}'\n", "a: '{x:count|piece|pieces}'\n", ["zh-CN.yaml:1:5: plural"]),
        ("a: '{x:digits}'\n", "a: '{x:digits|piece|pieces}'\n", ["en.yaml:1:5: plural"]),
        (
            "a: '{x:count}个'\n",
            "a: '{x:count|piece|}'\n",
            ["en.yaml:1:5: template"],
        ),
        ("a: 共 {x 个\n", "a: one\n", ["zh-CN.yaml:1:6: template"]),
        ("a: 一\na: 二\n", "a: one\n", ["zh-CN.yaml:2:1: duplicate-key"]),
        ("A b: 一\n", "a: one\n", ["zh-CN.yaml:1:1: missing-prompt", "zh-CN.yaml:1:1: prompt-key"]),
        ("a: {x}\n", "a: one\n", ["zh-CN.yaml:1:4: unquoted-braces"]),
        ("a: [一]\n", "a: one\n", ["zh-CN.yaml:1:4: shape"]),
        ("a: 请按 # 键\n", "a: one\n", ["zh-CN.yaml:1:4: cut-off"]),
        ("- 一\n", "a: one\n", ["zh-CN.yaml:1:1: missing-prompt", "zh-CN.yaml:1:1: shape"]),
        ("a: ''\n", "a: one\n", ["zh-CN.yaml:1:4: empty-text"]),
    ],
)
def test_faults_of_catalogues_have_their_place(
    tmp_path: Path, write: Write, zh: str, en: str, expected: list[str]
) -> None:
    write("prompts/zh-CN.yaml", zh)
    write("prompts/en.yaml", en)
    assert sorted(faults_of(tmp_path / "prompts")) == expected


def test_no_shipped_text_says_one_of_many() -> None:
    """A word in plural behind a number has its singular beside it."""
    root = Path(__file__).parents[2]
    plugins = {one.name: one for one in (root / "plugins").iterdir() if one.is_dir()}
    catalogue, faults = load_catalogue(root / "prompts", plugins, formats=_Any())
    assert not list(faults)
    found = []
    for text in catalogue.texts["en"].values():
        for slot, behind in pairwise(text.template.parts):
            many = isinstance(behind, str) and re.match(r" (?!is |was )\w+s\b", behind)
            if isinstance(slot, Slot) and slot.format == "count" and not slot.forms and many:
                found.append((text.key, behind))
    assert found == []


def test_a_language_without_spoken_values_is_a_fault(tmp_path: Path, write: Write) -> None:
    write("prompts/zh.yaml", "a: 一\n")
    _, faults = load_catalogue(tmp_path / "prompts")
    assert [fault.code for fault in faults] == ["unknown-language"]


def test_a_department_may_speak_one_language_only(tmp_path: Path, write: Write) -> None:
    write("prompts/zh-CN.yaml", "a: 一\n")
    write("prompts/en.yaml", "a: one\n")
    write("hr/prompts/zh-CN.yaml", "b: 二\n")
    assert faults_of(tmp_path / "prompts", {"hr": tmp_path / "hr"}) == []


def recording(path: Path, seconds: float = 1.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(bytes(int(seconds * 16000) * 2))
    return path


def test_a_recording_stands_in_for_its_text_and_pieces_for_the_words_between_values(
    tmp_path: Path, write: Write
) -> None:
    write("prompts/en.yaml", "bye: Goodbye.\nposition: You are number {n:count} in line.\n")
    bye = recording(tmp_path / "prompts/audio/en/bye.wav")
    second = recording(tmp_path / "prompts/audio/en/position.2.wav", 0.5)
    catalogue, faults = load_catalogue(tmp_path / "prompts")
    assert not list(faults)
    found, position = catalogue.find("bye", "en"), catalogue.find("position", "en")
    assert found is not None
    assert position is not None
    assert [(one.path, one.seconds) for one in found.recorded if one] == [(str(bye), 1.5)]
    assert [one and one.path for one in position.recorded] == [None, str(second)]


def test_recordings_that_nothing_plays_are_faults(tmp_path: Path, write: Write) -> None:
    write("prompts/en.yaml", "bye: Goodbye.\nposition: You are number {n:count} in line.\n")
    recording(tmp_path / "prompts/audio/en/by.wav")
    recording(tmp_path / "prompts/audio/en/position.wav")
    recording(tmp_path / "prompts/audio/en/position.3.wav")
    write("prompts/audio/en/bye.wav", "no sound")
    _, faults = load_catalogue(tmp_path / "prompts")
    assert sorted((Path(fault.file).name, fault.code) for fault in faults) == [
        ("by.wav", "unused-recording"),
        ("bye.wav", "recording"),
        ("position.3.wav", "unused-recording"),
        ("position.wav", "recording-of-values"),
    ]


def test_readings_for_the_speech_engine_are_a_flat_file(tmp_path: Path, write: Write) -> None:
    write("prompts/say_as/zh-CN.yaml", "重新: chong2 xin1\n银行:\n  - yin2\n")
    found, faults = load_say_as(tmp_path / "prompts")
    assert found == {"zh-CN": {"重新": "chong2 xin1"}}
    assert [(fault.line, fault.code) for fault in faults] == [(3, "shape")]


def test_the_shipped_readings_have_no_faults() -> None:
    _, faults = load_say_as(Path(__file__).parents[2] / "prompts")
    assert faults.pretty() == ""
