"""What a draft costs, and how it becomes an order: once, whatever dies meanwhile.

Over sql all of it is one transaction. Over http each part has a key of its own, made of the attempt's: whoever goes on
after a crash repeats what was done, and gets the same answers.
"""

from __future__ import annotations

from decimal import Decimal

from engine.api import Context, Digits, Record, Refused

from .cases import Grant
from .contracts import OrderSystem, Policy, Quote, Wanted, Warehouse
from .desk import Draft
from .pricing import NOTHING, Sums, line


class Priced(Record):
    """A draft reckoned: the order as it would be placed, and whether the account bears it now."""

    quote: Quote
    cases: int
    goods: Decimal
    discount: Decimal
    rebate: Decimal
    total: Decimal
    left: Decimal  # of the credit, before this order and with what was granted
    short: Decimal  # what the account lacks for it; 0: nothing
    late: bool  # arrears stand in the way
    days: int  # that the arrears are overdue
    arrears: Decimal


def reckoned(ctx: Context, draft: Draft, dealer: Digits, policy: Policy, grant: Grant) -> Priced | None:
    """What a draft costs; None when an article of it is sold no more, or the dealer is unknown."""
    sales = ctx.adapter(OrderSystem)
    known = sales.account(dealer, today=ctx.today)
    if known is None:
        return None
    lines = []
    for part in draft.lines:
        cost = sales.price(part.article, dealer=dealer)
        if cost is None:
            return None
        lines.append(line(part.article, part.name, part.cases, cost.price))
    sums = Sums(lines, policy if policy.code else None)
    left = max(NOTHING, known.credit + grant.allowance - known.outstanding)
    quote = Quote(
        draft=draft.id,
        dealer=dealer,
        lines=lines,
        cases=sums.cases,
        goods=sums.goods,
        discount=sums.discount,
        rebate=sums.rebate,
        total=sums.total,
        policy=policy.code,
        version=policy.version,
        allowance=grant.allowance,
        excused=grant.excused,
        approved_by=grant.by,
    )
    return Priced(
        quote=quote,
        cases=sums.cases,
        goods=sums.goods,
        discount=sums.discount,
        rebate=sums.rebate,
        total=sums.total,
        left=left,
        short=max(NOTHING, sums.total - left),
        late=known.blocked and not grant.excused,
        days=known.days,
        arrears=known.arrears,
    )


def placed(ctx: Context, quote: Quote, key: str, confirmed: Decimal) -> Digits:
    """The order's number: stock is reserved, the order is posted, and the reservation is confirmed, or given back when
    the order is refused."""
    if quote.total != confirmed:
        raise Refused("changed")
    sales, warehouse = ctx.adapter(OrderSystem), ctx.adapter(Warehouse)
    wanted = [Wanted(article=one.article, cases=one.cases) for one in quote.lines]
    held = warehouse.reserve(wanted, key=f"{key}:reserve")
    if warehouse.held(held) == "released":
        # An earlier try was refused and gave its stock back, and the engine died before it could say so.
        raise Refused("changed")
    try:
        number = sales.post(quote, today=ctx.today, key=f"{key}:post")
    except Refused:
        warehouse.release(held, key=f"{key}:release")
        raise
    warehouse.confirm(held, number, key=f"{key}:confirm")
    return number
