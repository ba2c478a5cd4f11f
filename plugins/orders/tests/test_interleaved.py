"""Orders that meet: whatever comes in whatever order, from several calls at once, stock and credit are never overdrawn
and all sums agree. On both databases."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from gevent import monkey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import NullPool, StaticPool, create_engine, event, func, select
from sqlalchemy.orm import Session

from engine.api import Context, Refused
from engine.hooks.loading import load_folder

PLUGIN = load_folder(Path(__file__).parents[1])
MODELS: Any = sys.modules["insideline_plugins.orders.models"]
SELLING: Any = PLUGIN.selling
TODAY = date(2026, 11, 23)
DEALERS = ("44010001", "53010003", "50010002")
ARTICLES = ("10010001", "10020002", "10030001")


def filled(url: str) -> Any:
    engine = create_engine(url, poolclass=StaticPool if url == "sqlite://" else NullPool)
    PLUGIN.department.models.create_all(engine)
    with Session(engine) as session:
        PLUGIN.department.sample(session, TODAY)
        session.commit()
    return engine


class Desk:
    """The handler ``orders.place`` as the engine runs it over sql: one transaction for each order."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine

    def place(self, dealer: str, wanted: list[tuple[str, int]], key: str) -> str:
        """The number, or why it was refused."""
        with Session(self.engine) as session:
            adapters = {
                one.contract: (lambda made=one.sql: made(session))
                for one in PLUGIN.department.adapters
                if one.sql is not None
            }
            from datetime import UTC, datetime

            ctx = Context(now=datetime(2026, 11, 23, 1, tzinfo=UTC), log=None, key=key, adapters=adapters)
            sales = ctx.adapter(PLUGIN.OrderSystem)
            lines = []
            for article, cases in wanted:
                price = sales.price(article, dealer=dealer).price
                lines.append(
                    {
                        "article": article,
                        "name": "x",
                        "cases": cases,
                        "price": price,
                        "amount": price * cases,
                    }
                )
            total = sum((one["amount"] for one in lines), Decimal(0))
            quote = SELLING.Quote.model_validate(
                {
                    "draft": 0, "dealer": dealer, "lines": lines,
                    "cases": sum(cases for _, cases in wanted), "goods": total, "discount": 0, "rebate": 0,
                    "total": total, "policy": "", "version": 0, "allowance": 0, "excused": False, "approved_by": "",
                }
            )  # fmt: skip
            try:
                number = str(SELLING.place(ctx, quote, key, total))
                session.commit()
            except Refused as refused:
                session.rollback()
                return refused.reason
            return number

    def check(self) -> None:
        """Nothing is negative, and every sum is that of its parts."""
        with Session(self.engine) as session:
            held = dict(
                session.execute(
                    select(MODELS.Part.article, func.sum(MODELS.Part.cases))
                    .join(MODELS.Reservation, MODELS.Reservation.id == MODELS.Part.reservation)
                    .where(MODELS.Reservation.state != "released")
                    .group_by(MODELS.Part.article)
                ).all()
            )
            for article in session.scalars(select(MODELS.Article)):
                assert 0 <= article.reserved <= article.stock
                assert article.reserved == held.get(article.code, 0)
            owed: dict[str, Decimal] = {}
            for order in session.scalars(select(MODELS.Order)):
                assert order.total == order.goods - order.discount
                assert order.goods == sum(line.amount for line in order.lines)
                owed[order.dealer] = owed.get(order.dealer, Decimal(0)) + order.total - order.paid
            for dealer in session.scalars(select(MODELS.DealerRow)):
                assert dealer.outstanding == owed.get(dealer.code, Decimal(0))
                assert dealer.outstanding <= dealer.credit
            numbers = session.scalars(select(MODELS.Order.number)).all()
            assert len(set(numbers)) == len(numbers)
            reserved = session.scalar(
                select(func.count(MODELS.Reservation.id)).where(MODELS.Reservation.state == "confirmed")
            )
            placed = session.scalar(
                select(func.count(MODELS.Order.id)).where(MODELS.Order.key.not_like("sample-%"))
            )
            assert reserved == placed  # never half an order


orders = st.lists(
    st.tuples(
        st.sampled_from(DEALERS),
        st.lists(st.tuples(st.sampled_from(ARTICLES), st.integers(1, 900)), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(wanted=orders)
def test_whatever_is_ordered_stock_and_credit_hold(wanted: list[Any]) -> None:
    engine = filled("sqlite://")
    desk = Desk(engine)
    for at, (dealer, lines) in enumerate(wanted):
        first = desk.place(dealer, lines, f"k{at}")
        if first.isdigit():
            assert desk.place(dealer, lines, f"k{at}") == first  # the same key, the same number
        desk.check()
    engine.dispose()


@pytest.fixture
def database(database_url: str) -> Any:
    if database_url.startswith("sqlite"):
        engine = filled(database_url)

        @event.listens_for(engine, "connect")
        def connected(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA busy_timeout=20000")

    else:
        engine = filled(database_url)
    yield engine
    engine.dispose()


def test_orders_of_several_calls_at_once_share_what_there_is(database: Any) -> None:
    """Fifteen calls want 20 of the 150 cases of an article at the same moment: seven get them, eight are told."""
    desk = Desk(database)

    def one(at: int) -> str:
        for _ in range(50):
            try:
                return desk.place("44010001", [("10020002", 20), ("10010001", 1)], f"k{at}")
            except (
                Exception
            ) as error:  # SQLite says that it is locked; the store has one writer and never sees that
                if "locked" not in str(error):
                    raise
        raise AssertionError("never got through")

    threads = monkey.get_original("threading", "Thread")
    assert threads is not None
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(one, range(15)))
    assert sum(answer.isdigit() for answer in answers) == 7
    assert answers.count("stock") == 8
    desk.check()
