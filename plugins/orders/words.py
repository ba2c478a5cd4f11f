"""How the order desk says its own words: the state of an order, why it is late, what a case is about, percent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from engine.api import Format

STATES = {
    "accepted": ("已接单", "accepted"),
    "paid": ("已付款", "paid"),
    "picked": ("已配货", "picked"),
    "shipped": ("已发货", "shipped"),
    "received": ("已收货", "received"),
    "cancelled": ("已取消", "cancelled"),
}
REASONS = {
    "": ("其他原因", "for another reason"),
    # why an order has not left
    "stock": ("缺货", "for lack of stock"),
    "vehicle": ("车辆未到", "for lack of a vehicle"),
    "payment": ("等待付款", "waiting for payment"),
    "weather": ("天气原因", "because of the weather"),
    "other": ("其他原因", "for another reason"),
    # what an exception is from
    "credit": ("超出信用额度", "beyond the credit limit"),
    "arrears": ("逾期未付", "in spite of arrears"),
    # why goods come back
    "damaged": ("破损", "damaged"),
    "expiring": ("临期", "close to expiry"),
    "wrong": ("错发", "sent by mistake"),
    "unsold": ("滞销", "not sold"),
}


def _words(table: Mapping[str, tuple[str, str]], language: int) -> Callable[[str], str]:
    def say(word: str) -> str:
        if word not in table:
            raise ValueError("a word that the desk does not know")
        return table[word][language]

    return say


_FIGURES = "零一二三四五六七八九"


def _chinese(number: Decimal) -> str:
    """三, 十二, 二点五: of a percentage, 0 to 100."""
    whole, _, part = _plain(number).partition(".")
    tens, ones = divmod(int(whole), 10)
    if tens >= 10:
        said = "百"
    elif tens:
        said = ("" if tens == 1 else _FIGURES[tens]) + "十" + (_FIGURES[ones] if ones else "")
    else:
        said = _FIGURES[ones]
    return said + ("点" + "".join(_FIGURES[int(one)] for one in part) if part else "")


def _plain(number: Decimal) -> str:
    """3, 2.5"""
    return f"{number.normalize():f}"


def _late_chinese(days: int) -> str:
    return f"已逾期{days}天" if days else "按期"


def _late_english(days: int) -> str:
    return f"{days} {'day' if days == 1 else 'days'} late" if days else "in time"


FORMATS = [
    Format("orders_lateness", accepts=(int,), words={"zh-CN": _late_chinese, "en": _late_english}),
    Format("orders_state", accepts=(str,), words={"zh-CN": _words(STATES, 0), "en": _words(STATES, 1)}),
    Format("orders_reason", accepts=(str,), words={"zh-CN": _words(REASONS, 0), "en": _words(REASONS, 1)}),
    Format(
        "orders_percent",
        accepts=(Decimal,),
        words={"zh-CN": lambda of: f"百分之{_chinese(of)}", "en": lambda of: f"{_plain(of)} percent"},
    ),
]
