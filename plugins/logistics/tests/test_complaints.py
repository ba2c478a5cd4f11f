"""Complaints of four kinds to two groups, each with a clock."""

from __future__ import annotations

from typing import Any

import pytest

KEYS = {"late": "1", "fee": "2", "damage": "3", "attitude": "4"}
GROUPS = {"late": "exceptions", "damage": "exceptions", "fee": "complaints", "attitude": "complaints"}


def stated(
    line: Any, kind: str = "late", language: str = "zh-CN", waybill: str = "44018009", **values: Any
) -> Any:
    """A caller who said what it is about."""
    caller = line.chose("4", language, **values)
    caller.hears("logistics/which_complaint").presses(KEYS[kind])
    caller.hears("logistics/has_waybill").presses("1" if waybill else "2")
    if waybill:
        caller.hears("logistics/enter_waybill").presses(f"{waybill}#")
    caller.says("5s")
    caller.hears("logistics/dictate_complaint").hears_beep()
    return caller.hears("clip_review").presses("3")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("kind", KEYS)
def test_a_complaint_is_a_ticket_with_a_clock_for_its_group(
    centre: Any, line: Any, office: Any, kind: str, language: str
) -> None:
    caller = stated(line, kind, language)
    said = caller.hears("logistics/complaint_text")
    ticket = centre.one("tickets")
    assert said.values["complaint.ticket"] == ticket["number"]
    assert (ticket["kind"], ticket["group"], ticket["escalate"]) == (
        f"complaint_{kind}", GROUPS[kind], f"logistics_{GROUPS[kind]}",
    )  # fmt: skip
    due = said.values["complaint.due"].strftime("%d %H:%M")
    assert due == (
        "23 14:30" if GROUPS[kind] == "exceptions" else "24 09:30"
    )  # four and eight of the office's hours
    assert len(centre.rows("ticket_links", ticket=ticket["number"], kind="clip")) == 1
    caller.hears("logistics/speak_to_group").presses("2")
    caller.hears("bye")
    [row] = office.report("logistics.complaints")
    assert (row["kind"], row["group"], row["waybill"], row["verdict"]) == (kind, GROUPS[kind], "44018009", "")


@pytest.mark.parametrize(("kind", "agent"), [("damage", "8051"), ("fee", "8054")])
def test_who_wants_to_speak_now_is_led_to_the_group(centre: Any, line: Any, kind: str, agent: str) -> None:
    desk = centre.agent(agent).ready()
    for other in ("8052", "8053", "8055", "8056"):
        centre.agent(other).logs_out()
    caller = stated(line, kind).hears("logistics/complaint_text")
    caller.hears("logistics/speak_to_group").presses("1")
    caller.hears("connecting")
    desk.is_offered(caller).sees(kind=kind, ticket=centre.one("tickets")["number"]).answers()
    desk.hangs_up()
    caller.hears("bye")


@pytest.mark.parametrize("kind", ["late", "attitude"])
def test_when_nobody_of_the_group_is_there_the_clock_still_holds(centre: Any, line: Any, kind: str) -> None:
    for agent in ("8051", "8052", "8053", "8054", "8055", "8056"):
        centre.agent(agent).logs_out()
    caller = stated(line, kind).hears("logistics/complaint_text")
    caller.hears("logistics/speak_to_group").presses("1")
    caller.hears("connecting")
    caller.hears("logistics/group_busy")
    caller.hears("bye")


def test_while_the_desk_is_closed_a_complaint_is_taken_all_the_same(centre: Any, line: Any) -> None:
    centre.closes("desk", "1h", "closed")
    caller = stated(line).hears("logistics/complaint_text")
    caller.hears("logistics/speak_to_group").presses("1")
    caller.hears("logistics/closed")
    caller.hears("bye")
    assert len(centre.rows("tickets")) == 1


def test_who_complains_again_of_the_same_hears_of_the_first_ticket(centre: Any, line: Any) -> None:
    stated(line).hears("logistics/complaint_text").hangs_up()
    stated(line).hears("logistics/complaint_again_text").hangs_up()
    ticket = centre.one("tickets")
    assert len(centre.rows("ticket_links", ticket=ticket["number"], kind="clip")) == 2
    stated(line, "fee").hears("logistics/complaint_text").hangs_up()  # something else is another one
    assert len(centre.rows("tickets")) == 2


def test_without_a_waybill_it_is_a_complaint_as_well(centre: Any, line: Any) -> None:
    stated(line, "attitude", waybill="").hears("logistics/complaint_text").hangs_up()
    assert centre.one("logistics.complaints").waybill == ""


def test_an_unknown_waybill_is_asked_for_again_or_left_out(centre: Any, line: Any) -> None:
    caller = line.chose("4")
    caller.hears("logistics/which_complaint").presses("1")
    caller.hears("logistics/has_waybill").presses("1")
    caller.hears("logistics/enter_waybill").presses("99999999#")
    caller.hears("logistics/no_such_waybill")
    caller.hears("logistics/try_again").presses("1")
    caller.hears("logistics/enter_waybill").presses("99999998#")
    caller.hears("logistics/no_such_waybill")
    caller.hears("logistics/try_again").presses("2")
    caller.says("5s")
    caller.hears("logistics/dictate_complaint").hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("logistics/complaint_text").hangs_up()
    assert centre.one("logistics.complaints").waybill == ""


@pytest.mark.parametrize("key", ["0", "*", ""])
def test_the_menu_of_complaints_leads_to_the_desk_and_back(line: Any, key: str) -> None:
    caller = line.chose("4")
    caller.hears("logistics/which_complaint")
    if key:
        caller.presses(key)
    else:
        for _ in range(2):
            caller.stays_silent().hears("silent")
            caller.hears("logistics/which_complaint")
    caller.hears("logistics/main_menu" if key == "*" else "connecting")


@pytest.mark.parametrize("silent_at", ["has_waybill", "enter_waybill", "dictate_complaint"])
def test_who_says_nothing_is_led_to_the_desk(line: Any, silent_at: str) -> None:
    caller = line.chose("4")
    caller.hears("logistics/which_complaint").presses("1")
    caller.hears("logistics/has_waybill")
    if silent_at != "has_waybill":
        caller.presses("1" if silent_at == "enter_waybill" else "2")
    caller.says("0s")
    while (said := caller.hears_next()).key != "connecting":
        assert said.key.split("/")[-1] in (silent_at, "silent")


def test_when_it_can_not_be_kept_the_desk_takes_it(centre: Any, line: Any) -> None:
    caller = line.chose("4")
    caller.hears("logistics/which_complaint").presses("2")
    caller.hears("logistics/has_waybill").presses("2")
    centre.adapter("logistics.Books").raises(RuntimeError("the disk is gone"))
    caller.says("5s")
    caller.hears("logistics/dictate_complaint").hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("logistics/trouble_desk")
    caller.hears("connecting")


def test_a_waybill_system_that_hangs_keeps_nobody_from_complaining(centre: Any, line: Any) -> None:
    centre.adapter("logistics.WaybillSystem").raises(RuntimeError("no answer"))
    stated(line).hears("logistics/complaint_text").hangs_up()


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_killed_engine_opens_one_ticket(centre: Any, line: Any, point: str) -> None:
    caller = stated(line)
    if point == "after":
        caller.hears("logistics/complaint_text")
    centre.engine.kill()
    centre.engine.start()
    caller.hears("logistics/complaint_text" if point == "before" else "logistics/speak_to_group")
    assert len(centre.rows("tickets")) == len(centre.rows("logistics.complaints")) == 1


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_caller_hears_how_a_complaint_stands_and_what_was_answered(
    centre: Any, line: Any, language: str
) -> None:
    stated(line, "damage", language).hears("logistics/complaint_text").hangs_up()
    number = centre.one("tickets")["number"]
    caller = line.chose("4", language)
    caller.hears("logistics/which_complaint").presses("5")
    said = caller.hears("ticket_enter").presses(number).hears("ticket_due")
    assert ("货损投诉" if language == "zh-CN" else "lost or damaged goods") in said.text
    records = centre.app.records
    records.work(lambda session: records.desk(session, by="8051").answer(number, "It is paid for."))
    caller.hears("ticket_another").presses("1")
    caller.hears("ticket_enter").presses(number)
    caller.hears("ticket_solved")
    caller.hears("ticket_answer", **{"ticket.answer": "It is paid for."})
    caller.hears("ticket_another").presses("2")
    caller.hears("logistics/main_menu").hangs_up()
