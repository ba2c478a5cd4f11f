"""A caller who was transferred without a word: the flow takes it to whoever was meant.

A queue and a flow are places to go to. A phone is rung while the caller hears it ringing; when nobody answers,
the caller goes back to the front of the queue that it came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from engine.calls.ring import CallFloor
from engine.calls.talking import FRONT, Target
from engine.errors import HungUp, InsidelineError
from engine.flows.ringing import PARK_LIMIT, RINGBACK, RINGS_FOR, ring_and_talk
from engine.types import RingResult, TalkResult

if TYPE_CHECKING:
    from engine.flows.run import Run

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Talked:
    """The caller was taken to a phone, and that talk is over."""

    agent: str
    result: TalkResult


def take_onward(run: Run) -> Target | Talked | None:
    """Take the caller where its talk has sent it; None when it was sent nowhere. A Target that comes back is one that
    only the step can go to: a queue, a flow, or the front of the queue that the caller came from."""
    call = run.call
    over: Talked | None = None
    while call.onward is not None:
        target, call.onward = call.onward, None
        if target.kind in ("queue", "flow", "front"):
            found: Target = target
            return found
        over = _ring(run, target)
        if over is None:
            return FRONT
    return over


def _ring(run: Run, target: Target) -> Talked | None:
    """None: nobody answered."""
    call, calls = run.call, run.services.calls
    desk = calls.desk
    assert desk is not None
    engaged = None
    spoke = []
    try:
        engaged = desk.engage(target, call)
        target = desk.dial(call, target)
        assert target.dial is not None
        sound = call.start("playback", RINGBACK, lock=False)
        ring = CallFloor(calls).dial(
            call.id,
            target.dial,
            seconds=RINGS_FOR,
            number=target.caller,
            name=call.name or target.caller,
            agent=target.agent,
        )
    except InsidelineError as error:
        if isinstance(error, HungUp):
            raise
        if engaged is not None:
            engaged.over(wrap_up=False)
        call.journal("transfer.missed", to=target.shown, why=str(error), way="front")
        return None
    if engaged is not None:
        engaged.cancel = ring.cancel

    def connected() -> None:
        spoke.append(True)
        call.agent = target.agent
        call.transferred = "" if target.agent else target.shown
        if call.talk is not None:
            call.talk.shown_as(target.shown)
        if engaged is not None:
            engaged.answered()
        run.queue_place = {**run.queue_place, "a": target.agent, "b": round(run.clock.now().timestamp(), 1)}
        run.checkpoint()
        run.flush()
        call.journal("transfer.talking", to=target.shown, agent=target.agent)
        desk.recorded(call, target.agent)

    call.journal("transfer.rung", to=target.shown, agent=target.agent)

    def finished(end: RingResult | TalkResult | None = None) -> None:
        if engaged is not None:
            engaged.over(wrap_up=bool(spoke), missed=end.kind if isinstance(end, RingResult) else None)

    try:
        end = ring_and_talk(call, run.clock, ring, connected, finished)
    finally:
        finished()
    if isinstance(end, TalkResult):
        return Talked(call.agent, end)
    call.stop_sound()
    call.wait_done(sound, PARK_LIMIT)
    call.journal("transfer.missed", to=target.shown, why=f"{end.kind} {end.cause}".strip(), way="front")
    return None


__all__ = ["Talked", "take_onward"]
