"""A caller speaks to a beep: what dictate and voicemail share.

Prompt, beep, clip; a clip in which nobody spoke long enough is asked for again. The beep, the clip and the end of its
key are sent in one write and wait for one another in the switch, so that all of it runs on without an engine. Which
clip it is stands in the call's state: who takes the call up waits for its end, and goes on with what was said.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from engine.errors import HungUp
from engine.esl import commands
from engine.esl.commands import Digits
from engine.flows.asking import SILENT, Asked, Given, ask, valued
from engine.flows.step import Again, Step, Values
from engine.records.clips import Said
from engine.schema.fields import Attempts, Duration, Flag, Key, PromptRef
from engine.schema.shapes import Shape, wrong

if TYPE_CHECKING:
    from engine.flows.run import Run

BEEP: Final = "tone_stream://%(200,100,1000)"
"""A fifth of a second of 1 kHz (whole periods, so that it neither begins nor ends with a click), then as much silence
as keeps its echo out of the clip."""

THRESHOLD: Final = 200
"""The mean sample below which the switch hears silence, of 32767: -44 dBFS; speech on a phone is at 1,000 and more."""

REVIEW: Final = "clip_review"
COMPLETE: Final = 3.0  # seconds that the switch has to write the end of a clip after the caller hung up


class ReviewKeys(Shape):
    """What the keys do when the clip is offered."""

    hear: Key = "1"
    """Hears the clip."""
    again: Key = "2"
    """Says it again."""
    accept: Key = "3"
    """Accepts it."""


def three_keys(keys: ReviewKeys) -> None:
    """Refuse keys that mean two things."""
    if len({keys.hear, keys.again, keys.accept}) < 3:
        raise wrong("keys", "two of `hear`, `again` and `accept` have the same key", at="keys")


class Dictating(Step):
    """The fields of both. ``limit`` is the longest clip (the switch counts whole seconds), ``silence`` the pause that
    ends it, ``shortest`` how much must be heard in it."""

    waits = True

    limit: Duration = 60.0
    """The longest clip; the switch counts whole seconds."""
    silence: Duration = 4.0
    """The pause that ends the clip."""
    shortest: Duration = 1.0
    """How much must be heard in it; with less the caller is asked again."""
    end: Key = "#"
    """The key that ends the clip."""
    attempts: Attempts = 3
    """How often the caller is asked to speak."""
    first: Duration = 6.0
    """How long to wait for a key when the clip is offered."""
    again: Again = Again()
    """What is said before the caller is asked again."""
    values: Values = {}
    """Values for the prompt, beside the names of the flow."""
    interrupt: Flag = True
    """May a key end the prompt?"""
    review: PromptRef | None = None
    """What offers the clip; the common prompt `clip_review` when left out."""
    keys: ReviewKeys = ReviewKeys()
    """The keys of the review."""


def dictated(run: Run, step: Dictating, prompt: str, *, offer: bool, kind: Kind) -> Said | None:
    """A clip that the caller has accepted; None when nothing was said, as often as it was asked for. ``kind`` is told
    of each clip that begins, and of those that are nothing."""
    said = _taken_up(run, step)
    for attempt in range(1, step.attempts + 1):
        if said is None:
            run.speak(prompt, valued(run, step.values), interrupt=step.interrupt)
            run.typed_ahead = ""  # a key ended the prompt, and is no answer
            said = _clip(run, step, kind)
        if said.heard < step.shortest:
            run.call.journal("input.refused", step=step.label, reason="silent", attempt=attempt)
            kind.dropped(said)
            said, run.midway = None, {}
            if attempt < step.attempts:
                run.speak(step.again.silent or SILENT, interrupt=step.interrupt)
        elif offer and not _accepted(run, step, said):
            kind.dropped(said)
            said, run.midway = None, {}
        else:
            return said
    return None


class Kind:
    """What becomes of a clip, apart from being spoken."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def begins(self, id: str) -> None:
        """The caller is about to speak."""

    def dropped(self, said: Said) -> None:
        """Nothing was said, or it is to be said again."""
        self.run.services.clips.drop(said)

    def hung_up(self, said: Said) -> None:
        """The caller hung up while speaking, or afterwards, and never accepted it."""
        self.run.services.clips.drop(said)


def _taken_up(run: Run, step: Dictating) -> Said | None:
    """The clip that an earlier engine began, once it is over; None when there is none."""
    id = run.midway.get("i")
    if run.resumption is None or not id:
        return None
    if run.awaited and run.midway.get("p") != "review":
        run.call.collected(run.awaited, step.limit + 30.0)
        run.resumption, run.awaited = None, ""
    said = run.services.clips.said(str(id))
    if said is None:
        run.resumption = None
    return said


def _clip(run: Run, step: Dictating, kind: Kind) -> Said:
    """Beep, and record what the caller says. The end is a key, silence, the limit, or the caller's own."""
    call, clips = run.call, run.services.clips
    call.answer()
    new = clips.new(call.id)
    kind.begins(new.id)
    event_uuid = call.new_event_uuid()
    run.midway = {"i": new.id}
    run.checkpoint(event_uuid)
    call.run("set", f"playback_terminators={step.end}")
    call.later(commands.playback(call.id, BEEP))
    limit = max(1, math.floor(step.limit))
    argument = commands.clip_argument(new.file, limit, THRESHOLD, max(1, round(step.silence)))
    call.start("record", argument, event_uuid=event_uuid)
    call.later(commands.execute(call.id, "set", "playback_terminators=none", lock=True))
    try:
        if call.wait_done(event_uuid, limit + 20.0).lost:
            call.stop_sound()
            call.wait_behind(5.0)
    except HungUp:
        clips.wait_complete(new.id, COMPLETE)
        kind.hung_up(clips.said(new.id) or Said(new.id, "", "", 0.0, 0.0, 0))
        raise
    return clips.said(new.id) or Said(new.id, "", "", 0.0, 0.0, 0)


def _accepted(run: Run, step: Dictating, said: Said) -> bool:
    """Let the caller hear the clip as often as wanted; False when it is to be said again. Who presses nothing has
    accepted: it is better to have it than not."""
    run.midway = {"i": said.id, "p": "review"}
    keys = step.keys
    digits = Digits(minimum=1, maximum=1, first=step.first, terminators="")
    question = Asked(step.label, step.review or REVIEW, step.attempts, interrupt=step.interrupt)
    wanted = (keys.hear, keys.again, keys.accept)
    while True:
        pressed = ask(run, question, digits, lambda key: Given(key) if key in wanted else None)
        if pressed is None or pressed.value == keys.accept:
            return True
        if pressed.value == keys.again:
            return False
        run.sound(said.file, said.seconds, interrupt=True)
