"""``ticket``: opens a ticket, exactly once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from engine.errors import NotFound, Pending, StoreError, WrongState
from engine.flows.asking import told
from engine.flows.expressions import ExpressionError
from engine.flows.packing import pack
from engine.flows.scope import UnknownName
from engine.flows.step import Into, Step, Types, Values
from engine.flows.types import MOMENT, TEXT, Type, optional, record
from engine.flows.values import Val
from engine.schema.fields import CalendarRef, Duration, Name, Target
from engine.schema.shapes import Ref

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run

#: A group of conf/notify.yaml.
GroupRef = Annotated[Name, Ref("group")]


class Ticket(Step):
    """Its key is the call, the step and the visit, or ``once``: after a restart, or a redial, the first number is
    given."""

    kind = "ticket"
    short = "kind"
    needs_caller = False
    lenient = frozenset({"data"})

    about: Name = Field(alias="kind")
    """What kind of ticket it is."""
    group: Name | None = None
    """Who may take it. This, `due`, `calendar` and `escalate` are what the kind says when they are left out."""
    owner: Val | None = None
    """Who has it from the start."""
    data: Values = Field(default_factory=dict)
    """What it is about: what its kind declares, where the department declares kinds. A value that is not known is left
    out."""
    clips: list[Val] = Field(default_factory=list)
    """Dictated clips that belong to it."""
    away_from: Val | None = None
    """A site whose people must never have it, nor do anything about it: whom it is about."""
    due: Duration | None = None
    """By when it is to be solved; counts the open time of `calendar`."""
    calendar: CalendarRef | None = None
    """The calendar of `due`."""
    escalate: GroupRef | None = None
    """The group of conf/notify.yaml that is told when it is not solved by then."""
    once: Val | None = None
    """A key that holds across calls: a redial hears the first number."""
    into: Into | None = None
    """Gets a record: `number`, `due` and `state`."""
    within: Duration = 5.0
    """How long it may take."""
    failed: Target
    """Where it leads when it could not be opened."""

    def born_type(self, name: str, types: Types) -> Type:
        return record("ticket", number=TEXT, due=optional(MOMENT), state=TEXT)

    def run(self, run: Run) -> Move:
        run.checkpoint()
        run.flush()
        services, call = run.services, run.call
        records = services.records
        if records is None:
            return run.fail(self, "there are no records", self.failed)
        try:
            scope = run.scope
            owner = str(self.owner.get(scope) or "") if self.owner is not None else ""
            away_from = str(self.away_from.get(scope) or "") if self.away_from is not None else ""
            clips = [str(clip.get(scope)) for clip in self.clips]
            key = (
                f"ticket:{run.department}:{self.about}:{self.once.get(scope)}" if self.once else run.step_key
            )
        except (UnknownName, ExpressionError) as error:
            return run.fail(self, str(error), self.failed)
        # What a declared kind takes is held against its types there; the rest is kept so that it can be spoken.
        data = told(run, self.data)
        data = dict(data) if run.department in services.kinds_of_tickets else pack(data)
        party = run.party.id if run.party is not None and not run.deferred else 0

        def open_one(session: Any) -> dict[str, Any]:
            desk = records.desk(session, department=run.department, by=f"call {call.id}")
            made = desk.open(
                self.about,
                group=self.group or "",
                owner=owner,
                within=timedelta(seconds=self.due) if self.due is not None else None,
                calendar=self.calendar or "",
                escalate=self.escalate or "",
                data=data,
                caller=call.number,
                call=call.id,
                recording=run.recorded,
                clips=clips,
                party=party,
                away_from=away_from,
            )
            return {"number": made.number, "due": made.due, "state": made.state}

        try:
            made = services.store.deed(key, run.department, open_one, self.within)
        except (StoreError, Pending, NotFound, WrongState) as error:
            return run.fail(self, str(error), self.failed)
        records.settled("tickets")
        call.journal("flow.ticket", ticket=made["number"], key=key)
        if self.into is not None:
            due = made["due"]
            moment = datetime.fromisoformat(due).astimezone(ZoneInfo(services.timezone)) if due else None
            run.bear(self.into, {**made, "due": moment})
        return None
