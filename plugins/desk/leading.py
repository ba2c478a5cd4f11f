"""What a supervisor steers by phone: agents, queues, and those who wait in them. Who it is was asked by PIN before."""

from __future__ import annotations

from engine.api import (
    Context,
    Digits,
    LoginRefused,
    NotFound,
    Private,
    Record,
    Refused,
    WrongState,
    command,
    query,
)

from .department import department

MOST_WAITING = 17
"""Callers that are read out at most: two pages of a list on the phone."""


class Line(Record):
    """A queue, as a supervisor hears it."""

    name: str
    title: str
    waiting: int
    ready: int
    closed: bool


class Waits(Record):
    """Somebody who waits in a queue."""

    call: str
    number: int  # place in the queue
    minutes: int  # waited, begun ones included


@command(department, refusals=("wrong_pin", "locked", "not_allowed"), over="engine")
def lead(ctx: Context, by: Digits, pin: Private[Digits], phone: str) -> None:
    """``desk.lead``: whether that is a supervisor, by the PIN."""
    try:
        ctx.agents.verify(by, pin, phone, "supervisor")
    except LoginRefused as error:
        raise Refused(error.reason if error.reason in ("locked", "not_allowed") else "wrong_pin") from None


@command(department, refusals=("unknown", "not_logged_in", "unknown_reason"), over="engine")
def steer_agent(ctx: Context, agent: Digits, what: str, reason: str) -> None:
    """``desk.steer_agent``: for an agent what it could do itself: ``pause`` (with a ``reason``), ``logout``, ``ready``.
    A talk is finished first."""
    try:
        if what == "pause":
            ctx.agents.agent(agent)
            try:
                ctx.agents.pause(agent, reason)
            except NotFound:
                raise Refused("unknown_reason") from None
        elif what == "logout":
            ctx.agents.logout(agent)
        else:
            ctx.agents.ready(agent)
    except NotFound:
        raise Refused("unknown") from None
    except WrongState:
        raise Refused("not_logged_in") from None


@query(department, over="engine")
def lines(ctx: Context, language: str) -> list[Line]:
    """``desk.lines``: all queues."""
    return [
        Line(
            name=one.name,
            title=one.title,
            waiting=one.callers,
            ready=one.agents_ready,
            closed=bool(one.closed),
        )
        for one in ctx.agents.queues(language)
    ]


@query(department, over="engine")
def waiting(ctx: Context, queue: str) -> list[Waits]:
    """``desk.waiting``: who waits in a queue on the line, the next one first."""
    try:
        view = ctx.agents.queue(queue)
    except NotFound:
        return []
    return [
        Waits(
            call=one.call, number=one.position, minutes=int((ctx.now - one.since).total_seconds() // 60) + 1
        )
        for one in view.waiting
        if not one.virtual
    ][:MOST_WAITING]


@command(department, refusals=("unknown",), over="engine")
def steer_queue(ctx: Context, by: Digits, queue: str, what: str) -> None:
    """``desk.steer_queue``: ``close`` a queue, or ``open`` it, as far as its calendar lets it."""
    try:
        if what == "close":
            ctx.agents.close_queue(queue, "phone", by)
        else:
            ctx.agents.open_queue(queue, by)
    except NotFound:
        raise Refused("unknown") from None


@command(department, refusals=("gone", "not_now"), over="engine")
def steer_caller(ctx: Context, by: Digits, call: str, queue: str) -> None:
    """``desk.steer_caller``: a waiting caller goes into ``queue``, or to the front when that is "". ``gone``: it does
    not wait any more. ``not_now``: a phone rings for it just now, or that queue is closed."""
    try:
        if queue:
            ctx.agents.move(call, queue, by)
        else:
            ctx.agents.to_front(call, by)
    except NotFound:
        raise Refused("gone") from None
    except WrongState:
        raise Refused("not_now") from None
