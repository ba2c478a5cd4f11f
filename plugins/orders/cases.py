"""What dealers ask of their region's supervisor: exceptions, returns, reports of goods sold across regions. Each is a
case in the desk's own tables and a ticket with a clock; both change in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.api import Context, Digits, Record, Refused, TicketChange, TicketView, WrongState

from .kinds import Who, told
from .models import Act, Case
from .pricing import NOTHING

Kind = Literal["exception", "return", "diversion"]
State = Literal["none", "open", "approved", "refused", "settled"]
#: Of exceptions: credit arrears. Of returns: damaged expiring wrong unsold. Of diversions: none.
Reason = Literal["", "credit", "arrears", "damaged", "expiring", "wrong", "unsold"]
LASTS = timedelta(days=3)  # so long an approval holds


class CaseView(Record):
    """A case as the supervisor hears it."""

    id: int
    kind: Kind
    reason: Reason
    dealer: Digits
    name: str
    region: str
    phone: str
    amount: Decimal
    article: str
    cases: int
    about: str
    clip: str
    ticket: str  # its number; "" for what was there before there were tickets
    state: State
    opened: datetime
    hours: int  # since it was opened


class Grant(Record):
    """What a supervisor has granted for a draft."""

    state: State
    allowance: Decimal
    excused: bool
    by: str


class Waiting(Record):
    """What waits for a region's supervisor."""

    exceptions: int
    returns: int
    diversions: int


class Cases:
    """The cases within one transaction of the desk's."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._session: Session = ctx.session

    def open(self, kind: Kind, who: Who, *, clip: str = "", **values: Any) -> CaseView:
        """A new case, and its ticket for the region's group. An exception that is asked for twice is one."""
        if kind == "exception":
            known = self._exception(values["draft"], values["reason"])
            if known is not None and known.state == "open":
                return self._view(known)
        group = group_of(self._ctx, who.region)
        settings = self._ctx.settings
        ticket = self._ctx.tickets.open(
            kind,
            group=group,
            within=timedelta(seconds=settings.answer if kind == "exception" else settings.settle),
            escalate=group,
            caller=who.phone,
            call=who.call,
            clips=[clip] if clip else [],
            data=told(kind, who, values),
        )
        asked = {name: value for name, value in who._asdict().items() if name != "call"}
        case = Case(kind=kind, opened=self._ctx.now, ticket=ticket.number, clip=clip, **asked, **values)
        self._session.add(case)
        self._session.flush()
        return self._view(case)

    def grant(self, draft: int) -> Grant:
        """What holds for a draft: what was granted for credit and for arrears together."""
        rows = self._session.scalars(
            select(Case).where(Case.kind == "exception", Case.draft == draft).order_by(Case.id)
        ).all()
        held = [one for one in rows if one.state == "approved" and self._holds(one)]
        if held:
            return Grant(
                state="approved",
                allowance=max((one.amount for one in held if one.reason == "credit"), default=NOTHING),
                excused=any(one.reason == "arrears" for one in held),
                by=held[-1].by,
            )
        state = rows[-1].state if rows else "none"
        state = "none" if state == "approved" else state  # it lasted too long
        return Grant.model_validate({"state": state, "allowance": NOTHING, "excused": False, "by": ""})

    def waiting(self, region: str, kind: str) -> list[CaseView]:
        """What is open in a region (all with ""), the oldest first."""
        query = select(Case).where(Case.state == "open").order_by(Case.opened, Case.id)
        if region:
            query = query.where(Case.region == region)
        if kind:
            query = query.where(Case.kind == kind)
        return [self._view(one) for one in self._session.scalars(query)]

    def counts(self, region: str) -> Waiting:
        rows = self._session.execute(
            select(Case.kind, func.count(Case.id))
            .where(Case.region == region, Case.state == "open")
            .group_by(Case.kind)
        )
        found = dict(rows.all())
        return Waiting(
            exceptions=found.get("exception", 0),
            returns=found.get("return", 0),
            diversions=found.get("diversion", 0),
        )

    def hear(self, case: int) -> None:
        """The supervisor deals with it for the first time."""
        row = self._session.get(Case, case)
        if row is not None and row.responded is None:
            row.responded = self._ctx.now

    def decide(self, case: int, state: State, by: str) -> CaseView:
        """It is over; ``Refused``: "decided" when it was before, "not_yours" for whoever does not supervise its region.
        Its ticket is solved."""
        row = self._session.scalars(select(Case).where(Case.id == case).with_for_update()).one_or_none()
        if row is None or row.state != "open":
            raise Refused("decided")
        self._is_for(row, by)
        row.state, row.by, row.settled = state, by, self._ctx.now
        row.responded = row.responded or self._ctx.now
        if row.ticket:
            try:
                self._ctx.tickets.solve(row.ticket, f"{state} by {by}")
            except WrongState:  # somebody at the desk was quicker with the ticket alone
                self._ctx.log.info("ticket settled before its case", ticket=row.ticket)
        return self._view(row)

    def _is_for(self, case: Case, by: str) -> None:
        """A region's own supervisor decides; what belongs to no region is for each of them."""
        regions = self._ctx.settings.regions
        if case.region in regions:
            its = regions[case.region]
            if by != its.agent:
                whose = f"{case.region}, which {its.agent} {its.supervisor} supervises"
                raise Refused("not_yours", by=its.agent, say=f"case {case.id} is of {whose}, not {by}")
        elif by not in (supervisors := [one.agent for one in regions.values()]):
            raise Refused("not_yours", say=f"{by} supervises no region; {', '.join(supervisors)} do")

    def follow(self, ticket: TicketView, change: TicketChange) -> None:
        """A case goes the way of its ticket, when somebody works on that; an exception is decided by a supervisor only.
        What the desk's own handlers did with a ticket is known already."""
        row = self._session.scalars(select(Case).where(Case.ticket == ticket.number)).one_or_none()
        if row is None or change.by.startswith(("orders.", "orders ")):  # a handler, a command
            return
        row.responded = row.responded or change.at
        if change.what in ("solved", "closed") and row.state == "open" and row.kind != "exception":
            row.state, row.by, row.settled = "settled", change.by, change.at
        self._session.add(
            Act(
                at=change.at,
                who=change.by,
                what=change.what,
                about=f"case {row.id}",
                region=row.region,
                how="ticket",
                note=change.note,
            )
        )

    def _exception(self, draft: int, reason: str) -> Case | None:
        return self._session.scalars(
            select(Case)
            .where(Case.kind == "exception", Case.draft == draft, Case.reason == reason)
            .order_by(Case.id.desc())
            .limit(1)
        ).one_or_none()

    def _holds(self, case: Case) -> bool:
        return case.settled is not None and self._ctx.now - case.settled <= LASTS

    def _view(self, row: Case) -> CaseView:
        values = {name: getattr(row, name) for name in CaseView.model_fields if name != "hours"}
        hours = int((self._ctx.now - row.opened).total_seconds()) // 3600
        return CaseView.model_validate({**values, "hours": hours})


def group_of(ctx: Context, region: str) -> str:
    """The group of conf/notify.yaml that is told of a region's matters; "" for a region that nobody supervises."""
    found = ctx.settings.regions.get(region)
    return found.group if found is not None else ""
