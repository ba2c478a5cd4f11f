"""``voicemail``: the caller leaves a message in a box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from engine.errors import HungUp
from engine.flows.dictating import Dictating, Kind, dictated, three_keys
from engine.flows.moves import Go
from engine.flows.step import Into
from engine.flows.types import NUMBER, TEXT, Type, record
from engine.flows.values import Val
from engine.records.clips import Said
from engine.records.messages import SHORTEST
from engine.schema.fields import Attempts, Duration, Flag, PromptRef, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run
    from engine.flows.step import Types

LEAVE_MESSAGE = "leave_message"


class Voicemail(Dictating):
    """A caller who hangs up after speaking has left the message."""

    kind = "voicemail"
    short = "box"

    box: Val
    """Whose message it is: an agent's number, a queue, a department."""
    prompt: PromptRef | None = None
    """What is asked; the common prompt `leave_message` when left out. A beep follows."""
    limit: Duration = 120.0
    """The longest message; the switch counts whole seconds."""
    attempts: Attempts = 2
    """How often the caller is asked to speak."""
    offer: Flag = False
    """May the caller hear it, say it again or accept it afterwards?"""
    into: Into | None = None
    """Gets a record, on the way on: `id`, `box` and `seconds`."""
    give_up: Target | None = None
    """Where a caller leads who said nothing; the next step when left out."""

    @model_validator(mode="after")
    def _keys(self) -> Self:
        three_keys(self.keys)
        return self

    def born_type(self, name: str, types: Types) -> Type:
        return record("message", id=TEXT, box=TEXT, seconds=NUMBER)

    def run(self, run: Run) -> Move:
        box = str(self.box.get(run.scope))
        kind = _Left(run, self, box)
        try:
            said = dictated(run, self, self.prompt or LEAVE_MESSAGE, offer=self.offer, kind=kind)
        except HungUp:
            if run.midway.get("p") == "review" and (found := run.services.clips.said(run.midway["i"])):
                kind.hung_up(found)
            raise
        if said is None:
            return None if self.give_up is None else Go(self.give_up, way="give_up")
        kind.kept(said)
        if self.into is not None:
            run.bear(self.into, {"id": said.id, "box": box, "seconds": round(said.seconds, 1)})
        return None


class _Left(Kind):
    """A message: its row is there before the first word."""

    def __init__(self, run: Run, step: Voicemail, box: str) -> None:
        super().__init__(run)
        self.step = step
        self.box = box

    def begins(self, id: str) -> None:
        run, call = self.run, self.run.call
        number, name = ("", "") if run.deferred else (call.number, call.name)
        run.services.messages.begin(id, self.box, call.id, number=number, name=name, language=call.language)

    def dropped(self, said: Said) -> None:
        self.run.services.messages.drop(said.id, said if said.path else None)

    def hung_up(self, said: Said) -> None:
        if said.heard < min(SHORTEST, self.step.shortest):
            self.dropped(said)
        else:
            self.kept(said)

    def kept(self, said: Said) -> None:
        run = self.run
        run.services.messages.keep(said, run.call.id, flow=run.frame.flow.name, step=self.step.key)
