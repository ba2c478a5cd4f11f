"""``identity: deferred``: who calls is nowhere until the flow releases it, and never once it is discarded."""

from __future__ import annotations

from typing import Any

import pytest

from engine.app import read_installation
from engine.clock import VirtualClock
from engine.testing.home import Home

NUMBER = "+8613802880017"
DIGITS = "13802880017"
NAME = "Wen Caller"

FLOW = """
greet:
  - answer
  - record: service
  - menu: {prompt: Choose., options: {1: by_name, 2: nobody, 3: desk}, give_up: end}
by_name:
  - identity: release
  - menu: {prompt: Known., options: {1: desk}, give_up: end}
nobody:
  - identity: discard
  - identity: release
  - menu: {prompt: Unknown., options: {1: desk}, give_up: end}
desk:
  - {journal: {event: note, data: {who: "{caller.number}", name: "{caller.name}"}}}
  - queue: {name: desk, tell: {who: "{caller.number}"}, full: end, too_long: end, no_agents: end}
  - go: end
end:
  - hangup
"""


@pytest.fixture
def line(home: Home, centre_of: Any) -> Any:
    home.flow("shop/main", FLOW).number("8000", "shop/main", "identity: deferred")
    return centre_of(home)


def nowhere(centre: Any) -> None:
    centre.nowhere(DIGITS)
    centre.nowhere(NAME)


def call(centre: Any) -> Any:
    caller = centre.caller(NUMBER, name=NAME).dials("8000").hears("Choose.")
    nowhere(centre)
    assert caller.view.number == caller.view.name == ""
    return caller


def talk(centre: Any, caller: Any, shown: str) -> None:
    agent = centre.agent("201").ready().is_offered(caller).sees(who=shown)
    ring = agent.phone.rings[-1] if hasattr(agent.phone, "rings") else None
    assert ring is None or shown or DIGITS not in str(vars(ring))
    agent.answers()
    caller.talks_to(agent)
    agent.hangs_up(disposition="done")
    assert caller.ended


def test_a_deferred_number_is_nowhere_though_the_caller_talks_to_an_agent(line: Any) -> None:
    caller = call(line)
    caller.presses("3")
    talk(line, caller, "")
    assert line.cdrs()[0].number == ""
    nowhere(line)


def test_a_released_number_is_known_from_then_on(line: Any) -> None:
    caller = call(line)
    caller.presses("1").hears("Known.")
    assert (caller.view.number, caller.view.name) == (NUMBER, NAME)
    caller.presses("1")
    talk(line, caller, NUMBER)
    assert line.cdrs()[0].number == NUMBER
    assert "number" not in line.journal(caller, "call.arrived")[0].data or (
        line.journal(caller, "call.arrived")[0].data["number"] == ""
    )


def test_a_discarded_number_stays_away_whatever_the_flow_says_later(line: Any) -> None:
    caller = call(line)
    caller.presses("2").hears("Unknown.")
    nowhere(line)
    caller.presses("1")
    talk(line, caller, "")
    assert line.cdrs()[0].number == ""
    nowhere(line)


@pytest.mark.parametrize(("key", "number"), [("1", NUMBER), ("2", "")])
def test_an_engine_that_takes_a_deferred_call_up_can_release_it_but_not_a_discarded_one(
    line: Any, key: str, number: str
) -> None:
    caller = call(line)
    line.engine.kill()
    caller.presses(key)
    line.clock.advance(1)
    line.engine.start()
    caller.hears("Known." if number else "Unknown.")
    line.engine.kill()
    caller.presses("1")
    line.clock.advance(1)
    line.engine.start()
    assert caller.view.number == number
    talk(line, caller, number)
    assert line.cdrs()[0].number == number
    if not number:
        nowhere(line)


def test_discard_of_a_call_that_was_not_deferred_takes_the_number_off_the_channel(
    home: Home, centre_of: Any
) -> None:
    home.flow("shop/main", FLOW).number("8000", "shop/main")
    centre = centre_of(home)
    caller = centre.caller(NUMBER, name=NAME).dials("8000").hears("Choose.").presses("2").hears("Unknown.")
    assert caller.view.number == ""
    for name, value in caller.sim.channel.variables.items():
        assert DIGITS not in str(value), name


def test_who_is_on_a_deny_list_is_not_written_down_where_numbers_are_deferred(
    home: Home, centre_of: Any
) -> None:
    home.flow("shop/main", FLOW).number("8000", "shop/main", "identity: deferred")
    plan = home.folder / "dialplans/main.yaml"
    text = plan.read_text(encoding="utf-8")
    plan.write_text(
        text.replace("numbers:", f'lists: {{nuisance: {{deny: ["{NUMBER}"]}}}}\nnumbers:'), encoding="utf-8"
    )
    centre = centre_of(home)
    assert centre.caller(NUMBER, name=NAME).dials("8000").ended == "CALL_REJECTED"
    nowhere(centre)


def test_a_log_of_the_switch_that_writes_down_who_calls_is_a_fault_where_nobody_is_to_know(
    home: Home,
) -> None:
    home.flow("hr/main", "talk:\n  - answer\n  - hangup").number("8000", "hr/main")
    home.number("8003", "hr/main", "identity: deferred")
    engine = (home.folder / "conf/engine.yaml").read_text()
    home.write("conf/engine.yaml", engine + "switch: {log: notice}\n")
    (fault,) = read_installation(home.folder, VirtualClock()).faults.errors
    assert (fault.file, fault.line, fault.code) == ("dialplans/main.yaml", 5, "identity-logged")
    assert "switch: {log: warning}" in fault.hint
    home.write("conf/engine.yaml", engine + "switch: {log: warning}\n")
    assert not read_installation(home.folder, VirtualClock()).faults.errors
