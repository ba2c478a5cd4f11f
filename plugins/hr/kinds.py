"""The tickets that the line opens, and what each says. Nothing about pay stands in one but the amount of a claim,
which its employee typed for the desk."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from engine.api import Digits, Record, TicketKind

DESK = "hr_desk"
HEAD_OFFICE = "hr_head_office"


class Certificate(Record):
    employee: Digits


class Correction(Record):
    employee: Digits
    month: str  # 2026-10; what is wrong was dictated


class Claim(Record):
    employee: Digits
    detail: str  # one of adapters.BENEFITS
    amount: Decimal


class Hardship(Record):
    need: Literal["illness", "child", "money", "other"]
    number: str  # to be called
    employee: str = ""  # whose family it is, as it was typed


class Feedback(Record):
    branch: Digits
    branch_name: str
    topic: str
    employee: str = ""  # "" nobody knows who gave it


class Notice(Record):
    notice: str
    text: str
    level: str


def _kind(name: str, fields: type[Record], chinese: str, english: str, escalate: str = DESK) -> TicketKind:
    return TicketKind(
        name,
        fields=fields,
        title={"zh-CN": chinese, "en": english},
        group=DESK,
        calendar="office",
        escalate=escalate,
    )


KINDS = [
    _kind("employment", Certificate, "在职证明", "certificate of employment"),
    _kind("income", Certificate, "收入证明", "certificate of income"),
    _kind("correction", Correction, "工资更正", "correction of pay"),
    _kind("claim", Claim, "福利报销", "benefit claim"),
    _kind("hardship", Hardship, "困难求助", "hardship request"),
    _kind("feedback", Feedback, "网点反馈", "feedback on a branch", HEAD_OFFICE),
    _kind("notice", Notice, "通知", "notice", ""),
]
