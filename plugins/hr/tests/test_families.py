"""Families: help in need with a named owner and a call back; and no way from there to anybody's pay."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import AGENTS, NUMBER, Line

FLOWS = Path(__file__).parents[1] / "flows"


def in_need(line: Any, language: str = "zh-CN", number: str = NUMBER) -> Any:
    caller = line.main(language, number).presses("4")
    caller.hears("hr/relatives_menu").presses("2")
    caller.hears("hr/help_keeps_number")
    return caller.hears("hr/whose_family")


def tells(caller: Any, employee: str = "30011", need: str = "1") -> Any:
    caller.presses(f"{employee}#")
    caller.hears("hr/which_need").presses(need)
    caller.hears("hr/say_the_need").says("4s").hears_beep()
    return caller.hears("clip_review").presses("3")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(("key", "need"), [("1", "illness"), ("2", "child"), ("3", "money"), ("4", "other")])
def test_a_family_in_need_has_a_named_owner_and_a_time(
    line: Any, centre: Any, language: str, key: str, need: str
) -> None:
    caller = tells(in_need(line, language), need=key)
    caller.hears("hr/call_this_number").presses("1")
    said = caller.hears("hr/help_taken")
    assert "郑海燕" in said.text
    # The sample may ring nobody outside, so the owner calls.
    assert "郑海燕" in caller.hears("hr/owner_calls").text
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"
    ticket = centre.one("tickets", kind="hardship")
    assert (ticket["owner"], ticket["caller"], ticket["state"]) == ("8042", NUMBER, "assigned")
    assert f'"{need}"' in str(ticket["data"]) or f"'{need}'" in str(ticket["data"])
    assert str(ticket["due"]).startswith("2026-11-23 06:30")  # four hours of the office later, lunch left out
    assert centre.cdrs()[0].number == NUMBER
    centre.clock.advance("5s")
    assert centre.one("notices")["group"] == "hr_desk"


@pytest.fixture
def dialling(centre_home: Path, centre_of: Any, tmp_path: Path) -> Any:
    """The sample company with a line that it may ring people over."""
    home = tmp_path / "dialling"
    home.mkdir()
    for name in ("plugins", "prompts", "dialplans"):
        (home / name).symlink_to(centre_home / name)
    shutil.copytree(centre_home / "conf", home / "conf")
    (home / "conf" / "trunks.yaml").write_text(TRUNKS, encoding="utf-8")
    centre = centre_of(home)
    for agent in AGENTS:
        centre.agent(agent).logs_out()
    return centre


TRUNKS = """\
grammar: 1
trunks: [{name: pstn, host: 192.0.2.20}]
outbound: {allow: ["+861"], caller: "+862088886600"}
"""


def promised(centre: Any) -> Any:
    """A family that was promised a call; the line that rings for it once its owner is free."""
    caller = tells(in_need(Line(centre)))
    caller.hears("hr/call_this_number").presses("1")
    caller.hears("hr/help_taken")
    caller.hears("hr/callback_promised")
    caller.hears("bye")
    assert centre.one("callbacks")["queue"] == "hr"
    return caller


def called_back(centre: Any) -> Any:
    """What the family hears when it is called; the keys are its line's."""
    end = centre.virtual.monotonic() + 60
    while not centre.simulator.lines and centre.virtual.monotonic() < end:
        centre.virtual.sleep(0.1)
    line = centre.simulator.lines[-1]
    assert line.number == NUMBER
    while (heard := centre.describe(line.next_playback(30.0).path)) is None:
        pass
    assert heard.key == "hr/callback_greeting"
    return line


def test_the_family_is_called_back_and_its_owner_answers(dialling: Any) -> None:
    promised(dialling)
    owner = dialling.agent("8042").ready()
    dialling.agent("8045").ready()
    line = called_back(dialling)
    line.press("1")
    ring = owner.phone.wait_ring(30.0)
    assert ring is not None
    [call] = dialling.calls()
    assert call.told["ticket"] == dialling.one("tickets", kind="hardship")["number"]
    owner.answers()
    dialling.clock.advance(5)
    owner.hangs_up(disposition="answered")
    dialling.clock.advance(2)
    assert dialling.one("callbacks")["state"] == "done"


def test_a_family_that_needs_nothing_more_is_let_go(dialling: Any) -> None:
    promised(dialling)
    dialling.agent("8042").ready()
    line = called_back(dialling)
    line.press("2")
    line.wait_ended(30.0)
    assert dialling.calls() == []


def test_a_family_whose_owner_has_gone_home_hears_so(dialling: Any) -> None:
    promised(dialling)
    owner = dialling.agent("8042").ready()
    line = called_back(dialling)
    owner.logs_out()
    line.press("1")
    while (heard := dialling.describe(line.next_playback(30.0).path)) is None:
        pass
    assert heard.key == "no_agents"


def test_another_number_may_be_given(line: Any, centre: Any) -> None:
    caller = tells(in_need(line))
    caller.hears("hr/call_this_number").presses("2")
    caller.hears("hr/enter_phone").presses("02038880000#")
    caller.hears("hr/read_back_phone").presses("1")
    caller.hears("hr/help_taken")
    assert "2038880000" in str(centre.one("tickets", kind="hardship")["data"])


def test_who_calls_without_a_number_is_asked_for_one(line: Any, centre: Any) -> None:
    caller = tells(in_need(line, number=""))
    caller.hears("hr/enter_phone").presses("13802881234#")
    caller.hears("hr/read_back_phone").presses("1")
    caller.hears("hr/help_taken").hangs_up()
    caller = tells(in_need(line, number=""))
    for attempt in range(3):
        caller.hears("hr/enter_phone").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("connecting").hangs_up()


def test_who_calls_again_hears_of_the_first_request(line: Any, centre: Any) -> None:
    caller = tells(in_need(line))
    caller.hears("hr/call_this_number").presses("1")
    first = caller.hears("hr/help_taken").values["promised.number"]
    caller.hangs_up()
    caller = tells(in_need(line), need="3")
    caller.hears("hr/call_this_number").stays_silent()
    for _ in range(2):
        caller.hears("silent")
        caller.hears("hr/call_this_number")
    assert caller.hears("hr/help_again").values["promised.number"] == first
    caller.hears("hr/owner_calls").hangs_up()
    assert len(centre.rows("tickets", kind="hardship")) == 1
    links = [row["kind"] for row in centre.rows("ticket_links")]
    assert links.count("clip") == 2


@pytest.mark.parametrize("employee", ["39999", ""])
def test_a_staff_number_that_nobody_has_is_taken_in_as_any_other(
    line: Any, centre: Any, employee: str
) -> None:
    caller = in_need(line)
    if employee:
        caller.presses("39999#")
    else:
        for _ in range(2):
            caller.stays_silent()
            caller.hears("silent")
            caller.hears("hr/whose_family")
        caller.stays_silent()
    caller.hears("hr/which_need").stays_silent()
    caller.hears("silent")
    caller.hears("hr/which_need").stays_silent()
    caller.hears("hr/say_the_need").says("4s").hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("hr/call_this_number").presses("1")
    caller.hears("hr/help_taken").hangs_up()
    assert centre.one("tickets", kind="hardship")["owner"] == "8042"


def test_it_is_taken_once_however_the_engine_dies(line: Any, centre: Any) -> None:
    caller = tells(in_need(line))
    caller.hears("hr/call_this_number").presses("1")
    centre.engine.kill()
    centre.engine.start()
    caller.hears("hr/help_taken")
    centre.engine.kill()
    centre.engine.start()
    caller.hears("hr/owner_calls").hangs_up()
    assert len(centre.rows("tickets", kind="hardship")) == 1


def test_a_staff_system_that_hangs_keeps_nobody_from_asking(line: Any, centre: Any) -> None:
    centre.adapter("hr.Staff").hangs()
    caller = tells(in_need(line))
    caller.hears("hr/call_this_number").presses("1")
    caller.hears("hr/help_taken")


def test_records_that_are_away_lead_to_the_desk(line: Any, centre: Any) -> None:
    centre.agent("8042").ready()
    caller = tells(in_need(line))
    caller.hears("hr/call_this_number")
    centre.adapter("hr.Cases").raises(RuntimeError("away"))
    caller.presses("1")
    caller.hears("connecting")
    agent = centre.agent("8042").is_offered(caller).sees(about="hardship").answers()
    agent.hangs_up(disposition="answered")
    caller.hears("bye")


def test_who_wants_the_desk_or_nothing_gets_it(line: Any, centre: Any) -> None:
    centre.agent("8042").ready()
    caller = line.main().presses("4")
    for attempt in range(3):
        caller.hears("hr/relatives_menu").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("hr/desk_sees_nobody")
    caller.hears("connecting")
    agent = centre.agent("8042").is_offered(caller).sees(about="family").answers()
    agent.hangs_up(disposition="answered")
    caller.hears("bye")
    assert caller.ended
    assert centre.cdrs()[0].number == ""


def leads_to(flow: str) -> set[str]:
    """The flows that this one, and those it leads to, may lead to."""
    found, todo = set(), [flow]
    while todo:
        name = todo.pop()
        path = FLOWS / f"{name.removeprefix('hr/')}.yaml"
        if name in found or not path.exists():
            continue
        found.add(name)
        targets = _targets(path.read_text(encoding="utf-8"))
        todo += [name for other in FLOWS.glob("*.yaml") if (name := f"hr/{other.stem}") in targets]
    return found


def _targets(text: str) -> set[str]:
    """Every value of a flow's blocks."""
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)
        else:
            found.add(str(node))

    walk(yaml.safe_load(text)["blocks"])
    return found


def test_there_is_no_way_from_the_families_to_anybodys_pay() -> None:
    reached = leads_to("hr/relatives")
    assert reached == {"hr/relatives", "hr/hardship", "hr/desk"}
    for name in reached:
        text = (FLOWS / f"{name.removeprefix('hr/')}.yaml").read_text(encoding="utf-8")
        assert not _targets(text) & {"hr.slip", "hr.benefits", "hr.leave", "hr.requests"}
    assert "hr/employee" in leads_to("hr/main")  # the look does find what there is


# -- policy answers -----------------------------------------------------------------------------------------


def asks(line: Any, language: str = "zh-CN") -> Any:
    caller = line.main(language).presses("4")
    caller.hears("hr/relatives_menu").presses("1")
    caller.hears("hr/which_policy")
    for _ in range(4):
        caller.hears("knowledge_entry")
    return caller


@pytest.mark.parametrize(
    ("language", "words"), [("zh-CN", "二十天探亲假"), ("en", "twenty days of home leave")]
)
def test_a_family_hears_what_is_done_for_families_without_a_pin(
    line: Any, centre: Any, language: str, words: str
) -> None:
    caller = asks(line, language).presses("1")
    assert words in caller.hears_next().text
    caller.hears("knowledge_solved").presses("1")
    caller.hears("hr/relatives_menu").hangs_up()
    assert centre.cdrs()[0].number == ""
    assert [(row.data["id"], row.data["solved"]) for row in centre.journal(caller, "knowledge.answered")] == [
        ("3001", True)
    ]


def test_what_an_answer_does_not_solve_the_desk_may(line: Any, centre: Any) -> None:
    agent = centre.agent("8042").ready()
    caller = asks(line).presses("2")
    caller.hears_next()
    caller.hears("knowledge_solved").presses("2")
    caller.hears("hr/desk_knows_more")
    caller.hears("hr/desk_sees_nobody")
    caller.hears("connecting")
    agent.is_offered(caller).sees(about="family").answers()
    agent.hangs_up(disposition="answered")
    caller.hears("bye")


def test_without_any_answer_the_desk_helps(line: Any, centre: Any) -> None:
    for id in ("3001", "3002", "3003", "3004"):
        withdrawn(centre, id)
    caller = line.main().presses("4")
    caller.hears("hr/relatives_menu").presses("1")
    caller.hears("hr/no_policies")
    caller.hears("hr/desk_sees_nobody").hangs_up()


def withdrawn(centre: Any, id: str) -> None:
    centre.app.departments.in_context(
        "hr", "test", lambda ctx: ctx.knowledge.withdraw(id, "no more"), 10.0, writes=True
    )
