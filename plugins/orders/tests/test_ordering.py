"""Placing an order by phone: put together, read back, confirmed; one number, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from plugins.orders.tests.conftest import DIANYUAN, HAIFENG, XILING, added

Call = Callable[..., Any]


def placed(centre: Any) -> list[Any]:
    return [row for row in centre.rows("orders.order") if not row.key.startswith("sample-")]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_several_lines_become_one_order_with_stock_reserved(
    centre: Any, ordering: Call, language: str
) -> None:
    caller = ordering(language=language).presses("1")
    added(caller, "10030001", 4).presses("2")
    caller.hears("orders/order_line")
    caller.hears("orders/order_line")
    caller.hears("orders/order_total")
    caller.hears("orders/place_it").presses("1")
    caller.hears("orders/order_placed")
    caller.hears("orders/order_placed")
    caller.hears("orders/main_menu").hangs_up()
    [order] = placed(centre)
    assert order.total == Decimal("639.00")  # 10 x 35.50 + 4 x 71.00
    assert (order.policy, order.version) == ("HN-2026Q4", 3)
    assert [one.reserved for one in centre.rows("orders.article") if one.reserved] == [10, 4]
    assert centre.one("orders.reservation").number == order.number
    assert centre.one("orders.draft").state == "ordered"
    [ordered] = centre.journal(caller, "flow.ordered")
    assert ordered.data["number"] == order.number


def test_the_amounts_are_said_in_yuan_jiao_and_fen(ordering: Call) -> None:
    caller = ordering(cases=3).presses("2")
    assert "三箱" in caller.hears("orders/order_line").text
    assert "一百零六元五角" in caller.hears("orders/order_total").text


def test_the_policy_takes_off_what_it_says_and_tells_the_version(ordering: Call) -> None:
    caller = ordering(cases=1000).presses("2")
    caller.hears("orders/order_line")
    assert "三万五千五百元" in caller.hears("orders/goods_text").text
    assert "第三版" in caller.hears("orders/discount_text").text
    assert "三万四千七百九十元" in caller.hears("orders/order_total").text
    assert "一千零四十三元七角" in caller.hears("orders/order_rebate").text
    caller.hears("orders/place_it").hangs_up()


def test_hanging_up_before_the_confirmation_leaves_a_draft_and_no_order(centre: Any, read_back: Call) -> None:
    read_back().hangs_up()
    assert placed(centre) == []
    assert centre.one("orders.draft").state == "open"
    assert all(one.reserved == 0 for one in centre.rows("orders.article"))


def test_whoever_is_cut_off_goes_on_where_he_was(centre: Any, ordering: Call, dealer: Call) -> None:
    ordering().hangs_up()
    caller = dealer(draft=True).presses("1")
    caller.hears("orders/draft_text")
    caller.hears("orders/draft_menu").presses("2")
    caller.hears("orders/order_line")
    caller.hears("orders/order_total")
    caller.hears("orders/place_it").presses("1")
    caller.hears("orders/order_placed").hangs_up()
    assert placed(centre)[0].total == Decimal("355.00")


@pytest.mark.parametrize("pause", [0, 0.02, 0.04, 0.06, 0.1, 0.5])
def test_whenever_the_line_breaks_after_the_confirmation_it_is_one_order_or_a_draft(
    centre: Any, read_back: Call, pause: float
) -> None:
    caller = read_back().presses("1")
    centre.virtual.sleep(pause)
    caller.hangs_up()
    centre.clock.advance("1m")
    draft = centre.one("orders.draft")
    assert (draft.state, len(placed(centre))) in (("ordered", 1), ("open", 0))
    if pause > 0.05:
        assert draft.state == "ordered"


def test_what_was_confirmed_when_the_engine_died_and_the_line_broke_is_placed_by_the_next_engine(
    centre: Any, read_back: Call
) -> None:
    caller = read_back()
    draft = centre.one("orders.draft")
    centre.engine.kill()
    caller.hangs_up()
    centre.engine.start()
    changed(
        centre,
        f"UPDATE orders_draft SET state = 'submitted', attempt = 1, total = 35500 WHERE id = {draft.id}",
    )
    centre.clock.advance("1m")
    assert placed(centre)[0].total == Decimal("355.00")
    assert centre.one("orders.draft").state == "ordered"


def test_what_was_confirmed_and_is_not_known_yet_is_told_in_the_next_call(
    centre: Any, ordering: Call
) -> None:
    ordering().hangs_up()
    changed(centre, "UPDATE orders_draft SET state = 'submitted', attempt = 1, total = 35500")
    caller = centre.caller(number=HAIFENG).dials("8001")
    caller.hears("orders/choose_language").presses("1")
    caller.hears("recorded_notice")
    caller.hears("orders/hello")
    caller.hears("orders/earlier")
    said = caller.hears("orders/order_placed")
    centre.clock.advance("1m")
    [order] = placed(centre)
    assert said.values["number"] == order.number


@pytest.mark.parametrize("pause", ["0s", "1s", "20ms", "50ms"])
def test_killed_after_the_confirmation_it_has_ordered_once_and_tells_the_number(
    centre: Any, read_back: Call, pause: str
) -> None:
    caller = read_back()
    caller.presses("1")
    if pause != "0s":
        centre.clock.advance(pause)
    centre.engine.kill()
    centre.engine.start()
    said = caller.hears("orders/order_placed")
    [order] = placed(centre)
    assert said.values["number"] == order.number
    caller.hangs_up()


def test_more_than_there_is_is_told_and_the_rest_is_offered(centre: Any, dealer: Call) -> None:
    caller = dealer().presses("5")
    caller.hears("orders/enter_article").presses("10020002#")
    caller.hears("orders/enter_quantity").presses("500#")
    assert "一百五十箱" in caller.hears("orders/only_so_many").text
    caller.presses("1")
    assert "一百五十箱" in caller.hears("orders/added").text
    caller.hears("orders/draft_text")
    caller.hears("orders/draft_menu").hangs_up()
    assert centre.one("orders.draft_line").cases == 150


def test_more_than_there_is_may_be_typed_again_or_left(dealer: Call) -> None:
    caller = dealer().presses("5")
    caller.hears("orders/enter_article").presses("10020002#")
    caller.hears("orders/enter_quantity").presses("500#")
    caller.hears("orders/only_so_many").presses("2")
    caller.hears("orders/enter_quantity").presses("151#")
    caller.hears("orders/only_so_many").presses("*")
    caller.hears("orders/main_menu").hangs_up()


def test_an_article_that_is_out_of_stock_is_told_with_the_day(dealer: Call) -> None:
    caller = dealer().presses("5")
    caller.hears("orders/enter_article").presses("10030002#")
    assert "十一月二十八日" in caller.hears("orders/article_coming").text
    caller.hears("orders/try_again").presses("1")
    caller.hears("orders/enter_article").presses("99999999#")
    caller.hears("orders/no_such_article")
    caller.hears("orders/try_again").presses("2")
    caller.hears("orders/main_menu").hangs_up()


def test_stock_that_was_sold_meanwhile_is_refused_with_the_reason(
    centre: Any, seed: Any, read_back: Call
) -> None:
    caller = read_back(article="10020002", cases=100)
    changed(centre, "UPDATE orders_article SET reserved = 100 WHERE code = '10020002'")
    caller.presses("1")
    assert "五十箱" in caller.hears("orders/no_stock").text
    caller.hears("orders/way_on").presses("2")
    caller.hears("orders/draft_text")
    caller.hears("orders/draft_menu").hangs_up()
    assert placed(centre) == []
    assert centre.one("orders.article", code="10020002").reserved == 100


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_beyond_the_credit_the_reason_is_told_and_a_supervisor_may_let_it_pass(
    centre: Any, ordering: Call, dealer: Call, supervisor: Call, language: str
) -> None:
    caller = ordering(DIANYUAN, "10010001", 30, language=language, tasks=True).presses("2")
    caller.hears("orders/order_line")
    caller.hears("orders/order_total")
    said = caller.hears("orders/short_refusal")
    assert said.values["order.short"] == Decimal("160.00")
    caller.hears("orders/exception_menu").presses("1")
    caller.hears("orders/exception_asked").hangs_up()
    case = centre.one("orders.case")
    assert (case.kind, case.reason, case.amount, case.region) == (
        "exception",
        "credit",
        Decimal("160.00"),
        "西南",
    )
    assert centre.one("tickets", number=case.ticket)["group"] == "orders_xinan"

    boss = supervisor("8023", "4823", language).presses("2")
    boss.hears("orders/exception_text")
    boss.hears("orders/exception_verdict").presses("1")
    boss.hears("orders/approved")
    boss.hears("orders/supervisor_menu").hangs_up()
    assert centre.one("orders.case").state == "approved"
    assert centre.one("tickets", number=case.ticket)["state"] == "solved"
    assert [act.what for act in centre.rows("orders.act")] == ["heard", "approved"]
    [approved] = centre.journal(boss, "flow.approved")
    assert approved.data["agent"] == "8023"

    caller = dealer(DIANYUAN, language, draft=True).presses("1")
    caller.hears("orders/draft_text")
    caller.hears("orders/draft_menu").presses("2")
    caller.hears("orders/order_line")
    caller.hears("orders/order_total")
    caller.hears("orders/granted_text")
    caller.hears("orders/place_it").presses("1")
    caller.hears("orders/order_placed").hangs_up()
    [order] = placed(centre)
    assert (order.total, order.approved_by) == (Decimal("1080.00"), "8023")


def test_an_exception_that_was_refused_or_waits_is_told(
    ordering: Call, dealer: Call, supervisor: Call
) -> None:
    def checked() -> Any:
        caller = dealer(DIANYUAN, draft=True).presses("1")
        caller.hears("orders/draft_text")
        caller.hears("orders/draft_menu").presses("2")
        caller.hears("orders/order_line")
        caller.hears("orders/order_total")
        return caller.hears("orders/short_refusal")

    caller = ordering(DIANYUAN, "10010001", 30, tasks=True).presses("2")
    caller.hears("orders/order_line")
    caller.hears("orders/order_total")
    caller.hears("orders/short_refusal")
    caller.hears("orders/exception_menu").presses("1")
    caller.hears("orders/exception_asked").hangs_up()
    caller = checked()
    caller.hears("orders/exception_waits")
    caller.hears("orders/refusal_menu").hangs_up()
    boss = supervisor("8023", "4823").presses("2")
    boss.hears("orders/exception_text")
    boss.hears("orders/exception_verdict").presses("2")
    boss.hears("orders/refused_exception")
    boss.hears("orders/supervisor_menu").presses("2")
    boss.hears("orders/none_waits").hangs_up()
    caller = checked()
    caller.hears("orders/exception_refused")
    caller.hears("orders/refusal_menu").presses("2")
    caller.hears("orders/draft_text").hangs_up()


def test_whoever_is_far_too_late_is_refused_and_the_supervisor_is_a_key_away(
    centre: Any, ordering: Call
) -> None:
    agent = centre.agent("8022").ready()
    caller = ordering(XILING, "10010001", 10).presses("2")
    caller.hears("orders/order_line")
    caller.hears("orders/order_total")
    assert "逾期七十五天" in caller.hears("orders/late_refusal").text
    caller.hears("orders/exception_menu").presses("0")
    caller.hears("connecting")
    agent.is_offered(caller).sees(region="华东", dealer="33010003").answers()
    caller.talks_to(agent)
    agent.hangs_up()
    caller.hears("bye")


def test_a_draft_can_be_heard_changed_and_forgotten(centre: Any, ordering: Call) -> None:
    caller = ordering().presses("1")
    added(caller, "10030001", 4).presses("3")
    caller.hears("orders/draft_line")
    caller.hears("orders/draft_line")
    caller.hears("orders/draft_text")
    caller.hears("orders/draft_menu").presses("4")
    caller.hears("orders/which_line")
    caller.hears("orders/line_entry")
    caller.hears("orders/line_entry").presses("1")
    caller.hears("orders/removed")
    caller.hears("orders/draft_text")
    assert centre.one("orders.draft_line").article == "10030001"
    caller.hears("orders/draft_menu").presses("5")
    caller.hears("orders/forget_it").presses("2")
    caller.hears("orders/draft_text")
    caller.hears("orders/draft_menu").presses("5")
    caller.hears("orders/forget_it").presses("1")
    caller.hears("orders/forgotten")
    caller.hears("orders/main_menu").hangs_up()
    assert centre.one("orders.draft").state == "dropped"


def test_the_last_line_removed_leads_back(ordering: Call) -> None:
    caller = ordering().presses("4")
    caller.hears("orders/which_line")
    caller.hears("orders/line_entry").presses("1")
    caller.hears("orders/removed")
    caller.hears("orders/main_menu").hangs_up()


def test_not_confirmed_it_can_be_changed_and_silence_keeps_it(ordering: Call, read_back: Call) -> None:
    caller = read_back().presses("2")
    caller.hears("orders/draft_text")
    caller.hears("orders/draft_menu").presses("2")
    caller.hears("orders/order_line")
    caller.hears("orders/order_total")
    for attempt in range(3):
        caller.hears("orders/place_it").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("orders/draft_kept")
    caller.hears("orders/main_menu").hangs_up()


@pytest.mark.parametrize("step", ["orders/enter_article", "orders/enter_quantity"])
def test_whoever_types_nothing_keeps_the_draft(dealer: Call, step: str) -> None:
    caller = dealer().presses("5")
    if step == "orders/enter_quantity":
        caller.hears("orders/enter_article").presses("10010001#")
    for attempt in range(3):
        caller.hears(step).stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("orders/draft_kept")
    caller.hears("orders/main_menu").hangs_up()


def test_no_cases_are_no_order(dealer: Call) -> None:
    caller = dealer().presses("5")
    caller.hears("orders/enter_article").presses("10010001#")
    caller.hears("orders/enter_quantity").presses("0#")
    caller.hears("orders/wrong_quantity")
    caller.hears("orders/enter_quantity").presses("1#")
    caller.hears("orders/added").hangs_up()


def test_a_price_that_changed_since_the_read_back_is_told_and_nothing_is_placed(
    centre: Any, read_back: Call
) -> None:
    caller = read_back()
    with_price(centre, "10010001", "36.10")
    caller.presses("1")
    caller.hears("orders/prices_changed")
    caller.hears("orders/way_on").presses("1")
    caller.hears("orders/order_line")
    caller.hears("orders/order_total")
    caller.hears("orders/place_it").presses("1")
    caller.hears("orders/order_placed").hangs_up()
    assert placed(centre)[0].total == Decimal("361.00")


def test_credit_that_went_meanwhile_is_told(centre: Any, read_back: Call) -> None:
    caller = read_back()
    changed(centre, "UPDATE orders_dealer SET outstanding = credit WHERE code = '44030002'")
    caller.presses("1")
    caller.hears("orders/account_changed")
    caller.hears("orders/way_on").presses("1")
    caller.hears("orders/order_line")
    caller.hears("orders/order_total")
    caller.hears("orders/short_refusal").hangs_up()
    assert placed(centre) == []


def test_an_account_that_was_closed_meanwhile_leads_to_the_supervisor(centre: Any, read_back: Call) -> None:
    caller = read_back()
    changed(centre, "UPDATE orders_dealer SET active = 0 WHERE code = '44030002'")
    caller.presses("1")
    caller.hears("orders/inactive")
    caller.hears("connecting").hangs_up()
    assert placed(centre) == []
    assert centre.one("orders.draft").state == "open"


def test_an_article_that_is_sold_no_more_is_told(centre: Any, ordering: Call) -> None:
    caller = ordering()
    changed(centre, "DELETE FROM orders_price WHERE article = '10010001'")
    caller.presses("2")
    caller.hears("orders/not_sold")
    caller.hears("orders/draft_text").hangs_up()


@pytest.mark.parametrize("contract", ["OrderSystem", "Warehouse"])
def test_when_a_system_is_silent_at_the_order_it_is_not_placed_and_the_draft_is_kept(
    centre: Any, read_back: Call, contract: str
) -> None:
    caller = read_back()
    trouble = centre.adapter(f"orders.{contract}")
    trouble.raises(RuntimeError("down"))
    caller.presses("1")
    caller.hears("orders/not_placed")
    caller.hears("connecting").hangs_up()
    trouble.over()
    assert placed(centre) == []
    assert centre.one("orders.draft").state == "open"
    assert all(one.reserved == 0 for one in centre.rows("orders.article"))


def test_what_another_call_of_the_dealer_has_ordered_meanwhile_is_told(centre: Any, read_back: Call) -> None:
    caller = read_back()
    changed(centre, "UPDATE orders_draft SET state = 'ordered', held_by = NULL")
    caller.presses("1")
    caller.hears("orders/gone")
    caller.hears("orders/main_menu").hangs_up()
    assert placed(centre) == []


def with_price(centre: Any, article: str, price: str) -> None:
    changed(centre, f"UPDATE orders_price SET price = {Decimal(price) * 100:.0f} WHERE article = '{article}'")


def changed(centre: Any, statement: str) -> None:
    from sqlalchemy import text

    centre.app.store.work(lambda session: session.execute(text(statement)) and None, 10.0)
