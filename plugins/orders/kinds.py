"""The tickets that the desk opens, and what each says. A region's cases go to the region's group; what belongs to no
region goes to the desk's queue, and its lead is told when nobody has seen to it in time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from engine.api import Digits, Record, TicketKind

DESK = "orders"  # the queue's people
LEAD = "orders_desk"  # the group of conf/notify.yaml


class Who(NamedTuple):
    """The dealer who asks, from which number and in which call."""

    dealer: str
    name: str
    region: str
    phone: str
    call: str


class _Asked(Record):
    dealer: Digits
    name: str = ""
    region: str = ""
    phone: str = ""


class ExceptionFields(_Asked):
    draft: int
    reason: Literal["credit", "arrears"]
    amount: Decimal  # beyond the limit, or in arrears


class ReturnFields(_Asked):
    order: Digits
    article: Digits
    cases: int
    reason: Literal["damaged", "expiring", "wrong", "unsold"]


class DiversionFields(_Asked):
    article: Digits
    batch: Digits


class UnsettledFields(Record):
    """An order of which it is not known what the sales system made of it."""

    dealer: Digits
    draft: int


def _kind(name: str, fields: type[Record], chinese: str, english: str, hours: int) -> TicketKind:
    return TicketKind(
        name,
        fields=fields,
        title={"zh-CN": chinese, "en": english},
        group=DESK,
        within=timedelta(hours=hours),
        calendar="office",
        escalate=LEAD,
    )


KINDS = [
    _kind("exception", ExceptionFields, "政策例外申请", "exception from the policy", 4),
    _kind("return", ReturnFields, "退货申请", "return of goods", 16),
    _kind("diversion", DiversionFields, "窜货举报", "report of goods sold across regions", 16),
    _kind("unsettled", UnsettledFields, "结果待确认的订单", "order with an unknown result", 1),
]
#: What a case calls ``about``, by its kind.
_ABOUT = {"return": "order", "diversion": "batch"}


def told(kind: str, who: Who, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the ticket of a case says."""
    asked = {"dealer": who.dealer, "name": who.name, "region": who.region, "phone": who.phone}
    return asked | {
        _ABOUT.get(kind, name) if name == "about" else name: value for name, value in values.items()
    }
