"""The tickets that the department opens: what each says, whose it is, by when it is done, and who is told when not."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal, get_args

from engine.api import Digits, Record, TicketKind

#: What a complaint is about.
Kind = Literal["late", "fee", "damage", "attitude"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
Group = Literal["exceptions", "complaints"]

#: Who sees to what: the exceptions group to shipments, the complaints group to money and manners.
GROUPS: Final[dict[Kind, Group]] = {
    "late": "exceptions",
    "damage": "exceptions",
    "fee": "complaints",
    "attitude": "complaints",
}

# How much open time each may take, where conf/engine.yaml says nothing else.
ANSWER: Final = timedelta(hours=2)  # operations find out about a last mile
COMPLETE: Final = timedelta(minutes=15)  # the desk writes down what was dictated of an order
EXCEPTIONS: Final = timedelta(hours=4)  # a complaint of a late, lost or damaged shipment
COMPLAINTS: Final = timedelta(hours=8)  # one of a fee or of manners; an appeal, too


class LastMile(Record):
    waybill: Digits
    callback: str  # to be called


class Pickup(Record):
    order: str
    branch: str
    district: str
    to_write_down: bool  # something was dictated


class PickupUnknown(Record):
    about: str  # what was ordered; whether it was taken is not known


class Unacknowledged(Record):
    notice: str
    text: str
    branch: str = ""


class Complained(Record):
    kind: Kind
    waybill: str = ""


class Appeal(Record):
    complaint: Digits  # the ticket of the complaint
    branch: str
    rule: str  # LIAB-02 v3


class Notice(Record):
    notice: str
    text: str
    level: str


def _kind(
    name: str,
    fields: type[Record],
    titles: tuple[str, str],
    group: str,
    within: timedelta,
    calendar: str = "office",
    escalate: str = "logistics_desk",
) -> TicketKind:
    """``titles``: in Chinese, in English."""
    return TicketKind(
        name,
        fields=fields,
        title=dict(zip(("zh-CN", "en"), titles, strict=True)),
        group=group,
        within=within,
        calendar=calendar,
        escalate=escalate,
    )


def _complaint(kind: Kind, *titles: str) -> TicketKind:
    group = GROUPS[kind]
    within = EXCEPTIONS if group == "exceptions" else COMPLAINTS
    return _kind(
        f"complaint_{kind}", Complained, (titles[0], titles[1]), group, within, escalate=f"logistics_{group}"
    )


TICKETS: Final = [
    _complaint("late", "延误投诉", "complaint of a late shipment"),
    _complaint("damage", "货损投诉", "complaint of lost or damaged goods"),
    _complaint("fee", "费用投诉", "complaint of a fee"),
    _complaint("attitude", "服务投诉", "complaint of how somebody was treated"),
    _kind("appeal", Appeal, ("责任申诉", "appeal"), "complaints", COMPLAINTS, escalate="logistics_complaints"),
    _kind("last_mile", LastMile, ("末端查询", "question about a last mile"), "operations", ANSWER),
    _kind("pickup", Pickup, ("上门取货", "pick-up"), "logistics", COMPLETE, "desk"),
    _kind(
        "pickup_unknown", PickupUnknown, ("待核实的取货", "pick-up to be looked into"), "logistics",
        timedelta(minutes=30), "desk",
    ),
    _kind(
        "unacknowledged", Unacknowledged, ("网点未确认", "branch that did not acknowledge"), "exceptions", COMPLETE,
        "desk",
    ),
    _kind("notice", Notice, ("通知", "notice"), "logistics", EXCEPTIONS, escalate=""),
]  # fmt: skip
