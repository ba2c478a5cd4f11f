"""Conversations with the dealers' line: who calls, and all that can be known without a person."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from plugins.orders.tests.conftest import HENGRUN, LINE, XILING

Call = Callable[..., Any]
STRANGER = "+8613999990000"


def asked(centre: Any, language: str = "zh-CN") -> Any:
    """Somebody whose number is nobody's."""
    caller = centre.caller(number=STRANGER).dials(LINE)
    caller.hears("orders/choose_language").presses("1" if language == "zh-CN" else "2")
    caller.hears("recorded_notice")
    return caller.hears("orders/who_calls")


# -- who calls -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_registered_number_is_greeted_by_name(dealer: Call, language: str) -> None:
    dealer(HENGRUN, language, tasks=True).hangs_up()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_any_other_number_identifies_by_code_and_pin_which_stands_nowhere(centre: Any, language: str) -> None:
    caller = asked(centre, language).presses("1")
    caller.hears("orders/enter_dealer").presses("45010003#")
    caller.hears("orders/enter_pin").presses("4682#")
    assert "南宁桂盛商行" in caller.hears("orders/hello").text
    caller.hears("orders/main_menu").hangs_up()
    centre.nowhere("4682")


def test_a_wrong_pin_is_asked_again_and_then_a_person_helps(centre: Any) -> None:
    caller = asked(centre).presses("1")
    for attempt in range(3):
        caller.hears("orders/enter_dealer").presses("45010003#")
        caller.hears("orders/enter_pin").presses("0000#")
        if attempt < 2:
            caller.hears("orders/wrong_code")
    caller.hears("orders/not_known")
    caller.hears("connecting").hangs_up()


def test_a_code_that_nobody_has_is_told_as_a_wrong_pin_is(centre: Any) -> None:
    caller = asked(centre).presses("1")
    caller.hears("orders/enter_dealer").presses("99990000#")
    caller.hears("orders/enter_pin").presses("4682#")
    caller.hears("orders/wrong_code").hangs_up()


def test_after_five_wrong_pins_it_is_locked_and_said(centre: Any) -> None:
    for _ in range(2):
        caller = asked(centre).presses("1")
        for _ in range(3):
            caller.hears("orders/enter_dealer").presses("45010003#")
            caller.hears("orders/enter_pin").presses("0000#")
            said = caller.hears_next()
            if "锁" in said.text or said._said.key in ("orders/locked", "orders/not_known"):
                break
        caller.hangs_up()
    caller = asked(centre).presses("1")
    caller.hears("orders/enter_dealer").presses("45010003#")
    caller.hears("orders/enter_pin").presses("4682#")
    caller.hears("orders/locked")
    caller.hears("connecting").hangs_up()


def test_whoever_types_no_code_is_led_to_a_person(centre: Any) -> None:
    caller = asked(centre).presses("1")
    for attempt in range(3):
        caller.hears("orders/enter_dealer").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("connecting").hangs_up()


def test_whoever_presses_nothing_at_all_is_led_to_a_person(centre: Any) -> None:
    caller = centre.caller(number=STRANGER).dials(LINE)
    caller.hears("orders/choose_language").stays_silent()
    caller.hears("silent")
    caller.hears("orders/choose_language").stays_silent()
    caller.hears("recorded_notice")
    for attempt in range(3):
        caller.hears("orders/who_calls").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("connecting").hangs_up()


def test_a_dealer_who_is_not_sold_to_is_led_to_the_supervisor(centre: Any) -> None:
    agent = centre.agent("8023").ready()
    caller = centre.caller(number="+8613802880024").dials(LINE)
    caller.hears("orders/choose_language").presses("1")
    caller.hears("recorded_notice")
    caller.hears("orders/hello")
    caller.hears("orders/inactive")
    caller.hears("connecting")
    agent.is_offered(caller).sees(region="西南").answers()
    agent.hangs_up()
    caller.hears("bye")


def test_a_party_that_the_sales_system_does_not_know_is_led_to_the_desk(centre: Any, seed: Any) -> None:
    seed.party(kind="dealer", code="77770000", name="新商行", numbers=("+8613802889999",))
    caller = centre.caller(number="+8613802889999").dials(LINE)
    caller.hears("orders/choose_language").presses("1")
    caller.hears("recorded_notice")
    caller.hears("orders/not_known")
    caller.hears("connecting").hangs_up()


def test_silence_and_wrong_keys_in_the_menu_lead_to_the_supervisor(dealer: Call) -> None:
    caller = dealer().presses("9")
    caller.hears("wrong")
    caller.hears("orders/main_menu").presses("*")
    for attempt in range(3):
        caller.hears("orders/main_menu").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("connecting").hangs_up()


# -- what can be known -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_stock_and_price(dealer: Call, language: str) -> None:
    caller = dealer(language=language).presses("1")
    caller.hears("orders/enter_article").presses("10030001#")
    said = caller.hears("orders/article_stock")
    assert (said.values["article.price"], said.values["stock.cases"]) == (Decimal("71.00"), 900)
    caller.hears("orders/another_article").presses("1")
    caller.hears("orders/enter_article").presses("10030002#")
    caller.hears("orders/article_coming")
    caller.hears("orders/another_article").presses("1")
    caller.hears("orders/enter_article").presses("12345678#")
    caller.hears("orders/no_such_article")
    caller.hears("orders/another_article").presses("*")
    caller.hears("orders/main_menu").hangs_up()


def test_an_article_that_nobody_knows_when_comes(centre: Any, seed: Any, dealer: Call) -> None:
    seed.article(code="10049999", name="样品", english="Sample", stock=0, reserved=0)
    seed.price(article="10049999", tier="ordinary", price="1.00")
    caller = dealer().presses("1")
    caller.hears("orders/enter_article").presses("10049999#")
    caller.hears("orders/article_none")
    caller.hears("orders/another_article").presses("0")
    caller.hears("connecting").hangs_up()


def test_a_wrong_article_is_asked_again_and_then_the_supervisor_helps(dealer: Call) -> None:
    caller = dealer().presses("1")
    for attempt in range(3):
        caller.hears("orders/enter_article").presses("12#")
        if attempt < 2:
            caller.hears("orders/wrong_article")
    caller.hears("connecting").hangs_up()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_credit_and_arrears_of_the_sample(dealer: Call, language: str) -> None:
    caller = dealer(HENGRUN, language, tasks=True).presses("2")
    assert caller.hears("orders/credit_text").values["account.credit"] == Decimal("200000.00")
    said = caller.hears("orders/arrears_text")
    if language == "zh-CN":
        assert "三万六千四百八十元五角" in said.text
        assert "三十一天" in said.text
    caller.hears("orders/payment_text")
    caller.hears("orders/heard").presses("1")
    caller.hears("orders/credit_text").presses("*")
    caller.hears("orders/main_menu").hangs_up()


def test_a_blocked_account_and_one_without_a_payment(dealer: Call) -> None:
    caller = dealer(XILING).presses("2")
    caller.hears("orders/credit_text")
    caller.hears("orders/arrears_text")
    caller.hears("orders/blocked_text")
    caller.hears("orders/no_payment")
    caller.hears("orders/heard").presses("0")
    caller.hears("connecting").hangs_up()


def test_an_account_in_order(dealer: Call) -> None:
    caller = dealer().presses("2")
    caller.hears("orders/credit_text")
    caller.hears("orders/no_arrears")
    caller.hears("orders/payment_text")
    caller.hears("orders/heard").stays_silent()
    caller.hears("orders/main_menu").hangs_up()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_policy_of_the_region_with_its_version(dealer: Call, language: str) -> None:
    caller = dealer(language=language).presses("3")
    said = caller.hears("orders/policy_text")
    assert (said.values["policy.code"], said.values["policy.version"]) == ("HN-2026Q4", 3)
    said = caller.hears("orders/rebate_text")
    if language == "zh-CN":
        assert said.text == "单笔订单满五百箱，返利百分之三。"
    caller.hears("orders/truck_text")
    caller.hears("orders/heard").presses("1")
    caller.hears("orders/policy_text").presses("0")
    caller.hears("connecting").hangs_up()


def test_a_region_without_a_policy(centre: Any, dealer: Call) -> None:
    from sqlalchemy import text

    centre.app.store.work(lambda session: session.execute(text("DELETE FROM orders_policy")) and None, 10.0)
    caller = dealer().presses("3")
    caller.hears("orders/no_policy")
    caller.hears("orders/heard").presses("*")
    caller.hears("orders/main_menu").hangs_up()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_state_of_an_order_and_its_payment(centre: Any, dealer: Call, language: str) -> None:
    caller = dealer(HENGRUN, language, tasks=True).presses("4")
    caller.hears("orders/which_way").presses("1")
    caller.hears("orders/which_order")
    for _ in range(4):
        caller.hears("orders/order_entry")
    caller.presses("3")
    caller.hears("orders/order_text")
    caller.hears("orders/waybill_text")
    caller.hears("orders/paid_text")
    caller.hears("orders/another_order").presses("1")
    caller.hears("orders/which_way").presses("2")
    late = centre.one("orders.order", dealer="44010001", state="picked").number
    caller.hears("orders/enter_order").presses(f"{late}#")
    caller.hears("orders/order_text")
    said = caller.hears("orders/late_text")
    assert ("车辆未到" if language == "zh-CN" else "vehicle") in said.text
    caller.hears("orders/unpaid_text")
    caller.hears("orders/another_order").presses("*")
    caller.hears("orders/main_menu").hangs_up()


def test_another_dealers_order_is_not_told(centre: Any, dealer: Call) -> None:
    theirs = centre.one("orders.order", dealer="44010001", state="picked").number
    caller = dealer().presses("4")
    caller.hears("orders/which_way").presses("2")
    caller.hears("orders/enter_order").presses(f"{theirs}#")
    caller.hears("orders/no_such_order")
    caller.hears("orders/another_order").presses("0")
    caller.hears("connecting").hangs_up()


def test_a_dealer_without_orders_and_one_who_paid_in_part(centre: Any, seed: Any, dealer: Call) -> None:
    from sqlalchemy import text

    centre.app.store.work(
        lambda session: (
            session.execute(text("UPDATE orders_order SET paid = 100 WHERE dealer = '44030002' AND paid = 0"))
            and None
        ),
        10.0,
    )
    caller = dealer().presses("4")
    caller.hears("orders/which_way").presses("1")
    caller.hears("orders/which_order").presses("1")
    caller.hears("orders/order_text")
    caller.hears("orders/late_text")
    caller.hears("orders/part_paid_text")
    caller.hears("orders/another_order").hangs_up()
    seed.party(kind="dealer", code="77770001", name="新商行", numbers=("+8613802889998",))
    seed.dealer(code="77770001", name="新商行", region="华南", tier="ordinary", credit="1000.00", outstanding="0.00",
                terms=30, patience=60, active=True)  # fmt: skip
    caller = dealer("+8613802889998").presses("4")
    caller.hears("orders/which_way").presses("1")
    caller.hears("orders/no_orders")
    caller.hears("orders/another_order").stays_silent()
    caller.hears("orders/main_menu").hangs_up()


def test_a_wrong_order_number_and_silence(dealer: Call) -> None:
    caller = dealer().presses("4")
    caller.hears("orders/which_way").presses("2")
    for attempt in range(3):
        caller.hears("orders/enter_order").presses("12#")
        if attempt < 2:
            caller.hears("orders/wrong_order")
    caller.hears("connecting").hangs_up()
    caller = dealer().presses("4")
    caller.hears("orders/which_way").presses("*")
    caller.hears("orders/main_menu").hangs_up()


# -- tasks, returns, goods sold across regions -----------------------------------------------------------


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_tasks_are_acknowledged_one_by_one(centre: Any, dealer: Call, language: str) -> None:
    caller = dealer(HENGRUN, language, tasks=True).presses("6")
    caller.hears("orders/which_task")
    caller.hears("orders/task_entry")
    caller.hears("orders/task_entry").presses("1")
    said = caller.hears("orders/task_text").text
    assert ("盘点库存" if language == "zh-CN" else "count your stock") in said
    caller.hears("orders/task_late")
    caller.hears("orders/acknowledge").presses("1")
    caller.hears("orders/acknowledged")
    caller.hears("orders/next_task").presses("1")
    caller.hears("orders/task_text")
    caller.hears("orders/acknowledge").presses("1")
    caller.hears("orders/acknowledged")
    caller.hears("orders/next_task").presses("1")
    caller.hears("orders/no_tasks")
    caller.hears("orders/main_menu").hangs_up()
    done = [one for one in centre.rows("orders.task", dealer="44010001") if one.acknowledged is not None]
    assert [one.how for one in done] == [HENGRUN, HENGRUN]
    assert len(centre.journal(caller, "flow.task_acknowledged")) == 2


def test_a_task_may_wait(centre: Any, dealer: Call) -> None:
    caller = dealer("+8613802880011", tasks=True).presses("6")
    caller.hears("orders/task_text")
    caller.hears("orders/acknowledge").presses("2")
    caller.hears("orders/main_menu").hangs_up()
    assert centre.one("orders.task", dealer="31010001").acknowledged is None


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(
    ("key", "reason"), [("1", "damaged"), ("2", "expiring"), ("3", "wrong"), ("4", "unsold")]
)
def test_a_return_gets_a_ticket_for_the_region(
    centre: Any, dealer: Call, language: str, key: str, reason: str
) -> None:
    order = centre.one("orders.order", dealer="44030002", state="received").number
    caller = dealer(language=language).presses("7")
    caller.hears("orders/more_menu").presses("1")
    caller.hears("orders/return_order").presses(f"{order}#")
    caller.hears("orders/enter_article").presses("10010001#")
    caller.hears("orders/return_cases").presses("301#")
    caller.hears("orders/return_too_many")
    caller.hears("orders/try_again").presses("1")
    caller.hears("orders/return_cases").presses("12#")
    caller.hears("orders/return_reason").presses(key)
    caller.hears("orders/add_words").presses("2")
    caller.hears("orders/return_opened")
    caller.hears("orders/main_menu").hangs_up()
    case = centre.one("orders.case")
    assert (case.kind, case.reason, case.cases, case.about, case.region) == (
        "return",
        reason,
        12,
        order,
        "华南",
    )
    ticket = centre.one("tickets", number=case.ticket)
    assert (ticket["kind"], ticket["group"], ticket["department"]) == ("return", "orders_huanan", "orders")


def test_words_may_be_added_to_a_return(centre: Any, dealer: Call) -> None:
    order = centre.one("orders.order", dealer="44030002", state="received").number
    caller = dealer().presses("7").says("3s")
    caller.hears("orders/more_menu").presses("1")
    caller.hears("orders/return_order").presses(f"{order}#")
    caller.hears("orders/enter_article").presses("10010001#")
    caller.hears("orders/return_cases").presses("1#")
    caller.hears("orders/return_reason").presses("1")
    caller.hears("orders/add_words").presses("1")
    caller.hears("orders/say_more")
    caller.hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("orders/return_opened").hangs_up()
    assert centre.one("orders.case").clip


def test_a_return_of_what_is_not_known(dealer: Call) -> None:
    caller = dealer().presses("7")
    caller.hears("orders/more_menu").presses("1")
    caller.hears("orders/return_order").presses("9999999999#")
    caller.hears("orders/no_such_order")
    caller.hears("orders/try_again").presses("2")
    caller.hears("orders/main_menu").hangs_up()


def test_an_article_of_a_return_that_is_not_known(centre: Any, dealer: Call) -> None:
    order = centre.one("orders.order", dealer="44030002", state="received").number
    caller = dealer().presses("7")
    caller.hears("orders/more_menu").presses("1")
    caller.hears("orders/return_order").presses(f"{order}#")
    caller.hears("orders/enter_article").presses("99999999#")
    caller.hears("orders/no_such_article")
    caller.hears("orders/try_again").presses("1")
    caller.hears("orders/enter_article").presses("10010001#")
    caller.hears("orders/return_cases").hangs_up()
    assert centre.rows("orders.case") == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_goods_sold_across_regions_are_reported_with_the_place_in_words(
    centre: Any, dealer: Call, language: str
) -> None:
    caller = dealer(language=language).presses("7").says("4s")
    caller.hears("orders/more_menu").presses("2")
    caller.hears("orders/diversion_article").presses("10020001#")
    caller.hears("orders/enter_batch").presses("20261103#")
    caller.hears("orders/say_where")
    caller.hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("orders/diversion_opened")
    caller.hears("orders/main_menu").hangs_up()
    case = centre.one("orders.case")
    assert (case.kind, case.article, case.about) == ("diversion", "10020001", "20261103")
    assert case.clip
    assert centre.one("notices")["group"] == "orders_huanan"


def test_a_report_without_words_counts_too(centre: Any, dealer: Call) -> None:
    caller = dealer().presses("7").says(0)
    caller.hears("orders/more_menu").presses("2")
    caller.hears("orders/diversion_article").presses("88888888#")
    caller.hears("orders/no_such_article")
    caller.hears("orders/try_again").presses("1")
    caller.hears("orders/diversion_article").presses("10020001#")
    caller.hears("orders/enter_batch").presses("1#")
    caller.hears("orders/wrong_batch")
    caller.hears("orders/enter_batch").presses("20261103#")
    caller.hears("orders/say_where")
    caller.hears_beep()
    said = caller.hears_next()
    while said._said.key != "orders/diversion_opened":
        said = caller.hears_next()
    assert centre.one("orders.case").clip == ""


def test_the_second_menu_leads_back(dealer: Call) -> None:
    caller = dealer().presses("7")
    caller.hears("orders/more_menu").presses("*")
    caller.hears("orders/main_menu").presses("7")
    caller.hears("orders/more_menu").stays_silent()
    caller.hears("silent")
    caller.hears("orders/more_menu").stays_silent()
    caller.hears("orders/main_menu").hangs_up()


# -- a person --------------------------------------------------------------------------------------------


def test_the_regions_supervisor_is_asked_first_and_sees_who_calls(centre: Any, dealer: Call) -> None:
    for other in ("8024", "8025", "8021", "8022"):
        centre.agent(other).ready()
    caller = dealer("+8613802880011", tasks=True).presses("0")
    caller.hears("connecting")
    centre.agent("8022").is_offered(caller).sees(
        region="华东", dealer="31010001", name="上海申浦商贸"
    ).answers()
    caller.talks_to(centre.agent("8022"))
    centre.agent("8022").hangs_up()
    caller.hears("bye")


def test_where_nobody_is_a_message_is_kept(centre: Any, dealer: Call) -> None:
    for agent in ("8021", "8022", "8023", "8024", "8025"):
        centre.agent(agent).logs_out()
    caller = dealer().presses("0").says("4s")
    caller.hears("connecting")
    caller.hears("orders/desk_busy")
    caller.hears("orders/later_menu").presses("2")
    caller.hears("leave_message")
    caller.hears_beep()
    caller.hears("orders/message_kept")
    caller.hears("bye")
    assert centre.one("messages")["box"] == "orders"


def test_a_call_back_that_may_not_be_dialled_becomes_a_message(centre: Any, dealer: Call) -> None:
    for agent in ("8021", "8022", "8023", "8024", "8025"):
        centre.agent(agent).logs_out()
    caller = dealer().presses("0").says(0)
    caller.hears("connecting")
    caller.hears("orders/desk_busy")
    caller.hears("orders/later_menu").presses("1")
    caller.hears("leave_message").hangs_up()


def test_outside_of_the_desks_hours_the_reason_is_told_and_a_message_offered(
    centre: Any, dealer: Call
) -> None:
    centre.closes("desk", "1h", "storm")
    caller = dealer().presses("0")
    caller.hears("storm")
    caller.hears("orders/later_menu").stays_silent()
    caller.hears("silent")
    caller.hears("orders/later_menu").stays_silent()
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"


# -- trouble ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "contract"),
    [("1", "OrderSystem"), ("2", "OrderSystem"), ("3", "Policies"), ("5", "OrderSystem"), ("6", "Desk")],
)
def test_a_system_that_hangs_is_apologised_for_and_a_person_helps(
    centre: Any, dealer: Call, key: str, contract: str
) -> None:
    caller = dealer()
    trouble = centre.adapter(f"orders.{contract}")
    trouble.hangs()
    caller.presses(key)
    if key in "15":
        caller.hears("orders/enter_article").presses("10010001#")
    caller.hears("orders/no_system")
    caller.hears("connecting").hangs_up()
    trouble.over()


def test_orders_and_returns_without_the_sales_system(centre: Any, dealer: Call) -> None:
    trouble = centre.adapter("orders.OrderSystem")
    for keys in (("4", "orders/which_way", "1"), ("4", "orders/which_way", "2"), ("7", "orders/more_menu", "1"),
                 ("7", "orders/more_menu", "2")):  # fmt: skip
        caller = dealer().presses(keys[0])
        caller.hears(keys[1]).presses(keys[2])
        trouble.raises(RuntimeError("down"))
        if keys[1:] != ("orders/which_way", "1"):
            said = caller.hears_next()
            assert said._said.key in ("orders/enter_order", "orders/return_order", "orders/diversion_article")
            caller.presses("2611000001#")
        caller.hears("orders/no_system")
        caller.hears("connecting").hangs_up()
        trouble.over()


def test_without_the_warehouse_the_price_is_told_alone(centre: Any, dealer: Call) -> None:
    centre.adapter("orders.Warehouse").raises(RuntimeError("down"))
    caller = dealer().presses("1")
    caller.hears("orders/enter_article").presses("10010001#")
    caller.hears("orders/article_price").hangs_up()


def test_without_the_sales_system_a_dealer_is_led_to_the_desk_at_once(centre: Any) -> None:
    centre.adapter("orders.OrderSystem").hangs()
    caller = centre.caller(number=HENGRUN).dials(LINE)
    caller.hears("orders/choose_language").presses("1")
    caller.hears("recorded_notice")
    caller.hears("orders/no_system")
    caller.hears("connecting").hangs_up()


def test_a_dealer_in_the_menu_outlives_the_engine(centre: Any, dealer: Call) -> None:
    caller = dealer()
    centre.engine.kill()
    centre.engine.start()
    caller.presses("2")
    caller.hears("orders/credit_text").hangs_up()
