"""The agents' own line: log in and out, be ready, take a break, from the phone on the desk."""

from __future__ import annotations

from engine.api import (
    CallView,
    Context,
    Department,
    Digits,
    LoginRefused,
    NotFound,
    PartyView,
    Private,
    Record,
    Refused,
    WrongState,
    command,
    hookimpl,
    query,
)

from . import leading  # its queries and commands belong to the department
from .department import department

__all__ = ["department", "leading"]


class Seat(Record):
    """Who is logged in on a phone."""

    agent: Digits
    state: str  # "ready", "paused", "wrap_up" …
    reason: str  # why paused, or ""


@query(department, over="engine")
def seat(ctx: Context, phone: str) -> Seat | None:
    """``desk.seat``: the agent who is logged in on this extension."""
    agent = ctx.agents.agent_on(phone)
    return None if agent is None else Seat(agent=agent.id, state=agent.state.value, reason=agent.reason)


@command(department, refusals=("wrong_pin", "locked", "phone_taken", "elsewhere"), over="engine")
def login(ctx: Context, agent: Digits, pin: Private[Digits], phone: str) -> None:
    """``desk.login``: the agent answers calls on this extension from now on. An agent who does not exist is
    refused as a wrong PIN is."""
    try:
        ctx.agents.login(agent, pin, phone)
    except LoginRefused as error:
        raise Refused(error.reason) from None
    except NotFound:
        raise Refused("wrong_pin") from None
    except WrongState:
        raise Refused("elsewhere") from None


@command(department, refusals=("wrong_pin", "locked"), over="engine")
def boxes(ctx: Context, agent: Digits, pin: Private[Digits], phone: str) -> list[str]:
    """``desk.boxes``: whose messages the agent may hear: the agent's own, and those of the agent's queues. It counts
    wrong PINs, and so it is a command."""
    try:
        view = ctx.agents.verify(agent, pin, phone)
    except LoginRefused as error:
        raise Refused("locked" if error.reason == "locked" else "wrong_pin") from None
    return [view.id, *view.queues]


@command(
    department,
    refusals=("wrong_pin", "locked", "not_allowed", "unknown", "not_talking"),
    over="engine",
)
def supervise(ctx: Context, by: Digits, pin: Private[Digits], agent: Digits, phone: str) -> None:
    """``desk.supervise``: a supervisor hears an agent's talk on this phone, which rings a moment after the call."""
    try:
        ctx.agents.verify(by, pin, phone, "supervisor")
    except LoginRefused as error:
        known = error.reason if error.reason in ("locked", "not_allowed") else "wrong_pin"
        raise Refused(known) from None
    try:
        ctx.agents.supervise(by, agent, phone)
    except NotFound:
        raise Refused("unknown") from None
    except WrongState:
        raise Refused("not_talking") from None


@command(department, over="engine")
def logout(ctx: Context, agent: Digits) -> None:
    """``desk.logout``: no more calls; a talk is finished first."""
    ctx.agents.logout(agent)


@command(department, refusals=("not_logged_in",), over="engine")
def ready(ctx: Context, agent: Digits) -> None:
    """``desk.ready``: the break, or the work after a call, is over."""
    try:
        ctx.agents.ready(agent)
    except WrongState:
        raise Refused("not_logged_in") from None


@command(department, refusals=("not_logged_in", "unknown_reason"), over="engine")
def pause(ctx: Context, agent: Digits, reason: str) -> None:
    """``desk.pause``: no calls for a while; the reports show the reason, which is one of those of conf/agents.yaml
    where that names any. A talk is finished first."""
    try:
        ctx.agents.pause(agent, reason)
    except WrongState:
        raise Refused("not_logged_in") from None
    except NotFound:
        raise Refused("unknown_reason") from None


@command(department, refusals=("no_call", "unknown_code"), over="engine")
def dispose(ctx: Context, agent: Digits, code: Digits) -> str:
    """``desk.dispose``: what came of the agent's call, by the key that conf/queues.yaml gives it; the work after the
    call is done with that. Answers the word of it."""
    try:
        view = ctx.agents.agent(agent)
        if view.dispositions and code not in view.dispositions:
            raise Refused("unknown_code")
        ctx.agents.disposition(agent, code)
    except WrongState:
        raise Refused("no_call") from None
    except NotFound:
        raise Refused("unknown_code") from None
    return view.dispositions.get(code, code)


@hookimpl
def identify_party(by: str, value: str) -> PartyView | None:
    """A phone of the house is a colleague's, whoever sits at it."""
    if by != "number" or not value.isdecimal() or len(value) > 6:
        return None
    return PartyView(id=0, kind="employee", code=value, name=f"extension {value}", numbers=(value,))


@hookimpl
def recording_allowed(call: CallView) -> bool | None:
    """The agents' own line is never recorded, whatever its flows say: PINs are typed here."""
    return False if call.flow.startswith("desk/") else None


@hookimpl
def register_department() -> Department:
    return department
