"""Asking for a price: typed, read line by line, kept as a lead."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from engine.api import Refused

DIAMOND = "+8613922200001"
FREIGHT = ["120#", "0*8#"]


def measured(line: Any, language: str = "zh-CN", *, number: str = "+8613800000000") -> Any:
    """A caller who typed where from, where to, weight and volume, and hears what else there is."""
    caller = line.chose("2", language, number=number)
    caller.hears("logistics/enter_origin").presses("020#")
    caller.hears("logistics/enter_destination").presses("28#")
    caller.hears("logistics/enter_weight").presses("120#")
    caller.hears("logistics/enter_volume").presses("0*8#")
    return caller.hears("logistics/choose_extras")


def heard(caller: Any, lines: list[str]) -> Any:
    """The caller hears the price: its lines by kind and amount, and the total."""
    caller.hears("logistics/quote_intro")
    for line in lines:
        kind, amount = line.split(" ")
        said = caller.hears("logistics/quote_line")
        assert (said.values["line.kind"], str(said.values["line.amount"])) == (kind, amount)
    return caller.hears("logistics/quote_total")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_price_is_read_line_by_line_and_its_caller_is_a_lead(centre: Any, line: Any, language: str) -> None:
    caller = measured(line, language).presses("12#")
    said = heard(caller, ["pickup 50.00", "freight_volume 312.00", "delivery 80.00"])
    assert said.text == (
        "合计四百四十二元。" if language == "zh-CN" else "In all, four hundred forty-two yuan."
    )
    caller.hears("logistics/quote_next").hangs_up()
    quote = centre.one("logistics.quotes")
    assert (str(quote.total), quote.version, quote.customer) == ("442", 7, "+8613800000000")
    lead = centre.one("logistics.followups")
    assert (lead.kind, lead.quote, lead.due, lead.tier) == ("lead", quote.id, date(2026, 11, 24), "ordinary")


def test_who_hangs_up_while_the_price_is_read_is_a_lead_all_the_same(centre: Any, line: Any) -> None:
    caller = measured(line, number=DIAMOND).presses("0#")
    caller.hears("logistics/quote_intro").hangs_up()
    lead = centre.one("logistics.followups")
    assert (lead.name, lead.tier, lead.done) == ("周敏", "diamond", None)


def test_insured_value_and_cash_on_delivery_are_asked_for_and_read_back(line: Any) -> None:
    caller = measured(line).presses("56#")
    caller.hears("logistics/enter_insured").presses("10000#")
    caller.hears("read_back_money").presses("1")
    caller.hears("logistics/enter_collected").presses("2000*50#")
    caller.hears("read_back_money").presses("1")
    said = heard(caller, ["freight_volume 312.00", "insurance 30.00", "cod 10.00"])
    assert said.text == "合计三百五十二元。"


def test_cash_on_delivery_alone_is_asked_for(line: Any) -> None:
    caller = measured(line).presses("6#")
    caller.hears("logistics/enter_collected").presses("100#")
    caller.hears("read_back_money").presses("1")
    heard(caller, ["freight_volume 312.00", "cod 0.50"])


def test_insurance_alone_is_asked_for(line: Any) -> None:
    caller = measured(line).presses("5#")
    caller.hears("logistics/enter_insured").presses("1000#")
    caller.hears("read_back_money").presses("1")
    heard(caller, ["freight_volume 312.00", "insurance 3.00"])


def test_a_price_is_heard_again_and_star_leads_to_the_menu(line: Any) -> None:
    caller = measured(line).presses("34#")
    lines = ["freight_volume 312.00", "entry 100.00", "crate 120.00"]
    heard(caller, lines)
    caller.hears("logistics/quote_next").presses("2")
    heard(caller, lines)
    caller.hears("logistics/quote_next").presses("*")
    caller.hears("logistics/main_menu").hangs_up()


def test_a_silent_caller_is_taken_leave_of_after_the_price(line: Any) -> None:
    caller = measured(line).presses("0#")
    heard(caller, ["freight_volume 312.00"])
    caller.hears("logistics/quote_next").stays_silent()
    caller.hears("silent")
    caller.hears("logistics/quote_next").stays_silent()
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"


def test_keys_that_mean_no_service_are_asked_for_again(line: Any) -> None:
    caller = measured(line).presses("17#")
    caller.hears("wrong")
    caller.hears("logistics/choose_extras").presses("1#")
    heard(caller, ["pickup 50.00", "freight_volume 312.00"])


@pytest.mark.parametrize("end", ["enter_origin", "enter_destination"])
def test_an_unknown_city_is_asked_for_again_and_then_the_desk_helps(line: Any, end: str) -> None:
    caller = line.chose("2")
    caller.hears("logistics/enter_origin").presses("020#" if end == "enter_destination" else "999#")
    if end == "enter_destination":
        caller.hears("logistics/enter_destination").presses("999#")
    caller.hears("logistics/no_such_city")
    caller.hears("logistics/try_again").presses("1")
    caller.hears(f"logistics/{end}").presses("998#")
    caller.hears("logistics/no_such_city")
    caller.hears("logistics/try_again").presses("2")
    caller.hears("connecting")


def test_where_there_is_no_tariff_the_desk_makes_a_price(centre: Any, line: Any) -> None:
    agent = centre.agent("8012").ready()
    caller = line.chose("2")
    caller.hears("logistics/enter_origin").presses("025#")
    caller.hears("logistics/enter_destination").presses("029#")
    caller.hears("logistics/enter_weight").presses("10#")
    caller.hears("logistics/enter_volume").presses("0#")
    caller.hears("logistics/choose_extras").presses("0#")
    caller.hears("logistics/no_tariff")
    caller.hears("connecting")
    agent.is_offered(caller).sees(about="quote 南京 西安, 10 kg, 0 m3")


@pytest.mark.parametrize(
    "silent_at", ["enter_origin", "enter_destination", "enter_weight", "enter_volume", "choose_extras"]
)
def test_who_types_nothing_is_led_to_the_desk(line: Any, silent_at: str) -> None:
    caller = line.chose("2")
    for prompt, keys in (
        ("enter_origin", "020#"),
        ("enter_destination", "028#"),
        ("enter_weight", "120#"),
        ("enter_volume", "1#"),
        ("choose_extras", "0#"),
    ):
        if prompt == silent_at:
            break
        caller.hears(f"logistics/{prompt}").presses(keys)
    for attempt in range(3):
        caller.hears(f"logistics/{silent_at}").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("connecting")


@pytest.mark.parametrize("contract", ["Tariffs", "Customers"])
def test_a_system_that_does_not_answer_leads_to_the_desk(centre: Any, line: Any, contract: str) -> None:
    caller = line.chose("2")
    caller.hears("logistics/enter_origin")
    centre.adapter(f"logistics.{contract}").hangs()
    caller.presses("020#")
    if contract == "Customers":
        caller.hears("logistics/enter_destination").presses("028#")
        caller.hears("logistics/enter_weight").presses("120#")
        caller.hears("logistics/enter_volume").presses("1#")
        caller.hears("logistics/choose_extras").presses("0#")
    caller.hears("logistics/trouble_desk")
    caller.hears("connecting")


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_killed_engine_keeps_one_quote(centre: Any, line: Any, point: str) -> None:
    caller = measured(line).presses("0#")
    if point == "after":
        caller.hears("logistics/quote_intro")
    centre.engine.kill()
    centre.engine.start()
    caller.hears("logistics/quote_intro" if point == "before" else "logistics/quote_line")
    assert len(centre.rows("logistics.quotes")) == len(centre.rows("logistics.followups")) == 1


# -- who is called again -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "days"), [(DIAMOND, 7), ("+8613922200002", 30), ("+8613922200003", 90), ("+8613800000000", 90)]
)
def test_a_customer_is_called_again_in_the_rhythm_of_the_tier(
    centre: Any, line: Any, office: Any, number: str, days: int
) -> None:
    measured(line, number=number).presses("0#").hears("logistics/quote_intro").hangs_up()
    assert office.does("followups") == []
    [owed] = office.does("followups", days=1)
    said = office.does("follow-up", followup=owed["id"], outcome="lost", note="too dear", by="8012")
    assert said == f"lost; to be called again on {date(2026, 11, 23) + timedelta(days=days)}"
    again = centre.one("logistics.followups", done=None)
    assert (again.kind, again.due) == ("care", date(2026, 11, 23) + timedelta(days=days))


def test_outcomes_are_those_that_there_are_and_are_given_once(line: Any, office: Any) -> None:
    measured(line).presses("0#").hears("logistics/quote_intro").hangs_up()
    [owed] = office.does("followups", days=1)
    with pytest.raises(Refused, match="outcome"):
        office.does("follow-up", followup=owed["id"], outcome="maybe")
    assert office.does("follow-up", followup=owed["id"], outcome="stop") == "stop; not to be called again"
    with pytest.raises(Refused, match="done"):
        office.does("follow-up", followup=owed["id"], outcome="won")
    assert office.does("followups", days=400) == []


def test_who_is_not_reached_is_tried_again_tomorrow(centre: Any, line: Any, office: Any) -> None:
    measured(line, number=DIAMOND).presses("0#").hears("logistics/quote_intro").hangs_up()
    [owed] = office.does("followups", days=1)
    office.does("follow-up", followup=owed["id"], outcome="unreachable")
    again = centre.one("logistics.followups", done=None)
    assert (again.kind, again.due, again.quote) == (
        "lead",
        date(2026, 11, 24),
        centre.one("logistics.quotes").id,
    )


def test_the_reports_count_quotes_and_calls(line: Any, office: Any) -> None:
    measured(line, number=DIAMOND).presses("0#").hears("logistics/quote_intro").hangs_up()
    measured(line).presses("0#").hears("logistics/quote_intro").hangs_up()
    [row] = office.report("logistics.quotes")
    assert (row["origin"], row["version"], row["quotes"], row["orders"], row["won"], row["total"]) == (
        "广州", 7, 2, 0, "0%", 624,
    )  # fmt: skip
    for owed in office.does("followups", days=1):
        office.does("follow-up", followup=owed["id"], outcome="thinking")
    names = ("tier", "kind", "done", "in_time", "overdue", "outcomes")
    assert [tuple(row[name] for name in names) for row in office.report("logistics.followups")] == [
        ("diamond", "lead", 1, 1, 0, "thinking:1"),
        ("ordinary", "lead", 1, 1, 0, "thinking:1"),
    ]


def test_in_the_morning_the_desk_is_told_who_is_to_be_called(centre: Any, line: Any) -> None:
    measured(line, number=DIAMOND).presses("0#").hears("logistics/quote_intro").hangs_up()
    centre.clock.advance("2s")
    centre.virtual.shift_wall(timedelta(hours=24))
    centre.clock.advance("90s")
    notice = next(row for row in centre.rows("notices") if row["prompt"] == "logistics/followups_notice")
    assert notice["text"] == "今天有1位客户需要回访，其中钻石客户1位。"


def test_a_diamond_customer_who_gave_up_waiting_is_phoned_on_the_same_day(
    centre: Any, line: Any, office: Any
) -> None:
    for agent in ("8012", "8013", "8014"):
        centre.agent(agent).ready()
    for number in (DIAMOND, "+8613922200003"):  # a diamond customer, and an ordinary one
        caller = line.chose("0", number=number)
        caller.hears("connecting")
        centre.clock.advance("10s")
        caller.hangs_up()
    [owed] = office.does("followups")
    assert (owed["kind"], owed["name"], owed["tier"], owed["due"]) == (
        "owed", "周敏", "diamond", date(2026, 11, 23),
    )  # fmt: skip
    said = office.does("follow-up", followup=owed["id"], outcome="unreachable")
    assert said == "unreachable; to be called again on 2026-11-24"
    [owed] = office.does("followups", days=1)
    assert owed["kind"] == "owed"
    office.does("follow-up", followup=owed["id"], outcome="satisfied")
    again = centre.one("logistics.followups", done=None)
    assert (again.kind, again.due) == ("care", date(2026, 11, 30))
