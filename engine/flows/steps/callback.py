"""``callback``: promises to call back; the engine does it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from engine.errors import NotFound, Pending, StoreError
from engine.flows.asking import told
from engine.flows.expressions import ExpressionError
from engine.flows.moves import Go
from engine.flows.packing import pack
from engine.flows.scope import UnknownName
from engine.flows.step import Into, Step, Types, Values
from engine.flows.types import FLAG, MOMENT, TEXT, Type, record
from engine.flows.values import Val, parse_value
from engine.records.callbacks import owe
from engine.records.owed import Kept
from engine.schema.fields import Duration, Flag, QueueRef, Target, whole

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run

_TRIES = whole(1, 20)


class Callback(Step):
    """``within`` and ``window`` count the open time of the queue. A number that is owed a call already is not owed
    two."""

    kind = "callback"
    needs_caller = False
    lenient = frozenset({"data"})

    queue: QueueRef
    """The queue whose agent is to talk with the caller."""
    number: Val = Field(default_factory=lambda: parse_value("{caller.number}"))
    """Who is called; the caller's own number when left out."""
    keep_place: Flag = False
    """The caller goes on standing in the queue: when its turn comes an agent is reserved, and then it is called."""
    first: Literal["agent", "caller"] = "agent"
    """Who is rung first for a kept place: the reserved `agent`, who hears it ring at the caller's, or the `caller`."""
    within: Duration = 1800.0
    """Called by then in any case, also when nobody in the queue became free before."""
    window: Duration = 14400.0
    """Given up after that."""
    tries: Annotated[int, _TRIES[0], _TRIES[1]] = 3
    """How often the number is dialled."""
    data: Values = Field(default_factory=dict)
    """What the agent's desk is told then. A value that is not known is left out."""
    into: Into | None = None
    """Gets a record: `id`, `number`, `due` and `again` (it was owed already)."""
    refused: Target | None = None
    """Where a number leads that may not be called; `failed` when left out."""
    failed: Target
    """Where it leads when the call could not be promised."""

    def born_type(self, name: str, types: Types) -> Type:
        return record("callback", id=TEXT, number=TEXT, due=MOMENT, again=FLAG)

    def _place(self, run: Run, now: datetime) -> tuple[datetime, Kept | None]:
        """Since when its wait counts, and the place to keep: that of the queue which the caller has just left."""
        if not self.keep_place:
            return now, None
        left = run.queue_place.get("L") or {}
        mine = left if left.get("q") == self.queue else {}
        since = (
            datetime.fromtimestamp(left["t"], UTC)
            if "t" in left
            else now - timedelta(seconds=run.call.waited)
        )
        kept = Kept(
            skills=dict(mine.get("s") or {}),
            priority=int(mine.get("p", run.priority)),
            agent=str(mine.get("A", "")),
            tier=str(mine.get("T", "")),
            site=str(mine.get("S", "")),
            away=tuple(mine.get("W", ())),
            first=self.first,
            last_agent=str(mine.get("l", "")),
        )
        return min(since, now), kept

    def run(self, run: Run) -> Move:
        from engine.flows.called_back import flow_name  # it makes flows with this step in mind

        run.checkpoint()
        run.flush()
        services, call = run.services, run.call
        callbacks = services.records.callbacks if services.records is not None else None
        if callbacks is None:
            return run.fail(self, "nothing is dialled here", self.failed)
        try:
            number = services.numbers.e164(str(self.number.get(run.scope) or ""))
        except (UnknownName, ExpressionError) as error:
            return run.fail(self, str(error), self.failed)
        why = callbacks.outbound.check(number, dialled=call.dialled) if number else "the number is withheld"
        if why:
            call.journal("callback.refused", queue=self.queue, why=why)
            if self.refused is None:
                return run.fail(self, why, self.failed)
            run.failure = why
            return Go(self.refused, way="refused")
        now, data = services.clock.now(), pack(told(run, self.data))
        since, place = self._place(run, now)

        def promise(session: Any) -> dict[str, Any]:
            owed, known = owe(
                session, callbacks.queues, queue=self.queue, number=number,
                flow=flow_name(run.department, self.queue, self.keep_place), now=now, since=since,
                within=self.within, window=self.window, tries=self.tries,
                department=run.department, language=call.language, dialled=call.dialled,
                call=call.id, data=data, place=place,
            )  # fmt: skip
            return {"id": owed.id, "number": owed.number, "due": owed.due, "again": known}

        try:
            made = services.store.deed(run.step_key, run.department, promise, 5.0)
        except (StoreError, Pending, NotFound) as error:
            return run.fail(self, str(error), self.failed)
        call.journal(
            "callback.owed", callback=made["id"], queue=self.queue, due=made["due"], again=made["again"]
        )
        callbacks.wake()
        if self.into is not None:
            due = datetime.fromisoformat(made["due"]).astimezone(ZoneInfo(services.timezone))
            run.bear(self.into, {**made, "due": due})
        return None
