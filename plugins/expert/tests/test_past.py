"""Each story of the sample company's two weeks is in the report."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from engine.cli.init import make_home
from engine.cli.main import cli


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, object]]]:
    """`insideline expert report --json` in a home with two weeks of history."""
    home = tmp_path_factory.mktemp("centre") / "home"
    make_home(home)
    for words in (("db", "upgrade"), ("data", "seed")):
        made = CliRunner().invoke(cli, [*words, "--home", str(home)])
        assert made.exit_code == 0, made.output
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        done = CliRunner().invoke(cli, ["expert", "report", "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return found


def test_the_expert_on_an_old_version_stands_out(told: dict[str, list[dict[str, object]]]) -> None:
    outdated = {str(one["expert"]): int(str(one["outdated"])) for one in told["Experts"]}
    assert outdated.pop("8031") > 10
    assert set(outdated.values()) == {0}
    assert {
        (one["version"], one["standard"])
        for one in told["Not the standard answer"]
        if one["expert"] == "8031"
    } == {(2, 3)}


def test_the_branch_that_asks_no_more_is_told_and_no_other(told: dict[str, list[dict[str, object]]]) -> None:
    assert [one["who"] for one in told["Branches that ask less"]] == ["成都双流营业部"]


def test_who_asks_again_and_again_is_among_the_first(told: dict[str, list[dict[str, object]]]) -> None:
    assert ("60301", "tariff") in [(one["staff"], one["topic"]) for one in told["Asked again and again"]]


def test_the_expert_whose_manner_is_disliked_has_the_lowest_mark(
    told: dict[str, list[dict[str, object]]],
) -> None:
    marks = {
        str(one["expert"]): float(str(one["attitude"]))
        for one in told["Experts"]
        if one["attitude"] is not None
    }
    assert min(marks, key=lambda one: marks[one]) == "8034"
    assert any(one["missed"] for one in told["Experts"] if one["expert"] == "8034")


def test_some_questions_are_open_and_their_age_is_told(told: dict[str, list[dict[str, object]]]) -> None:
    assert told["Open questions"]
    assert all(one["age"] for one in told["Open questions"])
