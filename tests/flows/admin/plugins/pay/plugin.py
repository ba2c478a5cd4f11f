"""Pay: who an employee is, and the slip of a month."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from engine.api import Context, Department, Digits, Private, Record, Refused, command, hookimpl, query


class Slip(Record):
    month: date
    gross: Private[Decimal]
    net: Private[Decimal]


department = Department("pay", title="Pay")


@command(department, refusals=("wrong", "locked"), over="engine")
def sign_in(ctx: Context, employee: Digits, pin: Private[Digits]) -> None:
    """Is this the employee's PIN?"""
    if pin != "4711":
        raise Refused("wrong")


@query(department, over="engine")
def slip(ctx: Context, employee: Digits, month: date) -> Slip | None:
    """The slip of a month, None before there is one."""
    if month.year < 2026:
        return None
    return Slip(month=month, gross=Decimal("8200.00"), net=Decimal("6431.50"))


@hookimpl
def register_department() -> Department:
    return department
