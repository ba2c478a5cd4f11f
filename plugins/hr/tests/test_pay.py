"""One's own pay, benefits and leave: who one is, line by line, and nothing of it anywhere."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from .conftest import NUMBER, PINS


def slip_of(centre: Any, employee: str) -> dict[str, Decimal]:
    rows = centre.rows("hr.slip_lines", employee=employee)
    latest = max(row.month for row in rows)
    return {row.kind: row.amount for row in rows if row.month == latest}


def hears_slip(caller: Any, centre: Any, employee: str) -> list[str]:
    """The slip of the latest month, all of it; what was said."""
    caller.hears("hr/slip_begins")
    lines = slip_of(centre, employee)
    said = []
    for _ in lines:
        heard = caller.hears("hr/slip_line")
        assert centre.app.recordings.masked(caller.view.recording)
        said.append(heard.text)
    said.append(caller.hears("hr/slip_sums").text)
    return said


@pytest.mark.parametrize(
    ("language", "base", "net"),
    [
        ("zh-CN", "基本工资，八千两百元。", "实发一万两千零七十五元七角一分。"),
        (
            "en",
            "base pay, eight thousand two hundred yuan.",
            "net pay twelve thousand seventy-five yuan and seventy-one",
        ),
    ],
)
def test_the_latest_slip_is_said_line_by_line_and_its_sums_agree(
    line: Any, centre: Any, language: str, base: str, net: str
) -> None:
    caller = line.employee("30011", language).presses("1")
    caller.hears("hr/which_month").presses("1")
    said = hears_slip(caller, centre, "30011")
    caller.hears("hr/after_slip").hangs_up()
    assert said[0] == base
    assert net in said[-1]
    assert len(said) == 11  # ten lines and the sums


def test_lines_are_said_again_passed_over_and_ended_by_keys(line: Any, centre: Any) -> None:
    caller = line.employee("30011").presses("1")
    caller.hears("hr/which_month").presses("1")
    caller.hears("hr/slip_begins")

    def kind() -> str:
        return str(caller.hears("hr/slip_line").values["line.kind"])

    assert kind() == "base"
    caller.presses("1")
    assert kind() == "base"
    caller.presses("2")
    assert kind() == "post"
    caller.presses("3")
    assert kind() == "base"
    caller.presses("*")
    caller.hears("hr/slip_sums")
    caller.hears("hr/after_slip").presses("*")
    caller.hears("hr/employee_menu")


def test_another_month_is_asked_for(line: Any, centre: Any) -> None:
    caller = line.employee("30011").presses("1")
    caller.hears("hr/which_month").presses("2")
    caller.hears("hr/enter_month").presses("202713")
    caller.hears("hr/wrong_month")
    caller.hears("hr/enter_month").presses("202609")
    said = caller.hears("hr/slip_begins")
    assert said.text.startswith("九月的工资单")
    caller.presses("*")


def test_a_month_without_a_slip_is_said_and_another_may_be_typed(line: Any) -> None:
    caller = line.employee("30011").presses("1")
    caller.hears("hr/which_month").presses("2")
    caller.hears("hr/enter_month").presses("202501")
    caller.hears("hr/no_slip")
    caller.hears("hr/which_month").presses("*")
    caller.hears("hr/employee_menu")


def test_somebody_without_any_slip_hears_so(line: Any, centre: Any, seed: Any) -> None:
    seed.party(kind="employee", name="新来的", code="30099", pin="918273")
    caller = line.main().presses("1")
    line.signs_in(caller, "30099", "918273")
    caller.hears("recorded_notice")
    caller.hears("hr/employee_menu").presses("1")
    caller.hears("hr/which_month").presses("1")
    caller.hears("hr/no_slip")
    caller.hears("hr/which_month").presses("*")
    caller.hears("hr/employee_menu").presses("2")
    caller.hears("hr/no_benefits")
    caller.hears("hr/employee_menu").presses("3")
    caller.hears("hr/no_leave")
    caller.hears("hr/employee_menu").presses("4")
    caller.hears("hr/requests_menu").presses("4")
    caller.hears("hr/no_requests")
    caller.hears("hr/requests_menu").presses("3")
    caller.hears("hr/no_benefits")
    caller.hears("hr/requests_menu").hangs_up()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_benefits_and_leave_are_said(line: Any, centre: Any, language: str) -> None:
    caller = line.employee("30011", language).presses("2")
    kinds = []
    for _ in range(3):
        heard = caller.hears("hr/benefit_line")
        assert centre.app.recordings.masked(caller.view.recording)
        kinds.append(heard.values["benefit.kind"])
    assert kinds == ["medical", "travel", "study"]
    caller.hears("hr/employee_menu").presses("3")
    first = caller.hears("hr/leave_line")
    assert ("六点五天" if language == "zh-CN" else "six point five days") in first.text
    caller.hears("hr/leave_line")
    caller.hears("hr/employee_menu").stays_silent()
    caller.hears("silent")
    caller.hears("hr/employee_menu").stays_silent()
    caller.hears("silent")
    caller.hears("hr/employee_menu").stays_silent()
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"


def test_nothing_of_the_pay_is_written_and_it_is_asked_for_again_after_an_adoption(
    line: Any, centre: Any
) -> None:
    caller = line.employee("30011").presses("1")
    caller.hears("hr/which_month").presses("1")
    hears_slip(caller, centre, "30011")
    caller.hears("hr/after_slip")
    centre.engine.kill()
    centre.engine.start()
    caller.presses("1")
    said = hears_slip(caller, centre, "30011")
    assert "八千两百元" in said[0]
    caller.hears("hr/after_slip").presses("*")
    caller.hears("hr/employee_menu").presses("2")
    for _ in range(3):
        caller.hears("hr/benefit_line")
    caller.hears("hr/employee_menu").hangs_up()
    for amount in ("12075.71", "1868.25", "395.32", "8749.60", "1250.40"):
        centre.nowhere(amount)  # the sample's own tables hold fen
    centre.nowhere(PINS["30011"])
    assert len(str(centre.one("recordings")["masks"])) > 20


def test_the_caller_is_known_from_the_pin_on_and_not_before(line: Any, centre: Any) -> None:
    caller = line.main().presses("1")
    assert caller.view.number == ""
    line.signs_in(caller, "30012")
    caller.hears("recorded_notice")
    caller.hears("hr/employee_menu")
    assert caller.view.number == NUMBER
    caller.hangs_up()
    assert centre.cdrs()[0].number == NUMBER
    assert [row.data["number"] for row in centre.journal(caller, "identity.released")] == [NUMBER]


def test_a_payroll_that_hangs_leads_to_somebody_who_knows_pay(line: Any, centre: Any) -> None:
    centre.agent("8041").ready()
    centre.adapter("hr.Payroll").hangs()
    caller = line.employee().presses("1")
    caller.hears("hr/which_month").presses("1")
    caller.hears("hr/pay_trouble")
    caller.hears("connecting")
    agent = centre.agent("8041").is_offered(caller).sees(about="pay").answers()
    agent.hangs_up(disposition="answered")
    caller.hears("rate_solution")


@pytest.mark.parametrize(("contract", "key"), [("Benefits", "2"), ("Leave", "3")])
def test_a_system_that_is_away_is_told_and_the_desk_helps(
    line: Any, centre: Any, contract: str, key: str
) -> None:
    centre.adapter(f"hr.{contract}").raises(RuntimeError("away"))
    caller = line.employee().presses(key)
    caller.hears("system_trouble")
    caller.hears("connecting")
    caller.hears("no_agents")
    caller.hears("bye")


def test_a_question_about_a_slip_goes_to_somebody_who_knows_pay(line: Any, centre: Any) -> None:
    centre.agent("8042").ready()
    centre.agent("8041").ready()
    caller = line.employee("30018").presses("1")
    caller.hears("hr/which_month").presses("1")
    hears_slip(caller, centre, "30018")
    caller.hears("hr/after_slip").presses("0")
    caller.hears("connecting")
    agent = centre.agent("8041").is_offered(caller).sees(about="pay").answers()
    caller.talks_to(agent)
    agent.hangs_up(disposition="answered")
    caller.hears("rate_solution").hangs_up()


# -- who one is ------------------------------------------------------------------------------------------


def test_a_wrong_pin_is_asked_for_again_and_then_the_desk_helps(line: Any, centre: Any) -> None:
    caller = line.main().presses("1")
    for attempt in range(3):
        line.signs_in(caller, "30012", "111111")
        if attempt < 2:
            caller.hears("hr/wrong_number_or_pin")
    caller.hears("hr/not_known")
    caller.hears("connecting")
    caller.hears("no_agents")
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"
    assert centre.cdrs()[0].number == ""  # nobody learns who tried


def test_an_unknown_number_is_refused_as_a_wrong_pin_is(line: Any) -> None:
    caller = line.main().presses("1")
    line.signs_in(caller, "39999", "730115")
    caller.hears("hr/wrong_number_or_pin").hangs_up()


def test_who_types_nothing_is_led_to_the_desk(line: Any) -> None:
    caller = line.main().presses("1")
    for attempt in range(3):
        caller.hears("hr/enter_number").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("hr/not_known")


def test_wrong_pins_lock_the_employee_and_the_phone_they_come_from(line: Any, centre: Any) -> None:
    for _ in range(2):
        caller = line.main().presses("1")
        for _ in range(3):
            caller.hears("hr/enter_number").presses("30012#")
            caller.hears("hr/enter_pin").presses("000000#")
            heard = caller.hears_next()
            if heard._said.key == "hr/locked":
                break
        caller.hangs_up()
    # The right PIN, from another phone: the employee is locked.
    caller = line.main(number="+8613902880001").presses("1")
    line.signs_in(caller, "30012")
    caller.hears("hr/locked")
    caller.hears("bye")
    # Another employee, from the phone that guessed: the phone is locked.
    caller = line.main().presses("1")
    line.signs_in(caller, "30013")
    caller.hears("hr/locked").hangs_up()
    # And from a phone of its own all is well.
    assert line.employee("30013", number="+8613902880002")
    centre.clock.advance("16m")
    assert line.employee("30012", number="+8613902880001")


def test_the_desk_is_told_what_an_employee_has_asked_for(line: Any, centre: Any) -> None:
    caller = line.employee("30012").presses("4")
    caller.hears("hr/requests_menu").presses("1")
    caller.hears("hr/which_certificate").presses("1")
    caller.hears("hr/request_taken")
    caller.hears("hr/request_taken").hangs_up()
    ticket = centre.one("hr.requests")
    centre.agent("8042").ready()
    caller = line.employee("30012").presses("0")
    caller.hears("connecting")
    centre.agent("8042").is_offered(caller)
    assert caller.view.popped["requests"] == [f"{ticket.ticket} employment"]
    assert caller.view.popped["branch"] == "guangzhou_baiyun"
    caller.hangs_up()


@pytest.mark.parametrize("step", range(7))
def test_who_hangs_up_anywhere_leaves_one_cdr(line: Any, centre: Any, step: int) -> None:
    caller = centre.caller(number=NUMBER).dials("8003")
    journey = [
        ("choose_language", "1"), ("hr/main_menu", "1"), ("hr/enter_number", "30011#"), ("hr/enter_pin", "730115#"),
        ("recorded_notice", ""), ("hr/employee_menu", "1"), ("hr/which_month", "1"),
    ]  # fmt: skip
    for prompt, keys in journey[:step]:
        caller.hears(prompt)
        if keys:
            caller.presses(keys)
    caller.hears(journey[step][0]).hangs_up()
    assert centre.calls() == []
    assert [row.number for row in centre.cdrs()] == [NUMBER if step > 3 else ""]
