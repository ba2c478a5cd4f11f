from __future__ import annotations

import pytest

from engine.errors import ConfigError
from engine.schema.faults import Fault, Faults, Position, did_you_mean, suggest

FAULT = Fault(
    "a.yaml",
    3,
    9,
    "unknown-block",
    "there is no block `trak`",
    'did you mean "track"?',
    source="    go: trak",
)


def test_a_fault_is_one_line_for_machines_and_shows_its_place_to_people() -> None:
    assert str(FAULT) == 'a.yaml:3:9: error[unknown-block]: there is no block `trak` (did you mean "track"?)'
    assert FAULT.pretty() == (
        "a.yaml:3:9: error[unknown-block]: there is no block `trak`\n"
        "  3 |     go: trak\n"
        "    |         ^\n"
        '  = did you mean "track"?'
    )


def test_the_caret_stands_under_wide_characters() -> None:
    shown = Fault("a.yaml", 1, 5, "x", "y", source="您好: 坏").pretty().splitlines()
    assert shown[2] == "    |       ^"  # two wide characters before it take four cells


def test_a_long_line_is_cut_around_the_caret() -> None:
    shown = Fault("a.yaml", 1, 501, "x", "y", source="a" * 500 + "b" + "c" * 500).pretty().splitlines()
    assert len(shown[1]) < 140
    assert shown[1][shown[2].index("^")] == "b"


def test_faults_come_sorted_and_warnings_apart() -> None:
    warning = Fault("a.yaml", 1, 1, "w", "w", severity="warning")
    faults = Faults([FAULT, warning])
    assert list(faults) == [warning, FAULT]
    assert faults.errors == [FAULT]
    assert faults.warnings == [warning]
    with pytest.raises(ConfigError, match="unknown-block"):
        faults.raise_errors()
    Faults([warning]).raise_errors()


def test_a_fault_as_json_has_its_parts() -> None:
    row = Fault("a.yaml", 3, 9, "duplicate-key", "twice", also=Position("a.yaml", 1, 1)).to_json()
    assert row["line"] == 3
    assert row["also"] == "a.yaml:1:1"


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("collcet", ["collect", "confirm"], "collect"),
        ("logistic/main", ["logistics/main", "hr/main"], "logistics/main"),
        ("logistics/quote", ["logistics/main"], ""),
        ("logistics.trak", ["logistics.track", "logistics.book"], "logistics.track"),
        ("xyz", ["collect"], ""),
        ("a", [], ""),
    ],
)
def test_the_nearest_known_word_is_suggested(word: str, known: list[str], near: str) -> None:
    assert suggest(word, known) == near


def test_without_a_near_word_the_few_choices_are_shown() -> None:
    assert did_you_mean("xyz", ["b", "a"]) == "known: a, b"
    assert did_you_mean("xyz", [str(number) for number in range(100)]) == ""
