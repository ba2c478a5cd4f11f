"""What the sales system must answer: tried on the desk's own tables (SQLite, PostgreSQL), and over http."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.api import Refused
from engine.hooks.loading import load_folder
from engine.testing.contract import contract

TODAY = date(2026, 11, 23)
HENGRUN = "44010001"
PLUGIN = load_folder(Path(__file__).parents[1])

system = contract("OrderSystem", PLUGIN.department, today=TODAY)


@pytest.fixture
def quote(system: Any) -> Callable[..., Any]:
    """A quote of one line, as the desk reckons it."""

    def made(dealer: str = HENGRUN, article: str = "10010001", cases: int = 10, **more: Any) -> Any:
        price = system.price(article, dealer=dealer)
        amount = price.price * cases
        line = {
            "article": article,
            "name": price.name,
            "cases": cases,
            "price": price.price,
            "amount": amount,
        }
        values = {
            "draft": 1,
            "dealer": dealer,
            "lines": [line],
            "cases": cases,
            "goods": amount,
            "discount": Decimal(0),
            "rebate": Decimal(0),
            "total": amount,
            "policy": "HN-2026Q4",
            "version": 3,
            "allowance": Decimal(0),
            "excused": False,
            "approved_by": "",
        }
        return PLUGIN.selling.Quote.model_validate({**values, **more})

    return made


def test_a_dealer_is_known_by_the_code(system: Any) -> None:
    dealer = system.dealer(HENGRUN)
    assert (dealer.name, dealer.region, dealer.tier, dealer.active) == (
        "广州恒润商贸",
        "华南",
        "diamond",
        True,
    )
    assert system.dealer("99999999") is None


def test_the_account_has_credit_and_arrears_to_the_fen(system: Any) -> None:
    account = system.account(HENGRUN, today=TODAY)
    assert (account.credit, account.arrears, account.days) == (Decimal("200000.00"), Decimal("36480.50"), 31)
    assert account.outstanding + account.left == account.credit
    assert not account.blocked
    assert (account.payment, account.paid_on) == (Decimal("21000.00"), date(2026, 11, 20))
    assert system.account("33010003", today=TODAY).blocked
    assert system.account("99999999", today=TODAY) is None


def test_an_article_costs_what_the_dealers_tier_pays(system: Any) -> None:
    assert system.price("10010001", dealer=HENGRUN).price == Decimal("35.00")
    assert system.price("10010001", dealer="44030002").price == Decimal("35.50")
    assert system.price("10010001", dealer="45010003").price == Decimal("36.00")
    assert system.price("99999999", dealer=HENGRUN) is None


def test_an_order_is_seen_by_its_own_dealer_only(system: Any) -> None:
    newest, late, paid, old = system.recent(HENGRUN, today=TODAY, most=8)
    assert (newest.state, late.state, paid.state, old.state) == ("accepted", "picked", "shipped", "received")
    assert (late.late_days, late.cause, paid.waybill) == (2, "vehicle", "44018004")
    assert (paid.paid, paid.paid_on) == (paid.total, date(2026, 11, 20))
    assert system.order(paid.number, dealer=HENGRUN, today=TODAY) == paid
    assert system.order(paid.number, dealer="44030002", today=TODAY) is None
    assert system.order("9999999999", dealer=HENGRUN, today=TODAY) is None
    assert system.recent(HENGRUN, today=TODAY, most=1) == [newest]


def test_an_order_gets_one_number_for_its_key_and_stands_on_the_account(
    system: Any, quote: Callable[..., Any]
) -> None:
    before = system.account(HENGRUN, today=TODAY)
    number = system.post(quote(cases=100), today=TODAY, key="k1")
    assert number.startswith("2611")
    assert system.post(quote(cases=100), today=TODAY, key="k1") == number
    after = system.account(HENGRUN, today=TODAY)
    assert after.outstanding - before.outstanding == Decimal("3500.00")
    assert system.order(number, dealer=HENGRUN, today=TODAY).total == Decimal("3500.00")


def test_beyond_the_credit_it_refuses_and_says_how_much_is_lacking(
    system: Any, quote: Callable[..., Any]
) -> None:
    left = system.account("53010003", today=TODAY).left
    assert left == Decimal("920.00")
    with pytest.raises(Refused) as refused:
        system.post(quote("53010003", cases=30), today=TODAY, key="k2")
    assert refused.value.reason == "credit"
    assert Decimal(str(refused.value.details["short"])) == Decimal("160.00")
    assert system.account("53010003", today=TODAY).left == left


def test_what_a_supervisor_granted_goes_beyond_the_credit(system: Any, quote: Callable[..., Any]) -> None:
    number = system.post(
        quote("53010003", cases=30, allowance=Decimal("160.00"), approved_by="8023"), today=TODAY, key="k3"
    )
    assert system.order(number, dealer="53010003", today=TODAY).total == Decimal("1080.00")
    assert system.account("53010003", today=TODAY).left == 0


def test_whoever_is_too_late_gets_nothing_until_excused(system: Any, quote: Callable[..., Any]) -> None:
    with pytest.raises(Refused) as refused:
        system.post(quote("33010003"), today=TODAY, key="k4")
    assert (refused.value.reason, refused.value.details["days"]) == ("arrears", 75)
    assert system.post(quote("33010003", excused=True), today=TODAY, key="k4")


@pytest.mark.parametrize(
    "wrong",
    [
        {"total": Decimal("1.00")},
        {"goods": Decimal("349.99"), "total": Decimal("349.99")},
        {"discount": Decimal("400.00"), "total": Decimal("-50.00")},
        {"lines": [], "goods": Decimal(0), "total": Decimal(0)},
    ],
)
def test_what_costs_something_else_is_refused(
    system: Any, quote: Callable[..., Any], wrong: dict[str, Any]
) -> None:
    with pytest.raises(Refused, match="changed"):
        system.post(quote(**wrong), today=TODAY, key="k5")
    assert len(system.recent(HENGRUN, today=TODAY, most=9)) == 4


def test_a_dealer_who_is_not_sold_to_is_refused(system: Any, quote: Callable[..., Any]) -> None:
    with pytest.raises(Refused, match="blocked"):
        system.post(quote("52010004"), today=TODAY, key="k6")
    with suppress(Refused):
        system.post(quote(dealer="99999999"), today=TODAY, key="k7")


def test_supervisors_see_what_is_late_in_their_region_the_worst_first(system: Any) -> None:
    assert [one.dealer for one in system.overdue(region="华南", today=TODAY)] == [HENGRUN, "45010003"]
    assert len(system.overdue(region="", today=TODAY)) == 4
    late = system.unshipped(region="华南", today=TODAY)
    assert [(one.days, one.cause, one.person) for one in late] == [
        (4, "stock", "黄志远"),
        (2, "vehicle", "黄志远"),
    ]


def test_figures_agree_with_what_they_count(system: Any) -> None:
    figures = system.figures(region="华南", today=TODAY)
    late = system.overdue(region="华南", today=TODAY)
    assert (figures.overdue, figures.overdue_amount) == (len(late), sum(one.amount for one in late))
    assert figures.unshipped == len(system.unshipped(region="华南", today=TODAY))
    assert figures.orders_today == 0
    assert system.figures(region="华北", today=TODAY).total_month == 0
