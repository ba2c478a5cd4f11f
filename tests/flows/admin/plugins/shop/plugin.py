"""An order of several lines: articles, a draft, and the order."""

from __future__ import annotations

from decimal import Decimal

from engine.api import Context, Department, Digits, Record, command, hookimpl, query


class Article(Record):
    code: Digits
    title: str
    price: Decimal
    left: int


department = Department("shop", title="Orders")


@query(department, over="engine")
def article(ctx: Context, code: Digits) -> Article | None:
    """An article by its code."""
    return None if code == "00000000" else Article(code=code, title="Lamp", price=Decimal("12.50"), left=40)


@command(department, refusals=("stock",), over="engine")
def add(ctx: Context, draft: str, article: Digits, count: int) -> None:
    """One line more in a draft."""


@command(department, refusals=("credit",), over="engine")
def order(ctx: Context, draft: str, total: Decimal) -> Digits:
    """The draft becomes an order; its number."""
    return "20260017"


@hookimpl
def register_department() -> Department:
    return department
