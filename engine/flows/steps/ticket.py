"""``ticket``: opens a ticket, exactly once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from engine.errors import NotFound, Pending, StoreError
from engine.flows.asking import told
from engine.flows.expressions import ExpressionError
from engine.flows.packing import pack
from engine.flows.scope import UnknownName
from engine.flows.step import Into, Step, Values
from engine.flows.values import Val
from engine.schema.fields import CalendarRef, Duration, Name, Target
from engine.schema.shapes import Ref

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run

#: A group of conf/notify.yaml.
GroupRef = Annotated[Name, Ref("group")]


class Ticket(Step):
    """Its key is call + step + visit, or ``once``, which holds across calls: a redial hears the first number.

    ``group`` may take it, ``owner`` has it from the start. ``due`` counts the open time of ``calendar``; when it is
    not solved by then, ``escalate`` (a group of conf/notify.yaml) is told. ``data`` is what it is about, ``clips``
    are dictated ones. ``into`` gets ``number``, ``due`` and ``state``.
    """

    kind = "ticket"
    short = "kind"
    needs_caller = False
    lenient = frozenset({"data"})

    about: Name = Field(alias="kind")
    group: Name | None = None
    owner: Val | None = None
    data: Values = Field(default_factory=dict)
    clips: list[Val] = Field(default_factory=list)
    due: Duration | None = None
    calendar: CalendarRef | None = None
    escalate: GroupRef | None = None
    once: Val | None = None
    into: Into | None = None
    within: Duration = 5.0
    failed: Target

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
            clips = [str(clip.get(scope)) for clip in self.clips]
            key = (
                f"ticket:{run.department}:{self.about}:{self.once.get(scope)}" if self.once else run.step_key
            )
        except (UnknownName, ExpressionError) as error:
            return run.fail(self, str(error), self.failed)
        data = pack(told(run, self.data))

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
            )
            return {"number": made.number, "due": made.due, "state": made.state}

        try:
            made = services.store.deed(key, run.department, open_one, self.within)
        except (StoreError, Pending, NotFound) as error:
            return run.fail(self, str(error), self.failed)
        records.settled("tickets")
        call.journal("flow.ticket", ticket=made["number"], key=key)
        if self.into is not None:
            due = made["due"]
            moment = datetime.fromisoformat(due).astimezone(ZoneInfo(services.timezone)) if due else None
            run.bear(self.into, {**made, "due": moment})
        return None
