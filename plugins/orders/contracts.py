"""What the desk asks of the company: the contracts of its systems, and the records that they speak in.

Amounts are ``Decimal`` yuan with two places. Days are the centre's. A query that finds nothing answers None.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal, Protocol

from engine.api import Digits, Record

#: 已接单 已付款 已配货 已发货 已收货 已取消
OrderState = Literal["accepted", "paid", "picked", "shipped", "received", "cancelled"]
#: Why an order has not left in time: 缺货 车辆 待款 天气 其他
Cause = Literal["", "stock", "vehicle", "payment", "weather", "other"]
Held = Literal["held", "confirmed", "released"]


class Dealer(Record):
    code: Digits
    name: str
    region: str
    tier: str
    active: bool


class Account(Record):
    """A dealer's account on a day."""

    credit: Decimal  # the limit
    outstanding: Decimal  # of orders that are not paid
    left: Decimal  # what may still be ordered; never below 0
    arrears: Decimal  # what is past its day
    days: int  # since the oldest of that was due; 0 without arrears
    blocked: bool  # so late that nothing more is sold
    payment: Decimal  # the last one that arrived; 0: none yet
    paid_on: date | None


class Priced(Record):
    """What an article costs a dealer. ``name`` and ``english``: what it is called."""

    article: Digits
    name: str
    english: str
    price: Decimal


class Stock(Record):
    """How many cases of an article can be promised now, and when more come."""

    article: Digits
    cases: int
    restock: date | None


class Policy(Record):
    """A version of a region's sales policy; a rule that does not exist has 0 cases."""

    code: str
    version: int
    region: str
    until: date
    rebate_from: int
    rebate: Decimal  # percent, credited after payment
    truck_from: int
    truck: Decimal  # percent off the price


class Wanted(Record):
    """So many cases of an article."""

    article: Digits
    cases: int


class QuoteLine(Record):
    article: Digits
    name: str
    cases: int
    price: Decimal
    amount: Decimal


class Quote(Record):
    """An order as it is read back: what it costs, under which policy, and whether the account bears it.

    ``allowance`` is what a supervisor has granted beyond the limit, ``excused`` that arrears don't stand in the way;
    ``approved_by`` is who did.
    """

    draft: int
    dealer: Digits
    lines: list[QuoteLine]
    cases: int
    goods: Decimal
    discount: Decimal
    rebate: Decimal
    total: Decimal
    policy: str
    version: int
    allowance: Decimal
    excused: bool
    approved_by: str


class Placed(Record):
    """An order as its dealer may hear of it."""

    number: Digits
    placed: date
    cases: int
    total: Decimal
    paid: Decimal
    paid_on: date | None
    due: date
    state: OrderState
    ship_by: date
    shipped_on: date | None
    late_days: int  # past ``ship_by`` and not shipped
    cause: Cause
    waybill: str


class Overdue(Record):
    """What a dealer of a region has not paid in time."""

    dealer: Digits
    name: str
    region: str
    amount: Decimal
    days: int
    orders: int


class Unshipped(Record):
    """An order past its shipping day."""

    number: Digits
    dealer: Digits
    name: str
    region: str
    ship_by: date
    days: int
    total: Decimal
    cause: Cause
    person: str


class Figures(Record):
    """A region's day and month."""

    orders_today: int
    total_today: Decimal
    total_month: Decimal
    overdue: int  # dealers
    overdue_amount: Decimal
    unshipped: int


class Supplier(Record):
    code: Digits
    name: str
    region: str


class Due(Record):
    """A delivery that a supplier owes; ``late_days`` past its day."""

    goods: str
    cases: int
    warehouse: str
    due: date
    late_days: int


class Settlement(Record):
    """What a supplier gets: all bills that are open, the next payment, and the last one."""

    open: Decimal
    bills: int
    next_amount: Decimal
    next_on: date | None
    last_amount: Decimal
    last_on: date | None


class OrderSystem(Protocol):
    """The company's sales system."""

    def dealer(self, code: str) -> Dealer | None:
        """The dealer of that code."""

    def account(self, code: str, *, today: date) -> Account | None:
        """A dealer's account."""

    def price(self, article: str, *, dealer: str) -> Priced | None:
        """What an article costs a dealer: the price of the dealer's tier, else the ordinary one."""

    def order(self, number: str, *, dealer: str, today: date) -> Placed | None:
        """A dealer's order; None for another dealer's."""

    def recent(self, dealer: str, *, today: date, most: int) -> list[Placed]:
        """A dealer's orders, the newest first."""

    def post(self, quote: Quote, *, today: date, key: str) -> Digits:
        """Take an order, once for its key: its number. Refuses with ``blocked`` a dealer who is not sold to, with
        ``arrears`` (days, amount) one who is too late and not excused, with ``credit`` (left, total, short) what goes
        beyond limit and allowance, and with ``changed`` what costs something else by now."""

    def overdue(self, *, region: str, today: date) -> list[Overdue]:
        """Dealers who are late, of one region or of all (""), the largest amount first."""

    def unshipped(self, *, region: str, today: date) -> list[Unshipped]:
        """Orders past their shipping day, the longest first."""

    def figures(self, *, region: str, today: date) -> Figures:
        """A region's figures."""


class Warehouse(Protocol):
    """The company's warehouse system."""

    def stock(self, article: str) -> Stock | None:
        """What can be promised of an article."""

    def reserve(self, lines: list[Wanted], *, key: str) -> str:
        """Keep all of these back, or nothing: the reservation's name. Refuses with ``stock`` (article, name, left)."""

    def held(self, reservation: str) -> Held | None:
        """What became of a reservation."""

    def confirm(self, reservation: str, number: str, *, key: str) -> None:
        """It belongs to that order now."""

    def release(self, reservation: str, *, key: str) -> None:
        """It is not needed; nothing happens to one that is released, or belongs to an order."""


class Policies(Protocol):
    """Where the sales policies are kept."""

    def policy(self, region: str, *, today: date) -> Policy | None:
        """The version that holds for a region on a day."""


class SupplierSystem(Protocol):
    """The suppliers' ledger."""

    def supplier(self, code: str) -> Supplier | None:
        """The supplier of that code."""

    def due(self, code: str, *, today: date) -> list[Due]:
        """What a supplier has to deliver yet, the earliest first."""

    def settlement(self, code: str, *, today: date) -> Settlement:
        """What a supplier is owed."""
