"""The tickets that the line opens, and what each says. Nothing about pay stands in one but the amount of a claim,
which its employee typed for the desk."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final, Literal

from engine.api import Digits, Record, TicketKind

DESK = "hr_desk"
HEAD_OFFICE = "hr_head_office"

# How much of the office's time each may take, where conf/engine.yaml says nothing else.
REQUEST: Final = timedelta(hours=15)  # a certificate, a correction or a claim: two working days
FEEDBACK: Final = timedelta(hours=37.5)  # an answer to feedback: a working week
HARDSHIP: Final = timedelta(hours=4)  # a family in need is called


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


def _kind(
    name: str, fields: type[Record], chinese: str, english: str, within: timedelta, escalate: str = DESK
) -> TicketKind:
    return TicketKind(
        name,
        fields=fields,
        title={"zh-CN": chinese, "en": english},
        group=DESK,
        within=within,
        calendar="office",
        escalate=escalate,
    )


KINDS = [
    _kind("employment", Certificate, "在职证明", "certificate of employment", REQUEST),
    _kind("income", Certificate, "收入证明", "certificate of income", REQUEST),
    _kind("correction", Correction, "工资更正", "correction of pay", REQUEST),
    _kind("claim", Claim, "福利报销", "benefit claim", REQUEST),
    _kind("hardship", Hardship, "困难求助", "hardship request", HARDSHIP),
    _kind("feedback", Feedback, "网点反馈", "feedback on a branch", FEEDBACK, HEAD_OFFICE),
    _kind("notice", Notice, "通知", "notice", timedelta(hours=7.5), ""),
]
