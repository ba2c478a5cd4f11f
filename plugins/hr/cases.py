"""What the line took in: requests, hardship, and feedback on branches, beside the tickets that they are.

Feedback is kept away from the branch that it is about (``away_from`` of its ticket). Of an anonymous one neither the
ticket nor a row here holds who gave it, nor the call that it came from: only its code leads to it, which its giver has.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Literal, Protocol, get_args

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.api import Context, Refused, TicketView, WrongState

from .models import FeedbackClipRow, FeedbackRow, RequestRow

#: 在职证明 收入证明 更正 福利报销 困难求助
RequestKind = Literal["employment", "income", "correction", "claim", "hardship"]
#: 管理作风 考勤加班 薪资发放 安全卫生 其他
Topic = Literal["conduct", "hours", "pay", "safety", "other"]
#: How head office counts what came of feedback: 属实 部分属实 不属实 未能核实
Outcome = Literal["justified", "partly", "unfounded", "unclear"]
TOPICS: tuple[str, ...] = get_args(Topic)
OUTCOMES: tuple[str, ...] = get_args(Outcome)
CODE_LENGTH = 10


class Cases(Protocol):
    """Requests and feedback: always the department's own tables, whoever the company's systems are."""

    def requests(self, employee: str, *, most: int) -> list[RequestRow]:
        """What an employee asked for, the latest first."""

    def open_hardship(self, employee: str, number: str) -> RequestRow | None:
        """The hardship request of that family that is not solved yet."""

    def keep_request(self, row: RequestRow) -> None:
        """One more request."""

    def new_code(self) -> str:
        """A code that nobody has."""

    def keep_feedback(self, row: FeedbackRow, clip: str) -> None:
        """One more feedback, and what was spoken."""

    def by_code(self, code: str) -> FeedbackRow | None:
        """The feedback whose code that is."""

    def by_ticket(self, ticket: str) -> FeedbackRow | None:
        """The feedback that is this ticket."""

    def clips(self, ticket: str) -> list[str]:
        """What was spoken of it, in order."""

    def add_clip(self, ticket: str, clip: str) -> None:
        """More was said."""

    def feedback(self, *, branch: str = "", since: datetime | None = None) -> list[FeedbackRow]:
        """All feedback (on a branch, since a moment), the oldest first."""

    def changed(self, ticket: TicketView, what: str, at: datetime) -> None:
        """A ticket of ours was changed by whatever way."""


class SqlCases:
    """The department's own tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def requests(self, employee: str, *, most: int) -> list[RequestRow]:
        query = select(RequestRow).where(RequestRow.employee == employee, RequestRow.kind != "hardship")
        return list(
            self._session.scalars(query.order_by(RequestRow.opened.desc(), RequestRow.ticket).limit(most))
        )

    def open_hardship(self, employee: str, number: str) -> RequestRow | None:
        query = select(RequestRow).where(
            RequestRow.kind == "hardship",
            RequestRow.employee == employee,
            RequestRow.number == number,
            RequestRow.solved.is_(None),
        )
        return self._session.scalars(query.order_by(RequestRow.opened).limit(1)).one_or_none()

    def keep_request(self, row: RequestRow) -> None:
        self._session.add(row)
        self._session.flush()

    def new_code(self) -> str:
        while True:
            # Drawn by the system: whoever could foresee codes could hear replies that are for others.
            code = f"{secrets.randbelow(10**CODE_LENGTH):0{CODE_LENGTH}d}"
            if self.by_code(code) is None:
                return code

    def keep_feedback(self, row: FeedbackRow, clip: str) -> None:
        self._session.add(row)
        self._session.flush()
        if clip:
            self.add_clip(row.ticket, clip)

    def by_code(self, code: str) -> FeedbackRow | None:
        return self._session.scalars(select(FeedbackRow).where(FeedbackRow.code == code)).one_or_none()

    def by_ticket(self, ticket: str) -> FeedbackRow | None:
        return self._session.get(FeedbackRow, ticket)

    def clips(self, ticket: str) -> list[str]:
        query = select(FeedbackClipRow.clip).where(FeedbackClipRow.ticket == ticket)
        return list(self._session.scalars(query.order_by(FeedbackClipRow.position)))

    def add_clip(self, ticket: str, clip: str) -> None:
        count = select(func.count()).select_from(FeedbackClipRow).where(FeedbackClipRow.ticket == ticket)
        position = (self._session.scalar(count) or 0) + 1
        self._session.add(FeedbackClipRow(ticket=ticket, position=position, clip=clip))
        self._session.flush()

    def feedback(self, *, branch: str = "", since: datetime | None = None) -> list[FeedbackRow]:
        query = select(FeedbackRow)
        if branch:
            query = query.where(FeedbackRow.branch == branch)
        if since is not None:
            query = query.where(FeedbackRow.received >= since)
        return list(self._session.scalars(query.order_by(FeedbackRow.received, FeedbackRow.ticket)))

    def changed(self, ticket: TicketView, what: str, at: datetime) -> None:
        request = self._session.get(RequestRow, ticket.number)
        if request is not None:
            request.owner = ticket.owner
            request.due = ticket.due
            request.solved = (request.solved or at) if ticket.state in ("solved", "closed") else None
        feedback = self.by_ticket(ticket.number)
        if feedback is not None:
            feedback.due = ticket.due
            if ticket.state in ("solved", "closed"):
                feedback.answered(at)
            elif what == "reopened" and feedback.replied is not None and feedback.replied < at:
                feedback.owed_again(ticket.due, ticket.reopens)
            if what == "answered":
                feedback.reply, feedback.reply_clip = ticket.answer, ""
            if what == "closed" and feedback.settled is None:
                feedback.settled = at


# -- what is done with them ------------------------------------------------------------------------------


def reply(
    ctx: Context, number: str, agent: str, *, text: str = "", clip: str = "", outcome: str
) -> FeedbackRow:
    """Answer a feedback in words or by a clip, as the agent whose id that is. Refuses ``unknown``, ``kept_away`` (the
    agent is of the branch), ``closed`` and ``outcome``."""
    row = ctx.adapter(Cases).by_ticket(number)
    if row is None:
        raise Refused("unknown", number=number, say=f"there is no feedback {number}")
    if outcome not in OUTCOMES:
        known = ", ".join(OUTCOMES)
        raise Refused("outcome", known=known, say=f"{outcome} is no outcome: {known}")
    ticket = ctx.tickets.find(number)
    if ticket is None or ticket.state == "closed":
        raise Refused("closed", number=number, say=f"feedback {number} is closed")
    _take(ctx, ticket, agent)
    if text:
        ctx.tickets.answer(number, text)
    elif ctx.tickets.find(number).state != "solved":
        ctx.tickets.solve(number, f"answered by voice: {outcome}")
    row.reply, row.reply_clip, row.outcome = text, clip, outcome
    row.answered(ctx.now)
    return row


def take(ctx: Context, number: str, agent: str) -> None:
    """The agent sees to it from now on. Refuses ``unknown``, ``kept_away`` and ``closed``."""
    ticket = ctx.tickets.find(number)
    if ctx.adapter(Cases).by_ticket(number) is None or ticket is None:
        raise Refused("unknown", number=number, say=f"there is no feedback {number}")
    if ticket.state in ("solved", "closed"):
        raise Refused("closed", number=number, say=f"feedback {number} is closed")
    _take(ctx, ticket, agent)


def _take(ctx: Context, ticket: TicketView, agent: str) -> None:
    """The owner is the agent; the records refuse one of the branch that it is about."""
    if ticket.owner == agent:
        return
    if ticket.state == "solved":
        ctx.tickets.reopen(ticket.number, "to be answered again")
    try:
        ctx.tickets.assign(ticket.number, agent)
    except WrongState as error:
        raise Refused("kept_away", why=str(error), say=str(error)) from None


def reopen(ctx: Context, row: FeedbackRow, why: str) -> None:
    """Whoever gave it is not content: it is owed again, with a time of its own."""
    ticket = ctx.tickets.find(row.ticket)
    if ticket is None or ticket.state not in ("solved", "closed"):
        ctx.tickets.note(row.ticket, why)
        return
    opened = ctx.tickets.reopen(row.ticket, why, within=ctx.settings.feedback_time, calendar="office")
    row.owed_again(opened.due, opened.reopens)
