"""What nobody here knows is owed; who asks again hears how that stands first, and it is escalated."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.api import Refused

LAST_MILE = "44018015"


def moment(text: str) -> datetime:
    """In Guangzhou."""
    return datetime.fromisoformat(f"{text}+08:00")


def promised(line: Any, language: str = "zh-CN", **values: Any) -> Any:
    """A caller who heard that another carrier has it, and what operations owe."""
    caller = line.tracked(LAST_MILE, language, **values)
    caller.hears("logistics/last_mile_text")
    return caller.hears("logistics/promise_text")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_an_unknown_last_mile_is_owed_an_answer_within_two_open_hours(
    centre: Any, line: Any, language: str
) -> None:
    said = promised(line, language)
    ticket = centre.one("tickets")
    assert said.values["promise.ticket"] == ticket["number"]
    assert (ticket["kind"], ticket["group"], ticket["escalate"]) == (
        "last_mile",
        "operations",
        "logistics_desk",
    )
    assert (
        said.values["promise.due"].strftime("%H:%M") == "11:00"
    )  # Monday nine, and two hours of the office's
    said.hears("logistics/service_done_text")
    said.hears("logistics/service_open_text")
    said.hears("logistics/anything_else").hangs_up()
    assert centre.one("logistics.inquiries").caller == "+8613800000000"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_who_asks_again_hears_of_the_promise_first_and_it_is_escalated(
    centre: Any, line: Any, language: str
) -> None:
    promised(line).hangs_up()
    caller = line.tracked(LAST_MILE, language)
    caller.hears("logistics/still_owed_text")
    caller.hears("logistics/last_mile_text")
    caller.hears("logistics/service_done_text").hangs_up()
    owed = centre.one("logistics.inquiries")
    assert (owed.asked, owed.escalated is not None) == (2, True)
    assert len(centre.rows("tickets", kind="last_mile")) == 1
    notice = centre.one("notices")
    assert (notice["group"], notice["level"]) == ("logistics_desk", "warning")
    assert "第2次" in notice["text"]
    assert "44018015" in notice["text"]  # as it is typed, and not as it is spoken


def test_a_promise_that_was_not_kept_is_said_to_be_and_is_critical(centre: Any, line: Any) -> None:
    promised(line).hangs_up()
    centre.virtual.shift_wall(timedelta(hours=3))
    line.tracked(LAST_MILE).hears("logistics/overdue_owed_text").hangs_up()
    assert "critical" in [row["level"] for row in centre.rows("notices")]


def test_what_operations_found_out_is_told_to_who_asks_again(centre: Any, line: Any) -> None:
    promised(line).hangs_up()
    owed = centre.one("logistics.inquiries")

    def answer(session: Any) -> None:
        centre.app.records.desk(session, by="li.na").solve(owed.ticket, "signed for this morning")

    centre.app.records.work(answer)
    caller = line.tracked(LAST_MILE)
    caller.hears("logistics/answered_text")
    caller.hears("logistics/last_mile_text").hangs_up()
    assert centre.rows("notices") == []


def test_who_withholds_the_number_is_asked_for_one(centre: Any, line: Any) -> None:
    caller = line.tracked(LAST_MILE, number="")
    caller.hears("logistics/last_mile_text")
    caller.hears("logistics/enter_callback").presses("02038881234#")
    caller.hears("read_back").presses("1")
    caller.hears("logistics/promise_text").hangs_up()
    assert centre.one("logistics.inquiries").caller == "02038881234"


def test_who_gives_no_number_is_led_to_the_desk(line: Any) -> None:
    caller = line.tracked(LAST_MILE, number="")
    caller.hears("logistics/last_mile_text")
    for attempt in range(3):
        caller.hears("logistics/enter_callback").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("connecting")


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_killed_engine_promises_once(centre: Any, line: Any, point: str) -> None:
    caller = line.tracked(LAST_MILE)
    caller.hears("logistics/last_mile_text")
    if point == "after":
        caller.hears("logistics/promise_text")
    centre.engine.kill()
    centre.engine.start()
    caller.hears("logistics/promise_text" if point == "before" else "logistics/service_done_text")
    assert len(centre.rows("tickets")) == len(centre.rows("logistics.inquiries")) == 1


def test_a_window_that_was_told_is_kept_to_be_compared(centre: Any, line: Any) -> None:
    said = line.tracked("44018004")
    said.hears("logistics/departed_text")
    said = said.hears("logistics/window_text")
    told = centre.one("logistics.forecasts", number="44018004")
    assert (told.basis, told.shipments) == ("lane", 14)
    assert told.earliest < told.latest
    assert told.latest == said.values["arrival.latest"]


def test_a_window_that_can_not_be_kept_is_told_all_the_same(centre: Any, line: Any) -> None:
    centre.adapter("logistics.Books").raises(RuntimeError("the disk is gone"))
    caller = line.tracked("44018004")
    caller.hears("logistics/departed_text")
    caller.hears("logistics/window_text").hangs_up()


def test_a_department_that_can_promise_nothing_leads_to_the_desk(centre: Any, line: Any) -> None:
    caller = line.tracked(LAST_MILE)
    centre.adapter("logistics.Books").raises(RuntimeError("the disk is gone"))
    caller.hears("logistics/last_mile_text")
    caller.hears("logistics/waybills_unreachable")
    caller.hears("connecting")


def test_the_report_of_arrivals_compares_windows_with_the_truth(
    centre: Any, line: Any, office: Any, seed: Any
) -> None:
    assert office.report("logistics.arrivals") == []
    for earliest, latest in (
        ("2026-11-22 08:00", "2026-11-22 18:00"),  # 44018008 was delivered on the 22nd at 14:22 in Guangzhou
        ("2026-11-22 08:00", "2026-11-22 12:00"),
        ("2026-11-22 18:00", "2026-11-22 20:00"),
    ):
        seed.forecast(
            number="44018008", told=moment("2026-11-21 09:00"), earliest=moment(earliest),
            latest=moment(latest), basis="lane", shipments=14,
        )  # fmt: skip
    line.tracked("44018004").hears("logistics/departed_text").hears("logistics/window_text").hangs_up()
    [row] = office.report("logistics.arrivals")
    assert (row["basis"], row["told"], row["in_time"], row["early"], row["late"], row["open"]) == (
        "lane", 4, 1, 1, 1, 1,
    )  # fmt: skip
    assert (row["right"], row["hours_off"]) == ("33%", 3.5)


def test_who_was_called_back_is_told_so_and_the_ticket_is_solved(centre: Any, line: Any, office: Any) -> None:
    promised(line).hangs_up()
    ticket = centre.one("tickets")["number"]
    assert (
        office.does("called", ticket=ticket, said="今天下午四点送到", by="li.na")
        == f"ticket {ticket} is solved"
    )
    assert centre.one("tickets")["state"] == "solved"
    said = line.tracked(LAST_MILE).hears("logistics/answer_text")
    assert "今天下午四点送到" in said.text
    said.hangs_up()
    with pytest.raises(Refused, match="answered"):
        office.does("called", ticket=ticket, said="again", by="li.na")
    with pytest.raises(Refused, match="unknown"):
        office.does("called", ticket="123456789", said="again", by="li.na")


def test_the_report_of_inquiries_shows_who_called_again_first(line: Any, office: Any, seed: Any) -> None:
    seed.inquiry(number="44010001", caller="+8613800000009", ticket="1", opened=moment("2026-11-22 09:00"),
                 answered_by="", answer="", asked=1)  # fmt: skip
    promised(line).hangs_up()
    line.tracked(LAST_MILE).hears("logistics/still_owed_text").hangs_up()
    assert [(row["waybill"], row["asked"]) for row in office.report("logistics.inquiries")] == [
        (LAST_MILE, 2),
        ("44010001", 1),
    ]
