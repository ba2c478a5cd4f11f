"""Closing the office by phone: a supervisor says who he is, which calendar, and until when."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.api import (
    Context,
    Department,
    Digits,
    LoginRefused,
    Private,
    Record,
    Refused,
    Step,
    WrongState,
    command,
    hookimpl,
    query,
)

from .challenge import Challenge

department = Department("duty", title="Closing and opening in an emergency")


class Hours(Record):
    """What a calendar says."""

    open: bool
    closed_by_hand: bool  # an emergency closure holds
    until: datetime | None  # when that changes; None: not within a month


@command(department, refusals=("wrong_pin", "locked", "not_allowed"), over="engine")
def sign_in(ctx: Context, agent: Digits, pin: Private[Digits], phone: str) -> None:
    """``duty.sign_in``: is that a supervisor, by the PIN? An agent who does not exist is refused as a wrong PIN is."""
    try:
        ctx.agents.verify(agent, pin, phone, role="supervisor")
    except LoginRefused as error:
        raise Refused(error.reason) from None


@query(department, over="engine")
def hours(ctx: Context, calendar: str) -> Hours:
    """``duty.hours``: what the calendar says now."""
    view = ctx.calendars.state(calendar)
    closed = any(one.begin <= ctx.now < one.until for one in view.closures)
    return Hours(open=view.open, closed_by_hand=closed, until=view.until)


@query(department, over="engine")
def next_time(ctx: Context, calendar: str, at: time) -> datetime:
    """``duty.next_time``: the next moment at which it is ``at`` o'clock: today, or else tomorrow."""
    now = ctx.now.astimezone(ZoneInfo(ctx.calendars.state(calendar).timezone))
    when = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return when if when > now else when + timedelta(days=1)


@command(department, refusals=("too_late",), over="engine")
def close(ctx: Context, calendar: str, until: datetime, agent: Digits) -> None:
    """``duty.close``: closed from now on, for every call, until then; in place of closures that hold already."""
    try:
        ctx.calendars.close(
            calendar, until, by=agent, why="closed by phone", how="phone", key=ctx.key, instead=True
        )
    except WrongState:
        raise Refused("too_late") from None


@command(department, over="engine")
def reopen(ctx: Context, calendar: str, agent: Digits) -> None:
    """``duty.reopen``: the closures that hold are over, and the calendar's own hours hold again. Harmless when none
    does."""
    try:
        ctx.calendars.open(calendar, by=agent, why="opened by phone", how="phone")
    except WrongState:
        ctx.log.info("nothing to open", calendar=calendar)


@hookimpl
def register_steps() -> list[type[Step]]:
    return [Challenge]


@hookimpl
def register_department() -> Department:
    return department
