"""A month's pay, line by line, and the sums that have to agree: 应发 - 扣款 = 实发."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Literal, Self, get_args

from pydantic import model_validator

from engine.api import Digits, Private, Record

#: 基本工资 岗位津贴 外派补贴 加班费 绩效
Earning = Literal["base", "post", "posting", "overtime", "performance"]
#: 养老 医疗 失业 公积金 个税
Deduction = Literal["pension", "medical", "unemployment", "housing", "tax"]
Kind = Literal[
    "base",
    "post",
    "posting",
    "overtime",
    "performance",
    "pension",
    "medical",
    "unemployment",
    "housing",
    "tax",
]

EARNINGS: tuple[str, ...] = get_args(Earning)
DEDUCTIONS: tuple[str, ...] = get_args(Deduction)
KINDS: tuple[str, ...] = get_args(Kind)


class SlipLine(Record):
    """One line. A deduction is an amount above zero, too; which of the two it is says its kind. An earning below zero
    takes back what was paid too much."""

    kind: Kind
    amount: Private[Decimal]


class Slip(Record):
    """What somebody was paid for a month. A slip whose sums do not agree is refused as nonsense, whoever sent it."""

    employee: Digits
    month: date  # its first day
    lines: list[SlipLine]  # in the order of KINDS
    gross: Private[Decimal]  # 应发
    deductions: Private[Decimal]  # 扣款
    net: Private[Decimal]  # 实发

    @model_validator(mode="after")
    def _sums_agree(self) -> Self:
        gross, deductions = _sums((line.kind, line.amount) for line in self.lines)
        if (self.gross, self.deductions, self.net) != (gross, deductions, gross - deductions):
            raise ValueError("the sums of the slip do not agree with its lines")  # no amount in the words
        if len({line.kind for line in self.lines}) < len(self.lines):
            raise ValueError("a line stands in the slip twice")
        return self


def slip_of(employee: str, month: date, amounts: Iterable[tuple[str, Decimal]]) -> Slip:
    """The slip that these lines make; what is nothing is left out."""
    known = {kind: amount for kind, amount in amounts if amount}
    lines = [{"kind": kind, "amount": known[kind]} for kind in KINDS if kind in known]
    gross, deductions = _sums(known.items())
    return Slip.model_validate(
        {
            "employee": employee, "month": month, "lines": lines, "gross": gross, "deductions": deductions,
            "net": gross - deductions,
        }
    )  # fmt: skip


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> tuple[Decimal, Decimal]:
    gross = deductions = Decimal("0.00")
    for kind, amount in amounts:
        if kind in EARNINGS:
            gross += amount
        else:
            deductions += amount
    return gross, deductions
