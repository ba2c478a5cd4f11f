"""What an order costs: lines, the policy's discount and rebate. Nothing here waits or reads anything."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from .contracts import Policy, QuoteLine

FEN = Decimal("0.01")
NOTHING = Decimal("0.00")


def rounded(amount: Decimal) -> Decimal:
    """To whole fen, half of one upwards (四舍五入)."""
    return amount.quantize(FEN, rounding=ROUND_HALF_UP)


def percent(amount: Decimal, of: Decimal) -> Decimal:
    """So many percent of an amount, in whole fen."""
    return rounded(amount * of / 100)


class Sums:
    """The sums of an order's lines under a policy (None: no policy holds).

    ``discount`` comes off the price (整车价优), ``rebate`` is credited after payment (返利) and is reckoned of what is
    paid. Neither is ever more than the goods.
    """

    def __init__(self, lines: Iterable[QuoteLine], policy: Policy | None) -> None:
        lines = list(lines)
        self.cases = sum(line.cases for line in lines)
        self.goods = sum((line.amount for line in lines), NOTHING)
        self.discount = self.rebate = NOTHING
        if policy is not None and policy.truck_from and self.cases >= policy.truck_from:
            self.discount = percent(self.goods, policy.truck)
        self.total = self.goods - self.discount
        if policy is not None and policy.rebate_from and self.cases >= policy.rebate_from:
            self.rebate = percent(self.total, policy.rebate)


def line(article: str, name: str, cases: int, price: Decimal) -> QuoteLine:
    """A line with its amount."""
    return QuoteLine(article=article, name=name, cases=cases, price=price, amount=rounded(price * cases))
