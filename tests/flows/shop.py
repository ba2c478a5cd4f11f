"""A department for tests of running flows: a shop, whose company system can be made to fail in every way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.testing.home import Home

PLUGIN = '''
"""The shop of the tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from sqlalchemy import Column, Integer, MetaData, String, Table, insert

from engine.api import (
    Adapter, Context, Department, Digits, Private, Record, Refused, command, hookimpl, query,
)

models = MetaData()
orders = Table(
    "shop_orders", models,
    Column("id", Integer, primary_key=True), Column("article", String, nullable=False), Column("who", String),
)


class Article(Record):
    number: str
    title: str
    price: Decimal
    left: int


class Stock(Protocol):
    def find(self, number: str) -> Article | None: ...
    def order(self, article: str, who: str) -> int: ...


class SqlStock:
    def __init__(self, session):
        self.session = session

    def find(self, number):
        if number == "404":
            return None
        if number == "500":
            raise RuntimeError("the stock system is broken")
        if number == "600":
            return "nonsense"
        return Article(number=number, title="Lamp", price=Decimal("12.50"), left=3)

    def order(self, article, who):
        result = self.session.execute(insert(orders).values(article=article, who=who))
        if article == "500":
            raise RuntimeError("broken after the row was written")
        return result.inserted_primary_key[0]


department = Department(
    "shop", title="Shop", tables="shop_", models=models, adapters=(Adapter(Stock, sql=SqlStock),)
)


@query(department)
def find(ctx: Context, number: str) -> Article | None:
    return ctx.adapter(Stock).find(number)


@query(department, over="engine")
def exits(ctx: Context) -> str:
    raise SystemExit(3)


@command(department, refusals=("credit", "stock"))
def order(ctx: Context, article: str, who: str = "") -> int:
    if article == "402":
        raise Refused("credit", limit=100)
    if article == "409":
        raise Refused("stock")
    return ctx.adapter(Stock).order(article, who)


@command(department, refusals=("wrong",))
def check_pin(ctx: Context, pin: Private[Digits]) -> None:
    if pin != "4711":
        raise Refused("wrong")


@hookimpl
def register_department():
    return department
'''

CLOCKED = """\
grammar: 1
calendars:
  always: {timezone: Asia/Shanghai, week: {mon-sun: "00:00-24:00"}}
  office:
    timezone: Asia/Shanghai
    week: {mon-fri: "08:30-17:30", sat-sun: closed}
    days: {"2026-11-25": {closed: true, prompt: storm}}
"""


def shop_home(home: Home, blocks: str, **more: Any) -> Home:
    """``home`` with the shop, and with ``blocks`` as the flow of the number 8000."""
    home.plugin("shop", PLUGIN).write("conf/calendars.yaml", CLOCKED)
    home.prompts(
        storm="The shop is closed because of the storm.",
        you_said="You said {value:digits}. Right?",
        amount="It costs {value:money}.",
        next_up="You are number {position:count}.",
    )
    home.flow("shop/main", blocks, **more)
    return home.number("8000", "shop/main")


Shop = Callable[..., Any]
