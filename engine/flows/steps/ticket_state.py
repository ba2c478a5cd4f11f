"""``ticket_state``: how a ticket stands that the caller knows the number of."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from engine.errors import StoreError
from engine.flows.expressions import ExpressionError
from engine.flows.moves import Go
from engine.flows.scope import UnknownName
from engine.flows.step import Into, Step, Types
from engine.flows.types import DIGITS, FLAG, MOMENT, TEXT, Type, choice, optional, record
from engine.flows.values import Val
from engine.records import numbering
from engine.records.tickets import OWED, STATES
from engine.schema.fields import Duration, Flag, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run
    from engine.types import TicketView


class TicketState(Step):
    """A number that nobody has, a mistyped one, and one that is not the caller's to ask for all go the way
    `not_found`: nobody learns which."""

    kind = "ticket_state"
    needs_caller = False

    number: Val
    """The ticket's number, as the caller typed it."""
    department: Val | None = None
    """Whose tickets are meant; those of the flow's own department when left out, `any` for all."""
    mine: Flag = False
    """Only tickets of the party that calls, or from the number that the call comes from."""
    into: Into
    """Gets a record: `number`, `kind`, `title` (how the kind is called in the caller's language), `state`, `group`,
    `owner`, `opened`, `due`, `overdue`, `done`, `answer`."""
    within: Duration = 3.0
    """How long it may take."""
    not_found: Target
    """Where it leads when there is no such ticket."""
    failed: Target
    """Where it leads when the tickets can't be looked up."""

    def born_type(self, name: str, types: Types) -> Type:
        return record(
            "ticket", number=DIGITS, kind=TEXT, title=TEXT, state=choice(*STATES), group=TEXT, owner=TEXT,
            opened=MOMENT, due=optional(MOMENT), overdue=FLAG, done=FLAG, answer=TEXT,
        )  # fmt: skip

    def how(self, way: str) -> str:
        return "no such ticket" if way == "not_found" else super().how(way)

    def run(self, run: Run) -> Move:
        run.checkpoint()
        run.flush()
        records = run.services.records
        if records is None:
            return run.fail(self, "there are no records", self.failed)
        try:
            number = str(self.number.get(run.scope) or "")
            wanted = str(self.department.get(run.scope) or "") if self.department is not None else ""
        except (UnknownName, ExpressionError) as error:
            return run.fail(self, str(error), self.failed)
        found: TicketView | None = None
        if numbering.is_number(number):
            try:
                found = records.read(lambda session: records.desk(session).find(number), self.within)
            except StoreError as error:
                return run.fail(self, str(error), self.failed)
        if found is None or not self._may_hear(run, found, wanted or run.department):
            return Go(self.not_found, way="not_found")
        run.call.journal("flow.ticket_state", ticket=found.number, state=found.state)
        run.bear(self.into, self._said(run, found))
        return None

    def _may_hear(self, run: Run, ticket: TicketView, wanted: str) -> bool:
        if wanted not in ("any", ticket.department):
            return False
        if not self.mine:
            return True
        party = run.party
        if party is not None and ticket.party:
            return party.id == ticket.party
        return bool(ticket.caller) and ticket.caller == run.call.number

    def _said(self, run: Run, ticket: TicketView) -> dict[str, Any]:
        zone = ZoneInfo(run.services.timezone)
        local: dict[str, datetime | None] = {
            name: moment.astimezone(zone) if moment is not None else None
            for name, moment in (("opened", ticket.opened), ("due", ticket.due))
        }
        owed = ticket.state in OWED
        overdue = owed and ticket.due is not None and ticket.due <= run.services.clock.now()
        language = run.call.language
        return {
            "number": ticket.number, "kind": ticket.kind, "title": ticket.titles.get(language, ticket.kind),
            "state": ticket.state, "group": ticket.group, "owner": ticket.owner, **local,
            "overdue": overdue, "done": not owed, "answer": ticket.answer,
        }  # fmt: skip
