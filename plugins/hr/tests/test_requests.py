"""Certificates, corrections and claims become tickets, once each, and their state is heard by phone."""

from __future__ import annotations

from typing import Any

import pytest


def requests(line: Any, employee: str = "30011", language: str = "zh-CN") -> Any:
    caller = line.employee(employee, language).presses("4")
    return caller.hears("hr/requests_menu")


def taken(caller: Any) -> str:
    number = str(caller.hears("hr/request_taken").values["asked.number"])
    caller.hears("hr/request_taken")
    caller.hears("hr/requests_menu")
    return number


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(("key", "kind"), [("1", "employment"), ("2", "income")])
def test_a_certificate_is_asked_for(line: Any, centre: Any, language: str, key: str, kind: str) -> None:
    caller = requests(line, language=language).presses("1")
    caller.hears("hr/which_certificate").presses(key)
    number = taken(caller)
    caller.hangs_up()
    ticket = centre.one("tickets", number=number)
    assert (ticket["kind"], ticket["group"], ticket["department"]) == (kind, "hr_desk", "hr")
    assert ("30011" in str(ticket["data"]), ticket["call"]) == (True, caller.uuid)
    # Two working days of seven and a half hours, from Monday at nine (the hour of lunch does not count).
    assert str(ticket["due"]).startswith("2026-11-25")


def test_a_correction_names_the_month_and_is_dictated(line: Any, centre: Any) -> None:
    caller = requests(line).presses("2")
    caller.hears("hr/correction_month").presses("203001")
    caller.hears("hr/wrong_month")
    caller.hears("hr/correction_month").presses("202610")
    caller.hears("hr/say_what_is_wrong").says("3s").hears_beep()
    caller.hears("clip_review").presses("3")
    number = taken(caller)
    ticket = centre.one("tickets", number=number)
    assert "2026-10" in str(ticket["data"])
    clip = centre.one("clips")
    assert (number, "clip", clip["id"]) in [
        (row["ticket"], row["kind"], row["ref"]) for row in centre.rows("ticket_links")
    ]


def test_who_says_nothing_and_types_nothing_comes_back_to_the_menu(line: Any, centre: Any) -> None:
    caller = requests(line).presses("2")
    for attempt in range(3):
        caller.hears("hr/correction_month").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("hr/requests_menu").presses("2")
    caller.hears("hr/correction_month").presses("202610")
    caller.says(0)
    for attempt in range(3):
        caller.hears("hr/say_what_is_wrong").hears_beep()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("hr/requests_menu").stays_silent()
    caller.hears("silent")
    caller.hears("hr/requests_menu").stays_silent()
    caller.hears("bye")
    assert centre.rows("tickets") == []


def test_a_claim_is_no_more_than_what_is_left(line: Any, centre: Any) -> None:
    caller = requests(line).presses("3")
    caller.hears("hr/which_benefit")
    for _ in range(3):
        caller.hears("hr/benefit_entry")
    caller.presses("2")  # travel home: 1,800 are left
    caller.hears("hr/enter_amount").presses("2000#")
    caller.hears("read_back_money").presses("1")
    said = caller.hears("hr/too_much")
    assert "一千八百元" in said.text
    caller.hears("hr/another_amount").presses("1")
    caller.hears("hr/enter_amount").presses("650*50#")
    caller.hears("read_back_money").presses("1")
    caller.hears("hr/send_receipts")
    number = taken(caller)
    data = str(centre.one("tickets", number=number)["data"])
    assert "travel" in data
    assert "650.50" in data
    centre.nowhere("1800.00")


def test_who_wants_no_other_amount_comes_back(line: Any) -> None:
    caller = requests(line).presses("3")
    caller.hears("hr/which_benefit")
    for _ in range(3):
        caller.hears("hr/benefit_entry")
    caller.presses("2")
    caller.hears("hr/enter_amount").presses("9000#")
    caller.hears("read_back_money").presses("1")
    caller.hears("hr/too_much")
    caller.hears("hr/another_amount").presses("2")
    caller.hears("hr/requests_menu").hangs_up()


def test_the_state_is_heard_with_what_the_desk_says(line: Any, centre: Any) -> None:
    caller = requests(line).presses("1")
    caller.hears("hr/which_certificate").presses("1")
    first = taken(caller)
    caller.presses("1")
    caller.hears("hr/which_certificate").presses("2")
    second = taken(caller)
    caller.presses("4")
    for _ in range(2):
        assert "等待受理" in caller.hears("hr/request_line").text
    caller.hears("hr/requests_menu").hangs_up()
    _desk(centre, lambda desk: desk.assign(first, "8042"))
    _desk(centre, lambda desk: desk.solve(second, "on your desk"))
    caller = requests(line).presses("4")
    said = [caller.hears("hr/request_line").text for _ in range(2)]
    assert sorted("正在办理" in one for one in said) == [False, True]
    assert sorted("已办结" in one for one in said) == [False, True]
    caller.hangs_up()
    # Somebody else hears nothing of them.
    caller = requests(line, "30012").presses("4")
    caller.hears("hr/no_requests")


def _desk(centre: Any, act: Any) -> None:
    records = centre.app.lead.services.records
    records.work(lambda session: act(records.desk(session, by="test")))
    centre.clock.advance("2s")


def test_the_reports_know_of_what_was_solved_by_whatever_way(line: Any, centre: Any) -> None:
    caller = requests(line).presses("1")
    caller.hears("hr/which_certificate").presses("1")
    number = taken(caller)
    _desk(centre, lambda desk: desk.solve(number))
    assert centre.one("hr.requests", ticket=number).solved is not None
    _desk(centre, lambda desk: desk.reopen(number, "not the right one"))
    assert centre.one("hr.requests", ticket=number).solved is None


def test_a_request_is_taken_once_however_the_engine_dies(line: Any, centre: Any) -> None:
    caller = requests(line).presses("1")
    caller.hears("hr/which_certificate").presses("1")
    centre.engine.kill()
    centre.engine.start()
    number = taken(caller)
    assert [row["number"] for row in centre.rows("tickets")] == [number]
    assert len(centre.rows("hr.requests")) == 1


def test_a_desk_that_is_asked_for_knows_what_about(line: Any, centre: Any) -> None:
    agent = centre.agent("8042").ready()
    caller = requests(line).presses("0")
    caller.hears("connecting")
    agent.is_offered(caller).sees(about="requests").answers()
    agent.hangs_up(disposition="answered")
    caller.hears("bye")


def test_records_that_can_not_be_reached_are_told(line: Any, centre: Any) -> None:
    caller = requests(line)
    centre.adapter("hr.Cases").raises(RuntimeError("away"))
    caller.presses("4")
    caller.hears("system_trouble")
    caller.hears("connecting").hangs_up()
