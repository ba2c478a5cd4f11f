"""The sample company's dealers, articles, policies, orders, suppliers and tasks: the files in ``sample/``, in days
around the day on which they are put in."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy.orm import Session

from .models import (
    Article,
    Bill,
    DealerRow,
    Delivery,
    Line,
    Order,
    PolicyRow,
    Price,
    SupplierRow,
    Task,
)
from .pricing import NOTHING, rounded

_SAMPLE = Path(__file__).parent / "sample"
TIERS = ("ordinary", "gold", "diamond")


def fill(session: Session, today: date) -> None:
    """Put the sample company into empty tables."""
    _articles(session, today)
    _policies(session, today)
    dealers = {row["code"]: _dealer(row) for row in _rows("dealers")}
    session.add_all(dealers.values())
    session.flush()
    for row in _rows("orders"):
        order = _order(row, today)
        session.add(order)
        session.flush()
        order.number = f"{order.placed:%y%m}{order.id:06d}"
        dealers[order.dealer].outstanding += order.total - order.paid
    for row in _rows("tasks"):
        session.add(
            Task(
                dealer=row["dealer"],
                region=dealers[row["dealer"]].region,
                text=row["text"],
                english=row["english"],
                due=_day(row["due"], today),
                by=row["by"],
            )
        )
    _suppliers(session, today)
    session.flush()


def _articles(session: Session, today: date) -> None:
    for row in _rows("articles"):
        session.add(
            Article(
                code=row["code"],
                name=row["name"],
                english=row["english"],
                stock=int(row["stock"]),
                restock=_maybe(row["restock"], today),
            )
        )
        session.add_all(Price(article=row["code"], tier=tier, price=Decimal(row[tier])) for tier in TIERS)


def _policies(session: Session, today: date) -> None:
    quarter = (today.month - 1) // 3
    since = date(today.year, quarter * 3 + 1, 1)
    until = (since + timedelta(days=95)).replace(day=1) - timedelta(days=1)
    for row in _rows("policies"):
        session.add(
            PolicyRow(
                code=f"{row['code']}-{today.year}Q{quarter + 1}",
                version=int(row["version"]),
                region=row["region"],
                since=since,
                until=until,
                rebate_from=int(row["rebate_from"]),
                rebate=Decimal(row["rebate"]),
                truck_from=int(row["truck_from"]),
                truck=Decimal(row["truck"]),
            )
        )


def _dealer(row: dict[str, str]) -> DealerRow:
    return DealerRow(
        code=row["code"],
        name=row["name"],
        region=row["region"],
        tier=row["tier"],
        credit=Decimal(row["credit"]),
        outstanding=NOTHING,
        terms=int(row["terms"]),
        patience=int(row["patience"]),
        active=row["active"] == "yes",
    )


def _order(row: dict[str, str], today: date) -> Order:
    lines = []
    for told in row["lines"].split(";"):
        article, cases, price = told.split()
        amount = rounded(Decimal(price) * int(cases))
        lines.append(Line(article=article, cases=int(cases), price=Decimal(price), amount=amount))
    goods = sum((line.amount for line in lines), NOTHING)
    return Order(
        key=f"sample-{row['dealer']}-{row['placed']}",
        dealer=row["dealer"],
        placed=_day(row["placed"], today),
        goods=goods,
        discount=NOTHING,
        rebate=NOTHING,
        total=goods,
        paid=Decimal(row["paid"]),
        paid_on=_maybe(row["paid_on"], today),
        due=_day(row["due"], today),
        state=row["state"],
        ship_by=_day(row["ship_by"], today),
        shipped_on=_maybe(row["shipped_on"], today),
        waybill=row["waybill"],
        cause=row["cause"],
        person=row["person"],
        lines=lines,
    )


def _suppliers(session: Session, today: date) -> None:
    session.add_all(
        SupplierRow(code=row["code"], name=row["name"], region=row["region"]) for row in _rows("suppliers")
    )
    session.flush()
    for row in _rows("deliveries"):
        session.add(
            Delivery(
                supplier=row["supplier"],
                goods=row["goods"],
                cases=int(row["cases"]),
                warehouse=row["warehouse"],
                due=_day(row["due"], today),
                came=_maybe(row["came"], today),
            )
        )
    for row in _rows("bills"):
        session.add(
            Bill(
                supplier=row["supplier"],
                amount=Decimal(row["amount"]),
                pay_on=_day(row["pay_on"], today),
                paid_on=_maybe(row["paid_on"], today),
            )
        )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_SAMPLE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


def _day(told: str, today: date) -> date:
    return today + timedelta(days=int(told))


def _maybe(told: str, today: date) -> date | None:
    return _day(told, today) if told else None
