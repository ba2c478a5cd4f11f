"""The order desk's own tables: what stands in for the sales system, the warehouse, the policies and the suppliers'
ledger where a company has not connected its own, and the desk's work (drafts, tasks, cases, acts), which is always
here."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Numeric, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from engine.api import Moment

CENT = Decimal("0.01")


class Money(TypeDecorator[Decimal]):
    """An amount in yuan, exact to the fen: ``numeric(14, 2)`` where the database has that, whole fen in SQLite, which
    reckons with binary fractions only. ValueError for what is no whole number of fen."""

    impl = Numeric(14, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(14, 2))

    @property
    def python_type(self) -> type[Decimal]:
        return Decimal

    def process_bind_param(self, value: Decimal | int | None, dialect: Any) -> Any:
        if value is None:
            return None
        amount = Decimal(value)
        if amount != amount.quantize(CENT):
            raise ValueError("an amount of money has whole fen")
        return int(amount * 100) if dialect.name == "sqlite" else amount

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        if value is None:
            return None
        return (Decimal(value) / 100 if dialect.name == "sqlite" else Decimal(value)).quantize(CENT)


class Base(DeclarativeBase):
    pass


# -- the sales system ------------------------------------------------------------------------------------


class DealerRow(Base):
    """A distributor and its account. ``outstanding`` is what all its orders are worth that are not paid yet."""

    __tablename__ = "orders_dealer"

    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    region: Mapped[str] = mapped_column(String(20), index=True)
    tier: Mapped[str] = mapped_column(String(10), default="ordinary")  # the price tier
    credit: Mapped[Decimal] = mapped_column(Money)  # the limit
    outstanding: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    terms: Mapped[int] = mapped_column(default=30)  # days that an order may be paid in
    patience: Mapped[int] = mapped_column(default=60)  # days overdue from which on nothing more is sold
    active: Mapped[bool] = mapped_column(default=True)


class Price(Base):
    """What a unit of an article costs a dealer of a price tier."""

    __tablename__ = "orders_price"

    article: Mapped[str] = mapped_column(String(16), primary_key=True)
    tier: Mapped[str] = mapped_column(String(10), primary_key=True)
    price: Mapped[Decimal] = mapped_column(Money)


class Order(Base):
    """An order, once it has its number."""

    __tablename__ = "orders_order"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str | None] = mapped_column(String(16), unique=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)  # of the deed that placed it
    draft: Mapped[int | None] = mapped_column(unique=True)  # one draft never becomes two orders
    dealer: Mapped[str] = mapped_column(ForeignKey("orders_dealer.code"), index=True)
    placed: Mapped[date]
    goods: Mapped[Decimal] = mapped_column(Money)
    discount: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    rebate: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))  # to be credited once it is paid
    total: Mapped[Decimal] = mapped_column(Money)
    paid: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    paid_on: Mapped[date | None]
    due: Mapped[date]
    policy: Mapped[str] = mapped_column(String(20), default="")
    version: Mapped[int] = mapped_column(default=0)
    approved_by: Mapped[str] = mapped_column(String(40), default="")  # of an exception from credit or arrears
    state: Mapped[str] = mapped_column(String(10), default="accepted")
    ship_by: Mapped[date] = mapped_column(index=True)
    shipped_on: Mapped[date | None]
    waybill: Mapped[str] = mapped_column(String(20), default="")
    cause: Mapped[str] = mapped_column(String(12), default="")  # why it is late
    person: Mapped[str] = mapped_column(String(20), default="")  # who has to see to it

    lines: Mapped[list[Line]] = relationship(order_by="Line.id", cascade="all, delete-orphan")


class Line(Base):
    __tablename__ = "orders_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    order: Mapped[int] = mapped_column(ForeignKey("orders_order.id"), index=True)
    article: Mapped[str] = mapped_column(String(16))
    cases: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Money)
    amount: Mapped[Decimal] = mapped_column(Money)


# -- the warehouse ---------------------------------------------------------------------------------------


class Article(Base):
    """An article in the warehouse. Of ``stock`` cases, ``reserved`` belong to orders already."""

    __tablename__ = "orders_article"

    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    english: Mapped[str] = mapped_column(String(60), default="")
    stock: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)
    restock: Mapped[date | None]  # when more comes


class Reservation(Base):
    __tablename__ = "orders_reservation"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="held")
    number: Mapped[str] = mapped_column(String(16), default="")  # of the order that it became

    parts: Mapped[list[Part]] = relationship(cascade="all, delete-orphan")


class Part(Base):
    """So many cases of an article within a reservation."""

    __tablename__ = "orders_part"

    id: Mapped[int] = mapped_column(primary_key=True)
    reservation: Mapped[int] = mapped_column(ForeignKey("orders_reservation.id"), index=True)
    article: Mapped[str] = mapped_column(ForeignKey("orders_article.code"))
    cases: Mapped[int]


# -- the sales policies ----------------------------------------------------------------------------------


class PolicyRow(Base):
    """A version of a region's policy. From ``rebate_from`` cases on so many percent come back, from ``truck_from``
    (a whole truck) the price is so many percent better; 0 cases: there is no such rule."""

    __tablename__ = "orders_policy"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    region: Mapped[str] = mapped_column(String(20), index=True)
    since: Mapped[date]
    until: Mapped[date]
    rebate_from: Mapped[int] = mapped_column(default=0)
    rebate: Mapped[Decimal] = mapped_column(Numeric(5, 2), default=Decimal(0))
    truck_from: Mapped[int] = mapped_column(default=0)
    truck: Mapped[Decimal] = mapped_column(Numeric(5, 2), default=Decimal(0))


# -- the suppliers' ledger -------------------------------------------------------------------------------


class SupplierRow(Base):
    __tablename__ = "orders_supplier"

    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    region: Mapped[str] = mapped_column(String(20), default="")


class Delivery(Base):
    """What a supplier still has to deliver, or has delivered on ``came``."""

    __tablename__ = "orders_delivery"

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier: Mapped[str] = mapped_column(ForeignKey("orders_supplier.code"), index=True)
    goods: Mapped[str] = mapped_column(String(60))
    cases: Mapped[int]
    warehouse: Mapped[str] = mapped_column(String(40))
    due: Mapped[date]
    came: Mapped[date | None]


class Bill(Base):
    """A supplier's bill, and when it is or was paid."""

    __tablename__ = "orders_bill"

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier: Mapped[str] = mapped_column(ForeignKey("orders_supplier.code"), index=True)
    amount: Mapped[Decimal] = mapped_column(Money)
    pay_on: Mapped[date]
    paid_on: Mapped[date | None]


# -- the desk's own work ---------------------------------------------------------------------------------


class DraftRow(Base):
    """An order that is being put together by phone. ``held_by`` is the dealer as long as it is not over, so that a
    dealer has one draft at a time; ``attempt`` counts how often it was submitted, and gives each try its own key."""

    __tablename__ = "orders_draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    dealer: Mapped[str] = mapped_column(String(16), index=True)
    held_by: Mapped[str | None] = mapped_column(String(16), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="open")  # open, submitted, ordered, dropped
    attempt: Mapped[int] = mapped_column(default=0)
    total: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))  # that the dealer has confirmed
    number: Mapped[str] = mapped_column(String(16), default="")
    ticket: Mapped[str] = mapped_column(String(16), default="")  # where nobody knows what came of it
    told: Mapped[bool] = mapped_column(default=True)  # False: it was settled behind the dealer's back
    opened: Mapped[datetime] = mapped_column(Moment)
    changed: Mapped[datetime] = mapped_column(Moment)

    lines: Mapped[list[DraftLine]] = relationship(order_by="DraftLine.id", cascade="all, delete-orphan")


class DraftLine(Base):
    __tablename__ = "orders_draft_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    draft: Mapped[int] = mapped_column(ForeignKey("orders_draft.id"), index=True)
    article: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(60))
    english: Mapped[str] = mapped_column(String(60), default="")
    cases: Mapped[int]


class Task(Base):
    """What head office asks a dealer to do; acknowledged by phone."""

    __tablename__ = "orders_task"

    id: Mapped[int] = mapped_column(primary_key=True)
    dealer: Mapped[str] = mapped_column(String(16), index=True)
    region: Mapped[str] = mapped_column(String(20), default="")
    text: Mapped[str] = mapped_column(String(200))
    english: Mapped[str] = mapped_column(String(200), default="")
    due: Mapped[date]
    by: Mapped[str] = mapped_column(String(40), default="")
    acknowledged: Mapped[datetime | None] = mapped_column(Moment)
    how: Mapped[str] = mapped_column(String(40), default="")  # the number that acknowledged it


class Case(Base):
    """What a dealer asks of the region's supervisor: an exception from the policy, a return, a report of goods sold
    across regions. ``responded`` is when the supervisor first dealt with it, ``settled`` when it was over."""

    __tablename__ = "orders_case"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), index=True)  # exception, return, diversion
    dealer: Mapped[str] = mapped_column(String(16), index=True)
    name: Mapped[str] = mapped_column(String(60), default="")
    region: Mapped[str] = mapped_column(String(20), index=True)
    phone: Mapped[str] = mapped_column(String(20), default="")
    reason: Mapped[str] = mapped_column(String(12), default="")
    amount: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    draft: Mapped[int] = mapped_column(default=0)
    article: Mapped[str] = mapped_column(String(16), default="")
    cases: Mapped[int] = mapped_column(default=0)
    about: Mapped[str] = mapped_column(String(40), default="")  # an order's number, or a batch
    clip: Mapped[str] = mapped_column(String(40), default="")
    ticket: Mapped[str] = mapped_column(String(16), default="", index=True)
    state: Mapped[str] = mapped_column(String(10), default="open")  # open, approved, refused, settled
    by: Mapped[str] = mapped_column(String(40), default="")
    opened: Mapped[datetime] = mapped_column(Moment)
    responded: Mapped[datetime | None] = mapped_column(Moment)
    settled: Mapped[datetime | None] = mapped_column(Moment)


class Act(Base):
    """One act of somebody behind the desk: who did what to what, when, and how (phone, command, ticket, talk)."""

    __tablename__ = "orders_act"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    who: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(String(40))
    about: Mapped[str] = mapped_column(String(60), default="")
    region: Mapped[str] = mapped_column(String(20), default="")
    how: Mapped[str] = mapped_column(String(10), default="")
    note: Mapped[str] = mapped_column(Text, default="")
