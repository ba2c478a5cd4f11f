"""Ordinary conversations with the order desk, at each of whose commands three engines die: one row, one ticket, one
order for each of them, and the caller hears what he would have heard."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import update

from engine.hooks.loading import load_folder
from engine.testing.killer import Killer
from plugins.orders.tests.conftest import HAIFENG, HENGRUN, added

load_folder(Path(__file__).parents[1])
MODELS: Any = sys.modules["insideline_plugins.orders.models"]
Call = Callable[..., Any]


def changed(centre: Any, row: Any, **values: Any) -> None:
    centre.app.store.work(lambda session: session.execute(update(row).values(**values)), 5.0)


def test_whenever_an_engine_dies_the_dealer_has_one_of_each(
    centre: Any, dealer: Call, ordering: Call, read_back: Call
) -> None:
    with Killer(centre) as killer:
        _forgotten_draft(centre, ordering)
        _order(centre, read_back)
        _told_since(centre, dealer)
        _refused_and_reopened(centre, read_back)
        _cases_and_tasks(centre, dealer, read_back)
        _supervisor(centre)
    assert killer.spared("orders") == []
    assert killer.deaths == 3 * 15


def _forgotten_draft(centre: Any, ordering: Call) -> None:
    caller = ordering().presses("1")
    caller = added(caller, "10030001", 4).presses("4")
    caller.hears("orders/which_line")
    caller.hears("orders/line_entry").presses("1")
    caller.hears("orders/removed")
    caller.hears("orders/draft_text")
    assert [one.cases for one in centre.rows("orders.draft_line")] == [4]
    caller.hears("orders/draft_menu").presses("5")
    caller.hears("orders/forget_it").presses("1")
    caller.hears("orders/forgotten")
    caller.hears("orders/main_menu").hangs_up()
    assert centre.one("orders.draft").state == "dropped"


def _order(centre: Any, read_back: Call) -> None:
    caller = read_back().presses("1")
    number = caller.hears("orders/order_placed").values["number"]
    caller.hears("orders/order_placed")
    caller.hears("orders/main_menu").hangs_up()
    [order] = [row for row in centre.rows("orders.order") if not row.key.startswith("sample-")]
    assert (order.number, order.total) == (number, Decimal("355.00"))
    assert [one.reserved for one in centre.rows("orders.article") if one.reserved] == [10]
    assert centre.one("orders.draft", number=number).state == "ordered"


def _told_since(centre: Any, dealer: Call) -> None:
    """An order that was settled behind the dealer's back is told in one call, and in no other."""
    changed(centre, MODELS.DraftRow, told=True)
    changed(centre, MODELS.DraftRow, told=False, state="ordered", number="2611000099")
    for _ in centre.rows("orders.draft", told=False):
        caller = centre.caller(number=HAIFENG).dials("8001")
        caller.hears("orders/choose_language").presses("1")
        caller.hears("recorded_notice")
        caller.hears("orders/hello")
        caller.hears("orders/placed_since")
        caller.hears("orders/placed_since")
        caller.hears("orders/main_menu").hangs_up()
    dealer().hangs_up()
    assert centre.rows("orders.draft", told=False) == []


def _refused_and_reopened(centre: Any, read_back: Call) -> None:
    caller = read_back()
    changed(centre, MODELS.DealerRow, outstanding=Decimal(90_000_00))
    caller.presses("1")
    caller.hears("orders/account_changed")
    caller.hears("orders/way_on").hangs_up()
    [draft] = centre.rows("orders.draft", state="open")
    assert draft.attempt == 1


def _cases_and_tasks(centre: Any, dealer: Call, read_back: Call) -> None:
    """Beyond the credit, a return, goods across regions; and what head office asks for."""
    caller = dealer(draft=True).presses("1")
    caller.hears("orders/draft_text")
    caller.hears("orders/draft_menu").presses("2")
    caller.hears("orders/order_line")
    caller.hears("orders/order_total")
    caller.hears("orders/short_refusal")
    caller.hears("orders/exception_menu").presses("1")
    caller.hears("orders/exception_asked")
    caller.hears("orders/main_menu").presses("7")
    caller.hears("orders/more_menu").presses("1")
    caller.hears("orders/return_order").presses("2611000005#")
    caller.hears("orders/enter_article").presses("10010001#")
    caller.hears("orders/return_cases").presses("2#")
    caller.hears("orders/return_reason").presses("1")
    caller.hears("orders/add_words").presses("2")
    caller.hears("orders/return_opened")
    caller.hears("orders/main_menu").presses("7")
    caller.hears("orders/more_menu").presses("2")
    caller.hears("orders/diversion_article").presses("10010001#")
    caller.hears("orders/enter_batch").presses("20261101#")
    caller.says("5s").hears("orders/say_where").hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("orders/diversion_opened")
    caller.hears("orders/main_menu").hangs_up()
    cases = centre.rows("orders.case")
    assert sorted(one.kind for one in cases) == ["diversion", "exception", "return"]
    tickets = centre.rows("tickets", department="orders")
    assert {one["number"]: one["kind"] for one in tickets} == {one.ticket: one.kind for one in cases}
    caller = dealer(HENGRUN, tasks=True).presses("6")
    caller.hears("orders/which_task")
    caller.hears("orders/task_entry").presses("1")
    caller.hears("orders/task_text")
    caller.hears("orders/task_late")
    caller.hears("orders/acknowledge").presses("1")
    caller.hears("orders/acknowledged").hangs_up()
    assert len([one for one in centre.rows("orders.task") if one.acknowledged]) == 1


def _supervisor(centre: Any) -> None:
    caller = centre.caller(number="+8613900000099").dials("8011")
    caller.hears("orders/choose_language").presses("1")
    caller.hears("recorded_notice")
    for _ in range(3):  # a PIN dies with the engine that had asked for it
        caller.hears("orders/enter_agent").presses("8021#")
        caller.hears("orders/enter_pin").presses("4821#")
    for said in ("hello_supervisor", "figures_text", "figures_late", "waiting_text"):
        caller.hears(f"orders/{said}")
    caller.hears("orders/supervisor_menu").presses("2")
    caller.hears("orders/exception_text")
    caller.hears("orders/exception_verdict").presses("1")
    caller.hears("orders/approved")
    caller.hears("orders/supervisor_menu").hangs_up()
    assert centre.one("orders.case", kind="exception").state == "approved"
    assert sorted(one.what for one in centre.rows("orders.act")) == ["approved", "heard"]
