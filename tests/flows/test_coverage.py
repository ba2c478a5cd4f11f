"""What calls walked of flows, and what they never did: with steps of all sorts, over runs and processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli.main import cli
from engine.flows.coverage import FILE, Walked, add_walked, coverage, coverage_of, read_walked, total
from engine.testing.flow_coverage import Watcher
from engine.testing.home import Home

pytest_plugins = ("pytester",)

BLOCKS = """
greet:
  - answer
  - menu: {prompt: One or two?, options: {1: one, 2: two, star: greet}, attempts: 1, give_up: two}
one:
  - confirm: {prompt: Sure?, no: two, give_up: two}
  - hangup
two:
  - hangup
never:
  - hangup
"""


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    made = Watcher()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def office(home: Home) -> Home:
    flow = BLOCKS.replace("give_up: two}\n  - hangup\ntwo", "give_up: never}\n  - hangup\ntwo")
    home.flow("shop/main", flow, head="on_hangup:\n  - journal: gone")
    return home.number("8000", "shop/main")


def test_what_is_walked_is_told_by_block_and_way(
    office: Home, centre_of: Callable[..., Any], watcher: Watcher
) -> None:
    centre = centre_of(office)
    caller = centre.caller().dials("8000")
    caller.hears("One or two?").presses("1").hears("Sure?").presses("1")
    assert caller.ended
    flow = centre.installation.flows["shop/main"]
    found = coverage_of(flow, watcher.walked)
    assert found.blocks == (2, 5)
    assert found.ways == (2, 7)
    told = [str(one).partition(": ")[2] for one in found.missed]
    assert told == [
        "on_hangup: never reached",
        "greet: menu give_up",
        "greet: menu options.2",
        "greet: menu options.*",
        "one: confirm give_up",
        "one: confirm no",
        "two: never reached",
        "never: never reached",
    ]
    # Two ways to one block are told apart, and so is the caller who hangs up.
    caller = centre.caller().dials("8000")
    caller.hears("One or two?").stays_silent()
    assert caller.ended
    centre.caller().dials("8000").hears("One or two?").hangs_up()
    found = coverage_of(flow, watcher.walked)
    assert watcher.walked.times(flow, flow.step("greet", 1), "give_up") == 1
    assert watcher.walked.times(flow, flow.step("greet", 1), "options.2") == 0
    assert "on_hangup" not in {one.block for one in found.missed}
    assert 0 < found.percent < 100


def test_runs_are_added_and_a_changed_flow_begins_anew(
    office: Home, centre_of: Callable[..., Any], watcher: Watcher, tmp_path: Path
) -> None:
    centre = centre_of(office)
    assert centre.caller().dials("8000").hears("One or two?").presses("2").ended
    flow = centre.installation.flows["shop/main"]
    kept = watcher.of(office.folder)
    assert set(kept.flows) == {"shop/main"}
    path = tmp_path / "var" / FILE
    add_walked(path, kept)
    add_walked(path, kept)
    assert read_walked(path).times(flow, flow.step("two", 0)) == 2
    office.flow("shop/main", BLOCKS.replace("Sure?", "Really?"))
    assert watcher.of(office.folder) == Walked()


def test_nothing_walked_is_nothing_and_no_flow_is_everything(
    office: Home, centre_of: Callable[..., Any]
) -> None:
    flows = centre_of(office).installation.flows.flows
    assert total(coverage(flows, Walked())) == 0.0
    assert total([]) == 100.0


def test_the_command_tells_and_fails_under(
    office: Home, centre_of: Callable[..., Any], watcher: Watcher
) -> None:
    def says(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(cli, ["--home", str(office.folder), "flow", "coverage", *words])
        assert done.exit_code == code, done.output
        return done.output

    assert "run `pytest --flow-coverage`" in says(code=1)
    centre = centre_of(office)
    assert centre.caller().dials("8000").hears("One or two?").presses("2").ended
    add_walked(office.folder / "var" / FILE, watcher.of(office.folder))
    assert "plugins/shop/flows/main.yaml:" in says()
    rows = {row["flow"]: row for row in json.loads(says("--json"))["flows"]}
    assert rows["shop/main"]["blocks"] == {"walked": 2, "all": 5}
    says("--fail-under", "99", code=1)
    says("--fail-under", "1")
    says("--erase")
    assert "nothing was walked yet" in says(code=1)


def test_a_check_with_coverage_fails_for_blocks_that_no_test_walks(
    office: Home, centre_of: Callable[..., Any], watcher: Watcher
) -> None:
    def checks(code: int) -> str:
        done = CliRunner().invoke(cli, ["--home", str(office.folder), "flow", "check", "--coverage"])
        assert done.exit_code == code, done.output
        return done.output

    office.flow("shop/main", "greet:\n  - answer\n  - menu: {prompt: One?, options: {1: one}, give_up: two}\n"
                "one:\n  - hangup\ntwo:\n  - hangup\n")  # fmt: skip
    centre = centre_of(office)
    assert centre.caller().dials("8000").hears("One?").presses("1").ended
    for name in ("reception/lost_place", "reception/unknown_number"):
        flow = centre.installation.flows[name]
        for block in flow.blocks.values():
            watcher.walked.reached(flow, block.steps[0])
    add_walked(office.folder / "var" / FILE, watcher.walked)
    said = checks(1)
    assert "no fault" in said
    assert "1 block never walked by a test" in said
    caller = centre.caller().dials("8000").hears("One?").stays_silent()
    assert caller.ended
    add_walked(office.folder / "var" / FILE, watcher.walked)
    assert "never walked by a test" not in checks(0)


def test_pytest_keeps_what_the_tests_of_a_department_walk(office: Home, pytester: pytest.Pytester) -> None:
    office.write("pytest.ini", f"[pytest]\ninsideline_home = {office.folder}\n")
    office.write(
        "plugins/shop/tests/test_shop.py",
        "def test_two(centre):\n    assert centre.caller().dials('8000').hears('One or two?').presses('2').ended\n",
    )
    test = office.folder / "plugins" / "shop" / "tests" / "test_shop.py"
    words = ["-p", "engine.testing.patched", "-c", str(office.folder / "pytest.ini"), "--flow-coverage"]
    done = pytester.runpytest_subprocess(*words, str(test), timeout=60)
    done.assert_outcomes(passed=1)
    assert read_walked(office.folder / "var" / FILE).flows["shop/main"]
