"""``conference``: a room in which any number of people talk; the flow goes on when the caller leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.flows.conferring import confer
from engine.flows.step import Into, Step
from engine.flows.values import Val
from engine.schema.fields import Duration, Flag, Key, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Conference(Step):
    """``room`` is its name within the department: whoever enters the same one talks with the others, and hears music
    while alone. ``invite`` are agents' ids, extensions and numbers (as conf/trunks.yaml allows) to be rung; when one of
    two is left and somebody was invited, the room ends. The room of a ``moderator`` ends when that caller leaves.

    ``leave`` is the key that leads out, ``longest`` how long the caller may stay; ``after`` is where the flow goes on
    (the next step when left out), ``into`` keeps a record with ``room`` and ``seconds``. ``failed``: the switch let
    nobody in.
    """

    kind = "conference"
    waits = True

    room: Val
    invite: Annotated[tuple[Val, ...], Field(max_length=10)] = ()
    moderator: Flag = False
    leave: Key = "*"
    longest: Duration | None = None
    into: Into | None = None
    after: Target | None = None
    failed: Target

    def falls_through(self) -> bool:
        return self.after is None

    def bears(self, way: str) -> bool:
        return way == "after"

    def run(self, run: Run) -> Move:
        return confer(run, self)
