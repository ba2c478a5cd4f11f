"""What every system of customers must answer: quotes, leads, follow-ups, addresses."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.api import Refused
from engine.hooks.loading import load_folder
from engine.testing.contract import contract

PACKAGE = load_folder(Path(__file__).parents[1]).__package__
customers, prices = import_module(f"{PACKAGE}.customers"), import_module(f"{PACKAGE}.prices")
TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
WHO = customers.Who(number="+8613922200009", name="周敏", tier="diamond")
QUOTE = prices.Quote(
    origin="广州", destination="成都", version=7, weight=Decimal(120), volume=Decimal("0.8"),
    lines=[prices.Line(kind="freight_volume", amount=Decimal("312.00"))], total=Decimal("312.00"),
)  # fmt: skip
system = contract("Customers", today=TODAY)


def kept(system: Any, key: str = "q", **values: Any) -> int:
    return int(
        system.keep_quote(QUOTE, values.get("who", WHO), now=NOW, call_on=TODAY + timedelta(days=1), key=key)
    )


def mine(system: Any) -> list[Any]:
    return [one for one in system.followups(until=date.max) if one.customer == WHO.number]


def test_a_quote_makes_a_lead_with_a_day(system: Any) -> None:
    quote = kept(system)
    [lead] = mine(system)
    assert (lead.kind, lead.quote, lead.due, lead.tier) == (
        "lead",
        quote,
        TODAY + timedelta(days=1),
        "diamond",
    )
    assert [one for one in system.followups(until=TODAY) if one.customer == WHO.number] == []
    assert [(one.id, one.total) for one in system.quotes(since=NOW)] == [(quote, Decimal(312))]


def test_who_withheld_the_number_is_no_lead(system: Any) -> None:
    kept(system, who=customers.Who(number="", name="", tier="ordinary"))
    assert mine(system) == []


def test_a_newer_quote_is_what_the_same_lead_is_about(system: Any) -> None:
    kept(system)
    newer = kept(system, "r")
    assert [one.quote for one in mine(system)] == [newer]


def test_an_order_wins_the_lead(system: Any) -> None:
    quote = kept(system)
    assert system.ordered(quote, "70000001", now=NOW, key="o") is True
    assert mine(system) == []
    [done] = [one for one in system.done_followups(since=NOW) if one.customer == WHO.number]
    assert (done.outcome, done.quote) == ("won", quote)
    assert system.quotes(since=NOW)[0].pickup == "70000001"
    assert system.ordered(999999, "70000001", now=NOW, key="p") is False


def test_an_outcome_settles_a_follow_up_once_and_says_when_the_next_is(system: Any) -> None:
    kept(system)
    [lead] = mine(system)
    again = TODAY + timedelta(days=7)
    done = system.settle(lead.id, "satisfied", "all well", "8012", now=NOW, again=again, key="s")
    assert (done.outcome, done.note, done.by) == ("satisfied", "all well", "8012")
    assert [(one.kind, one.due) for one in mine(system)] == [("care", again)]
    with pytest.raises(Refused, match="done"):
        system.settle(lead.id, "lost", "", "8012", now=NOW, again=None, key="t")
    with pytest.raises(Refused, match="unknown"):
        system.settle(999999, "lost", "", "8012", now=NOW, again=None, key="u")


def test_a_customer_is_followed_once_for_one_kind(system: Any) -> None:
    first = system.follow(WHO, "care", TODAY + timedelta(days=7), key="a")
    assert system.follow(WHO, "care", TODAY + timedelta(days=30), key="b") == first
    assert [one.due for one in mine(system)] == [TODAY + timedelta(days=30)]


def test_addresses_come_back_the_one_used_last_first(system: Any) -> None:
    known = system.addresses("+8613922200001")
    assert [one.district for one in known] == ["天河", "番禺"]
    system.keep_address("+8613922200001", known[1], now=NOW, key="a")
    assert [one.district for one in system.addresses("+8613922200001")] == ["番禺", "天河"]
    system.keep_address(
        "+8613922200001",
        known[0].model_copy(update={"line": "五山路1号"}),
        now=NOW + timedelta(hours=1),
        key="b",
    )
    assert next(one.line for one in system.addresses("+8613922200001")) == "五山路1号"
    assert len(system.addresses("+8613922200001")) == 3
    assert system.addresses("+8613900000000") == []
