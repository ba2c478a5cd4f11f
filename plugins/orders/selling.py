"""What a dealer or a supplier asks the company's systems, and the order itself."""

from __future__ import annotations

from decimal import Decimal

from engine.api import Context, Digits, Record, command, query

from .cases import Grant
from .contracts import (
    Account,
    Dealer,
    Due,
    Figures,
    OrderSystem,
    Overdue,
    Placed,
    Policies,
    Policy,
    Quote,
    Settlement,
    Stock,
    Supplier,
    SupplierSystem,
    Unshipped,
    Warehouse,
)
from .department import department
from .desk import CHINESE, Draft
from .placing import Priced, placed, reckoned

MOST = 8  # orders that a caller can pick from


class ArticleView(Record):
    """An article as a dealer hears of it: its name in the caller's language, and both for the draft."""

    article: Digits
    name: str
    chinese: str
    english: str
    price: Decimal


@query(department, over=OrderSystem)
def dealer(ctx: Context, code: Digits) -> Dealer | None:
    """``orders.dealer``: the dealer of that code."""
    return ctx.adapter(OrderSystem).dealer(code)


@query(department, over=OrderSystem)
def account(ctx: Context, dealer: Digits) -> Account | None:
    """``orders.account``: credit, arrears and the last payment."""
    return ctx.adapter(OrderSystem).account(dealer, today=ctx.today)


@query(department, over=OrderSystem)
def article(ctx: Context, code: Digits, dealer: Digits, language: str) -> ArticleView | None:
    """``orders.article``: what it is called and what it costs this dealer."""
    found = ctx.adapter(OrderSystem).price(code, dealer=dealer)
    if found is None:
        return None
    return ArticleView(
        article=found.article,
        name=found.name if language == CHINESE else found.english,
        chinese=found.name,
        english=found.english,
        price=found.price,
    )


@query(department, over=Warehouse)
def stock(ctx: Context, code: Digits) -> Stock | None:
    """``orders.stock``: what can be promised of an article."""
    return ctx.adapter(Warehouse).stock(code)


@query(department, over=Policies)
def policy(ctx: Context, region: str) -> Policy:
    """``orders.policy``: the version that holds today; its code is empty where there is none."""
    found = ctx.adapter(Policies).policy(region, today=ctx.today)
    none = Policy(
        code="",
        version=0,
        region=region,
        until=ctx.today,
        rebate_from=0,
        rebate=Decimal(0),
        truck_from=0,
        truck=Decimal(0),
    )
    return found or none


@query(department, over=OrderSystem)
def reckon(ctx: Context, draft: Draft, dealer: Digits, policy: Policy, grant: Grant) -> Priced | None:
    """``orders.reckon``: what a draft costs today. None when an article of it is sold no more, or the dealer is
    unknown."""
    return reckoned(ctx, draft, dealer, policy, grant)


@command(department, refusals=("stock", "credit", "arrears", "changed", "blocked"), over=OrderSystem)
def place(ctx: Context, quote: Quote, key: str, confirmed: Decimal) -> Digits:
    """``orders.place``: the number of the order. What costs something else than was ``confirmed`` is refused. ``key``
    is that of the attempt."""
    return placed(ctx, quote, key, confirmed)


@query(department, over=OrderSystem)
def order(ctx: Context, number: Digits, dealer: Digits) -> Placed | None:
    """``orders.order``: one of the dealer's own orders."""
    return ctx.adapter(OrderSystem).order(number, dealer=dealer, today=ctx.today)


@query(department, over=OrderSystem)
def recent(ctx: Context, dealer: Digits) -> list[Placed]:
    """``orders.recent``: the dealer's latest orders."""
    return ctx.adapter(OrderSystem).recent(dealer, today=ctx.today, most=MOST)


@query(department, over=SupplierSystem)
def supplier(ctx: Context, code: Digits) -> Supplier | None:
    """``orders.supplier``: the supplier of that code."""
    return ctx.adapter(SupplierSystem).supplier(code)


@query(department, over=SupplierSystem)
def deliveries(ctx: Context, supplier: Digits) -> list[Due]:
    """``orders.deliveries``: what the supplier has to deliver."""
    return ctx.adapter(SupplierSystem).due(supplier, today=ctx.today)


@query(department, over=SupplierSystem)
def settlement(ctx: Context, supplier: Digits) -> Settlement:
    """``orders.settlement``: what the supplier is owed."""
    return ctx.adapter(SupplierSystem).settlement(supplier, today=ctx.today)


@query(department, over=OrderSystem)
def figures(ctx: Context, region: str) -> Figures:
    """``orders.figures``: a region's day and month."""
    return ctx.adapter(OrderSystem).figures(region=region, today=ctx.today)


@query(department, over=OrderSystem)
def overdue(ctx: Context, region: str) -> list[Overdue]:
    """``orders.overdue``: who of a region has not paid in time."""
    return ctx.adapter(OrderSystem).overdue(region=region, today=ctx.today)[:9]


@query(department, over=OrderSystem)
def unshipped(ctx: Context, region: str) -> list[Unshipped]:
    """``orders.unshipped``: what has not left in time."""
    return ctx.adapter(OrderSystem).unshipped(region=region, today=ctx.today)[:9]
