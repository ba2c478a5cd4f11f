"""The ways of the line that only a full, slow or broken centre opens: nobody is left on a dead line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StoreError
from tests.shipped import with_short_queue

from .conftest import AGENTS, Line


def waiting(line: Any, language: str = "zh-CN") -> Any:
    """A caller who is in the queue of the desk."""
    caller = line.main(language).presses("0")
    caller.hears("hr/desk_sees_nobody")
    return caller.hears("connecting")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_who_presses_nothing_is_led_to_the_desk_and_taken_leave_of(
    line: Any, centre: Any, language: str
) -> None:
    caller = line.main(language)
    for _ in range(2):
        caller.stays_silent().hears("silent")
        caller.hears("hr/main_menu")
    caller.stays_silent()
    caller.hears("hr/desk_sees_nobody")
    caller.hears("connecting")
    caller.hears("no_agents")
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"


def test_a_desk_that_is_closed_says_so(line: Any, centre: Any) -> None:
    centre.closes("desk", "1h", "closed")
    caller = line.main().presses("0")
    caller.hears("hr/desk_sees_nobody")
    caller.hears("closed")
    caller.hears("bye")


def test_after_a_talk_with_the_desk_leave_is_taken(line: Any, centre: Any) -> None:
    agent = centre.agent("8043").ready()
    caller = waiting(line)
    agent.is_offered(caller).answers().hangs_up(disposition="answered")
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"


def test_who_waited_too_long_is_told(line: Any, centre: Any) -> None:
    centre.agent("8043").ready().pauses("meal")
    caller = waiting(line)
    while (said := caller.hears_next()).key == "position":
        pass
    assert said.key == "waited_too_long"
    caller.hears("bye")
    [left] = centre.journal(caller, "queue.left")
    assert (left.data["reason"], left.data["waited"]) == ("too_long", 600.0)


def test_who_is_not_known_may_talk_to_the_desk(line: Any, centre: Any) -> None:
    agent = centre.agent("8043").ready()
    caller = line.main().presses("1")
    for _ in range(3):
        line.signs_in(caller, "30011", "000000")
        if (said := caller.hears_next().key) == "hr/not_known":
            break
        assert said == "hr/wrong_number_or_pin"
    caller.hears("connecting")
    agent.is_offered(caller).sees(about="not identified").answers().hangs_up(disposition="answered")
    caller.hears("bye")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_queue_that_is_full_says_so_at_once(
    centre_of: Callable[[Path], Any], tmp_path: Path, language: str
) -> None:
    centre = centre_of(with_short_queue(tmp_path / "home", "hr", 1))
    for agent in AGENTS:
        centre.agent(agent).logs_out()
    centre.agent("8043").ready().pauses("meal")
    first, second = waiting(Line(centre)), waiting(Line(centre), language)
    second.hears("queue_full")
    second.hears("bye")
    assert second.ended == "NORMAL_CLEARING"
    assert [call.id for call in centre.calls()] == [first.uuid]


def test_by_name_without_the_parties_is_told_and_nothing_is_filed(
    line: Any, centre: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = line.main().presses("2")
    caller.hears("hr/feedback_how")

    def away(*_: Any, **__: Any) -> None:
        raise StoreError("the database is away")

    monkeypatch.setattr(type(centre.app.parties), "by_code", away)
    caller.presses("2")
    line.signs_in(caller, "30012")
    caller.hears("system_trouble")
    caller.hears("bye")
    assert centre.rows("hr.feedback") == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_code_that_can_not_be_looked_up_is_told(line: Any, centre: Any, language: str) -> None:
    centre.adapter("hr.Cases").raises(RuntimeError("the disk is gone"))
    caller = line.main(language).presses("3")
    caller.hears("hr/enter_code").presses("4711471147#")
    caller.hears("system_trouble")
    caller.hears("bye")


def test_the_desk_hears_that_its_tables_are_away(line: Any, centre: Any) -> None:
    line.files(line.nobody())
    number = centre.one("tickets")["number"]
    centre.adapter("hr.Cases").raises(RuntimeError("the disk is gone"))
    staff = centre.caller(number="1043", origin="internal").dials("*19")
    staff.hears("hr/enter_agent").presses("8043#")
    staff.hears("hr/enter_agent_pin").presses("4843#")
    staff.hears("hr/enter_ticket").presses(f"{number}#")
    staff.hears("system_trouble")
    staff.hears("bye")
    assert centre.one("tickets")["owner"] == ""
