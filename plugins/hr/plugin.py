"""The employees' line: pay, benefits and leave by PIN, requests, feedback on branches, and what families may ask."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from engine.api import (
    Adapter,
    CallView,
    CliCommand,
    Context,
    Department,
    Digits,
    Duration,
    Format,
    LoginRefused,
    NotFound,
    Notifier,
    Private,
    Record,
    Refused,
    Report,
    Settings,
    TicketChange,
    TicketView,
    command,
    hookimpl,
    query,
    schedule,
)

from . import cases
from .adapters import (
    Benefit,
    Benefits,
    Branch,
    HttpBenefits,
    HttpLeave,
    HttpPayroll,
    HttpStaff,
    Leave,
    LeaveLeft,
    Payroll,
    Person,
    SqlBenefits,
    SqlLeave,
    SqlPayroll,
    SqlStaff,
    Staff,
)
from .cases import Cases, Outcome, RequestKind, SqlCases, Topic
from .kinds import DESK, FEEDBACK, HARDSHIP, HEAD_OFFICE, KINDS, REQUEST
from .models import Base, FeedbackRow, RequestRow
from .notices import task_of, tell_of_feedback
from .office import COMMANDS, REPORTS
from .past import write
from .seed import fill
from .slips import Slip
from .words import FORMATS


class Rules(Settings):
    """``departments: {hr: …}`` in conf/engine.yaml. Times count while the office is open."""

    request: Duration = REQUEST.total_seconds()  # until a certificate, a correction or a claim is done
    feedback: Duration = FEEDBACK.total_seconds()  # until feedback is answered
    hardship: Duration = HARDSHIP.total_seconds()  # until a family in need was called
    partner: Digits = "8042"  # the agent who looks after families of whom nobody is named

    @property
    def feedback_time(self) -> timedelta:
        return timedelta(seconds=self.feedback)


department = Department(
    "hr",
    title="Employees' line",
    tables="hr_",
    models=Base.metadata,
    # Its own tables come first: commands, reports and hooks run where they are, wherever the company's systems are.
    adapters=[
        Adapter(Cases, sql=SqlCases),
        Adapter(Payroll, sql=SqlPayroll, http=HttpPayroll),
        Adapter(Benefits, sql=SqlBenefits, http=HttpBenefits),
        Adapter(Leave, sql=SqlLeave, http=HttpLeave),
        Adapter(Staff, sql=SqlStaff, http=HttpStaff),
    ],
    sample=fill,
    history=write,
    settings=Rules,
    tickets=KINDS,
)


# -- one's own pay, benefits and leave ------------------------------------------------------------------


@query(department, over=Payroll)
def slip(ctx: Context, employee: Digits, month: date | None = None) -> Slip | None:
    """``hr.slip``: the pay of a month, of the latest one there is when none is said."""
    payroll = ctx.adapter(Payroll)
    if month is None:
        latest = payroll.months(employee, most=1)
        if not latest:
            return None
        month = latest[0]
    return payroll.slip(employee, month.replace(day=1))


@query(department, over=Benefits)
def benefits(ctx: Context, employee: Digits) -> list[Benefit]:
    """``hr.benefits``: what may be claimed yet; empty when there is nothing."""
    return ctx.adapter(Benefits).benefits(employee, on=ctx.today)


@query(department, over=Leave)
def leave(ctx: Context, employee: Digits) -> list[LeaveLeft]:
    """``hr.leave``: the days of leave that are left; empty when there is none of any kind."""
    return ctx.adapter(Leave).leave(employee, on=ctx.today)


# -- requests ------------------------------------------------------------------------------------------


class Asked(Record):
    """A request that was taken in."""

    number: Digits
    due: datetime


class Request(Record):
    """A request as it stands."""

    number: Digits
    kind: RequestKind
    opened: date
    state: Literal["waiting", "working", "done"]
    due: datetime
    answer: str  # what the desk says of it; "" nothing


@command(department, over=Cases)
def ask(
    ctx: Context,
    employee: Digits,
    kind: RequestKind,
    detail: str = "",
    month: date | None = None,
    amount: Decimal | None = None,
    clip: str = "",
    call: str = "",
) -> Asked:
    """``hr.ask``: an employee's request becomes a ticket of the desk."""
    said = {"employee": employee, "detail": detail, "month": month and f"{month:%Y-%m}"}
    said["amount"] = None if amount is None else f"{amount:.2f}"
    ticket = ctx.tickets.open(
        kind,
        within=timedelta(seconds=ctx.settings.request),
        data={name: value for name, value in said.items() if value},
        call=call,
        clips=[clip] if clip else [],
    )
    _keep(ctx, ticket, employee)
    assert ticket.due is not None
    return Asked(number=ticket.number, due=ticket.due)


def _keep(ctx: Context, ticket: TicketView, employee: str, number: str = "") -> None:
    row = RequestRow(
        ticket=ticket.number, employee=employee, kind=ticket.kind, opened=ticket.opened, due=ticket.due,
        owner=ticket.owner, number=number,
    )  # fmt: skip
    ctx.adapter(Cases).keep_request(row)


@query(department, over=Cases)
def requests(ctx: Context, employee: Digits) -> list[Request]:
    """``hr.requests``: the last five requests of an employee, the latest first."""
    found = []
    for row in ctx.adapter(Cases).requests(employee, most=5):
        ticket = ctx.tickets.find(row.ticket)
        if ticket is not None:
            found.append(_request(ctx, row, ticket))
    return found


def _request(ctx: Context, row: RequestRow, ticket: TicketView) -> Request:
    over = ticket.state in ("solved", "closed")
    return Request.model_validate(
        {
            "number": row.ticket,
            "kind": row.kind,
            "opened": row.opened.astimezone(ctx.now.tzinfo).date(),
            "state": "done" if over else "working" if ticket.owner else "waiting",
            "due": ticket.due or row.due or row.opened,
            "answer": ticket.answer,
        }
    )


# -- feedback on a branch --------------------------------------------------------------------------------


@query(department, over=Staff)
def branches(ctx: Context) -> list[Branch]:
    """``hr.branches``: all branches and head office."""
    return ctx.adapter(Staff).branches()


class Filed(Record):
    """Feedback that was taken in. ``code`` is for whoever gave it, and for nobody else."""

    number: Digits
    code: Digits
    due: datetime


@command(department, over=Cases)
def give_feedback(
    ctx: Context,
    branch: Digits,
    branch_name: str,
    site: str,
    topic: Topic,
    clip: str,
    employee: str = "",
    call: str = "",
) -> Filed:
    """``hr.give_feedback``: a ticket that nobody of the branch ever handles, and a code to follow it up. Without an
    ``employee`` (and a ``call``) nothing that is kept says who gave it."""
    data = {"branch": branch, "branch_name": branch_name, "topic": topic, "employee": employee}
    ticket = ctx.tickets.open(
        "feedback",
        within=ctx.settings.feedback_time,
        data={name: value for name, value in data.items() if value},
        call=call if employee else "",
        clips=[clip],
        away_from=site,
    )
    desk = ctx.adapter(Cases)
    row = FeedbackRow(
        ticket=ticket.number, code=desk.new_code(), branch=branch, branch_name=branch_name, topic=topic,
        employee=employee, received=ticket.opened, due=ticket.due, reopened=0,
    )  # fmt: skip
    desk.keep_feedback(row, clip)
    assert ticket.due is not None
    return Filed(number=ticket.number, code=row.code, due=ticket.due)


class Followed(Record):
    """Feedback as whoever has its code may know it."""

    branch_name: str
    site: str  # whose people must not talk about it
    received: date
    state: Literal["waiting", "working", "answered", "settled"]
    due: datetime
    reply: str
    clip: str  # the reply as it was spoken; "" none


@query(department, over=Cases)
def follow_up(ctx: Context, code: Digits) -> Followed | None:
    """``hr.follow_up``: what became of the feedback with this code."""
    row = ctx.adapter(Cases).by_code(code)
    ticket = ctx.tickets.find(row.ticket) if row is not None else None
    if row is None or ticket is None:
        return None
    state = {"closed": "settled", "solved": "answered"}.get(
        ticket.state, "working" if ticket.owner else "waiting"
    )
    return Followed.model_validate(
        {
            "branch_name": row.branch_name,
            "site": ticket.away_from,
            "received": row.received.astimezone(ctx.now.tzinfo).date(),
            "state": state,
            "due": ticket.due or row.received,
            "reply": ticket.answer if not (row.reply or row.reply_clip) else row.reply,
            "clip": row.reply_clip,
        }
    )


@command(department, refusals=("unknown", "not_answered"), over=Cases)
def settle(ctx: Context, code: Digits) -> None:
    """``hr.settle``: whoever gave the feedback agrees with what was answered."""
    row = ctx.adapter(Cases).by_code(code)
    ticket = ctx.tickets.find(row.ticket) if row is not None else None
    if row is None or ticket is None:
        raise Refused("unknown")
    if ticket.state == "closed":
        return
    if ticket.state != "solved":
        raise Refused("not_answered")
    ctx.tickets.close(row.ticket, "whoever gave it agrees")
    row.settled = ctx.now


@command(department, refusals=("unknown",), over=Cases)
def say_more(ctx: Context, code: Digits, clip: str) -> None:
    """``hr.say_more``: more about a feedback; one that was answered is owed an answer again."""
    desk = ctx.adapter(Cases)
    row = desk.by_code(code)
    if row is None:
        raise Refused("unknown")
    desk.add_clip(row.ticket, clip)
    ctx.tickets.link(row.ticket, "clip", clip)
    cases.reopen(ctx, row, "more was said by whoever gave it")


# -- the desk by phone -----------------------------------------------------------------------------------


@command(department, refusals=("wrong_pin", "locked", "not_allowed"), over="engine")
def sign_in(ctx: Context, agent: Digits, pin: Private[Digits], phone: str) -> None:
    """``hr.sign_in``: is that an agent of ours, by the PIN? One who does not exist is refused as a wrong PIN is."""
    try:
        found = ctx.agents.verify(agent, pin, phone)
    except LoginRefused as error:
        raise Refused(error.reason) from None
    if "hr" not in found.queues:
        raise Refused("not_allowed")


class Case(Record):
    """Feedback as the desk hears it."""

    number: Digits
    branch_name: str
    topic: Topic
    received: date
    named: bool  # it was given by name
    clips: list[str]
    reply: str


@command(department, refusals=("unknown", "kept_away", "closed"), over=Cases)
def take_feedback(ctx: Context, number: Digits, agent: Digits) -> Case:
    """``hr.take_feedback``: the agent sees to it from now on, and hears it; nobody of the branch ever does."""
    cases.take(ctx, number, agent)
    desk = ctx.adapter(Cases)
    row = desk.by_ticket(number)
    assert row is not None
    return Case.model_validate(
        {
            "number": number,
            "branch_name": row.branch_name,
            "topic": row.topic,
            "received": row.received.astimezone(ctx.now.tzinfo).date(),
            "named": bool(row.employee),
            "clips": desk.clips(number),
            "reply": row.reply,
        }
    )


@command(department, refusals=("unknown", "kept_away", "closed", "outcome"), over=Cases)
def reply(ctx: Context, number: Digits, agent: Digits, outcome: Outcome, clip: str) -> None:
    """``hr.reply``: the answer to a feedback, spoken."""
    cases.reply(ctx, number, agent, clip=clip, outcome=outcome)


# -- families --------------------------------------------------------------------------------------------


@query(department, over=Staff)
def partner(ctx: Context, employee: Digits) -> str | None:
    """``hr.partner``: the agent of HR who looks after this employee; None for a number that nobody has. Nothing about
    the employee is answered: anybody may call for the family of anybody."""
    person: Person | None = ctx.adapter(Staff).person(employee)
    branch = ctx.adapter(Staff).branch(person.branch) if person is not None else None
    return (branch.partner or ctx.settings.partner) if branch is not None else None


class Owner(Record):
    """Who sees to something."""

    agent: Digits
    name: str


@query(department, over="engine")
def owner(ctx: Context, agent: str) -> Owner | None:
    """``hr.owner``: the agent of that id, or the one who looks after families of whom nobody is named; None when
    neither is there."""
    for one in (agent, ctx.settings.partner):
        try:
            found = ctx.agents.agent(one)
        except NotFound:
            continue
        return Owner(agent=found.id, name=found.name)
    return None


class Promised(Record):
    """A hardship request that was taken in, or was there already (``again``)."""

    number: Digits
    due: datetime
    again: bool


@command(department, over=Cases)
def ask_for_help(
    ctx: Context,
    employee: str,
    need: Literal["illness", "child", "money", "other"],
    clip: str,
    number: str,
    owner: Digits,
    call: str = "",
) -> Promised:
    """``hr.ask_for_help``: a family's hardship request, with a named owner. A second one of the same family, from the
    same number and while the first is open, is the first one."""
    desk = ctx.adapter(Cases)
    known = desk.open_hardship(employee, number) if employee and number else None
    if known is not None and known.due is not None:
        ctx.tickets.link(known.ticket, "clip", clip)
        ctx.tickets.note(known.ticket, "the family called again")
        return Promised(number=known.ticket, due=known.due, again=True)
    ticket = ctx.tickets.open(
        "hardship",
        owner=owner,
        within=timedelta(seconds=ctx.settings.hardship),
        data={"employee": employee, "need": need, "number": number},
        caller=number,
        call=call,
        clips=[clip],
    )
    _keep(ctx, ticket, employee, number)
    ctx.notify(DESK, "hr/hardship_notice", number=ticket.number, owner=owner)
    assert ticket.due is not None
    return Promised(number=ticket.number, due=ticket.due, again=False)


# -- by the clock, and what happens elsewhere -------------------------------------------------------------


@schedule(department, at="08:30", calendar="office", over=Cases)
def tell_head_office(ctx: Context) -> None:
    """Each working morning: the branches whose feedback is past its time, told to head office."""
    tell_of_feedback(ctx, HEAD_OFFICE)


@hookimpl
def ticket_changed(ctx: Context, ticket: TicketView, change: TicketChange) -> None:
    """Whatever way a ticket of ours was solved, the reports know."""
    if ticket.department == "hr":
        ctx.adapter(Cases).changed(ticket, change.what, change.at)


@hookimpl
def recording_allowed(call: CallView) -> bool | None:
    """Nothing of this line is recorded as long as nobody may know who calls."""
    unknown = not call.number and call.party is None
    return False if call.flow.startswith("hr/") and unknown else None


@hookimpl
def screen_pop(ctx: Context, call: CallView) -> dict[str, object] | None:
    """``branch`` and ``requests`` of an employee who calls: number, kind and state of what is not done yet."""
    party = call.party
    if party is None or party.kind != "employee" or not call.flow.startswith("hr/"):
        return None
    rows = ctx.adapter(Cases).requests(party.code, most=5)
    owed = [f"{row.ticket} {row.kind}" for row in rows if row.solved is None]
    return {"branch": party.site, **({"requests": owed} if owed else {})}


@hookimpl
def register_notifiers() -> list[Notifier]:
    return [Notifier("hr.task", task_of)]


@hookimpl
def register_formats() -> list[Format]:
    return FORMATS


@hookimpl
def register_reports() -> list[Report]:
    return REPORTS


@hookimpl
def register_commands() -> list[CliCommand]:
    return COMMANDS


@hookimpl
def register_department() -> Department:
    return department
