"""The desk's last two weeks: each of their stories shows, and the sample's accounts stay what they are."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from engine.hooks.loading import load_folder
from engine.records.history import Calendar, History
from engine.store import all_tables

PLUGIN = load_folder(Path(__file__).parents[1])
MODELS: Any = sys.modules["insideline_plugins.orders.models"]
OFFICE: Any = sys.modules["insideline_plugins.orders.office"]
TODAY = date(2026, 11, 23)


def test_two_weeks_with_peaks_a_typhoon_a_slow_region_and_one_who_asks_again_and_again() -> None:
    engine = create_engine("sqlite://")
    PLUGIN.department.models.create_all(engine)
    all_tables.metadata.create_all(engine)
    with Session(engine) as session:
        PLUGIN.department.sample(session, TODAY)
        owed = {row.code: row.outstanding for row in session.scalars(select(MODELS.DealerRow))}
        made = History(
            session,
            Calendar(TODAY, 14),
            department="orders",
            zone=ZoneInfo("Asia/Shanghai"),
            e164=lambda number: number,
            due=lambda calendar, begin, seconds: (
                begin + timedelta(seconds=3 * seconds)
            ),  # an office day of 8 hours
            kinds={"orders": PLUGIN.department.tickets},
        )
        PLUGIN.department.history(session, made)
        made.flush()
        tickets = session.execute(select(all_tables.tables_tickets.tickets)).mappings().all()
        orders = session.scalars(select(MODELS.Order).where(MODELS.Order.key.like("history-%"))).all()
        days = Counter(order.placed for order in orders)
        assert days[date(2026, 11, 16)] > days[date(2026, 11, 14)]  # a Monday, a Saturday
        stormy = [order for order in orders if order.cause == "weather"]
        assert stormy
        assert all((order.shipped_on - order.placed).days == 4 for order in stormy)
        assert {row.code: row.outstanding for row in session.scalars(select(MODELS.DealerRow))} == owed
        ctx = SimpleNamespace(session=session, today=TODAY, now=datetime(2026, 11, 23, 1, tzinfo=UTC))
        report = OFFICE.response(ctx)
        slow = [row[4] for row in report if row[0] == "西南"]
        quick = [row[4] for row in report if row[0] == "华南"]
        assert min(slow) > max(quick)
        again = [
            case
            for case in session.scalars(select(MODELS.Case))
            if (case.dealer, case.kind) == ("44030002", "return")
        ]
        assert len(again) >= 4
        talks = session.execute(
            select(all_tables.tables.cdr).where(all_tables.tables.cdr.c.queue == "orders")
        )
        rung = [(one.agent, one.arrived.date().day) for one in talks]
        assert rung == [("8021", day) for day in (18, 19, 20, 21)], (
            "the dealer who rang again, for `report repeats`"
        )
        cases = {case.ticket: case for case in session.scalars(select(MODELS.Case))}
        assert {one.number for one in tickets} == set(cases)
        [waits] = [one for one in tickets if one.state == "open"]
        assert (cases[waits.number].state, cases[waits.number].dealer) == ("open", "53010003")
        assert session.scalars(select(MODELS.DraftRow.id)).one() == cases[waits.number].draft
        late = {one.group for one in tickets if one.solved and one.solved > one.due}
        assert "orders_xinan" in late
        assert "orders_huanan" not in late
        assert len(OFFICE.acts(ctx)) == 2 * (len(cases) - 1)
