"""``conference``: a room in which any number of people talk; the flow goes on when the caller leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.flows.conferring import confer
from engine.flows.step import Into, Step, Types
from engine.flows.types import REAL, TEXT, Type, record
from engine.flows.values import Val
from engine.schema.fields import Duration, Flag, Key, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Conference(Step):
    """Whoever is alone hears music. When one of two is left and somebody was invited, the room ends."""

    kind = "conference"
    waits = True

    room: Val
    """Its name within the department: whoever enters the same one talks with the others."""
    invite: Annotated[tuple[Val, ...], Field(max_length=10)] = ()
    """Whom to ring for it: agents' ids, extensions, and numbers as conf/trunks.yaml allows."""
    moderator: Flag = False
    """The room ends when this caller leaves it."""
    leave: Key = "*"
    """The key that leads out."""
    longest: Duration | None = None
    """How long the caller may stay."""
    into: Into | None = None
    """Gets a record: `room` and `seconds`."""
    after: Target | None = None
    """Where the caller leads who has left; the next step when left out."""
    failed: Target
    """Where it leads when the switch let nobody in."""

    def born_type(self, name: str, types: Types) -> Type:
        return record("conference", room=TEXT, seconds=REAL)

    def falls_through(self) -> bool:
        return self.after is None

    def bears(self, way: str) -> bool:
        return way == "after"

    def run(self, run: Run) -> Move:
        return confer(run, self)
