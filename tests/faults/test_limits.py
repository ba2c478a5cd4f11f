"""A flow that goes round and round, or deeper and deeper, ends with an apology and is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.testing.home import Home


def test_a_flow_that_loops_ends_at_its_limit_and_is_named(
    home: Home, centre_of: Callable[[Any], Any]
) -> None:
    home.write("conf/engine.yaml", "grammar: 1\nlanguages: [en]\nlimits: {steps: 50}\n")
    home.flow(
        "shop/main",
        """
        greet:
          - answer
          - go: round
        round:
          - menu: {prompt: "Again? Press 1.", options: {1: round}, attempts: 1, give_up: bye}
        bye:
          - hangup
        """,
    ).number("8000", "shop/main")
    centre = centre_of(home)
    caller = centre.caller().dials("8000")
    for _ in range(48):
        caller.hears("Again? Press 1.").presses("1")
    caller.hears("system_trouble")
    assert caller.ended is not None
    (failed,) = centre.journal(caller, kind="flow.failed")
    assert failed.data["flow"] == "shop/main"
    assert "shop/main: more than 50 steps in one call" in failed.data["error"]
    assert len(centre.cdrs()) == 1


def test_flows_that_run_one_another_without_end_are_stopped_and_named(
    home: Home, centre_of: Callable[[Any], Any]
) -> None:
    deeper = """
        greet:
          - answer
          - confirm: {{prompt: "Deeper? Press 1.", yes: on, no: back, give_up: back}}
        on:
          - run: {{flow: {other}, done: back}}
        back:
          - return: done
        """
    home.flow("shop/main", deeper.format(other="shop/other"))
    home.flow("shop/other", deeper.format(other="shop/main")).number("8000", "shop/main")
    centre = centre_of(home)
    caller = centre.caller().dials("8000")
    for _ in range(16):
        caller.hears("Deeper? Press 1.").presses("1")
    caller.hears("system_trouble")
    assert caller.ended is not None
    (failed,) = centre.journal(caller, kind="flow.failed")
    assert "flows run more than 16 deep" in failed.data["error"]
