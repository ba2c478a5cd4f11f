"""``dictate``: the caller says what keys can't (a name, an address), and it is kept as a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from engine.errors import HungUp
from engine.flows.dictating import Dictating, Kind, dictated, three_keys
from engine.flows.moves import Go
from engine.flows.step import Into
from engine.flows.types import NUMBER, TEXT, Type, record
from engine.records.clips import DICTATION
from engine.schema.fields import Flag, PromptRef, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run
    from engine.flows.step import Types


class Dictate(Dictating):
    """A clip is kept when it is accepted (or when it is not offered); that of a caller who hangs up before is not."""

    kind = "dictate"

    into: Into
    """Gets a record: `id` of the clip, and its `seconds`."""
    prompt: PromptRef
    """What is asked; a beep follows."""
    offer: Flag = True
    """May the caller hear it, say it again or accept it afterwards?"""
    give_up: Target
    """Where a caller leads who said nothing in all attempts."""

    @model_validator(mode="after")
    def _keys(self) -> Self:
        three_keys(self.keys)
        return self

    def born_type(self, name: str, types: Types) -> Type:
        return record("clip", id=TEXT, seconds=NUMBER)

    def run(self, run: Run) -> Move:
        clips, call = run.services.clips, run.call
        try:
            said = dictated(run, self, self.prompt, offer=self.offer, kind=Kind(run))
        except HungUp:
            # One that was offered, and not accepted yet.
            if run.midway.get("p") == "review" and (left := clips.said(run.midway["i"])) is not None:
                clips.drop(left)
            raise
        if said is None:
            return Go(self.give_up, way="give_up")
        clips.keep(said, call.id, DICTATION, flow=run.frame.flow.name, step=self.key)
        call.journal("clip.kept", clip=said.id, seconds=said.seconds, step=self.label)
        run.bear(self.into, {"id": said.id, "seconds": round(said.seconds, 1)})
        return None
