"""A talk after a restart of the engine: what stood on the caller's channel, compared with what the switch says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine.calls.ring import CallFloor
from engine.calls.talk import Party, Talk
from engine.calls.talking import Mode, Target
from engine.errors import InsidelineError

if TYPE_CHECKING:
    from engine.calls.call import Call
    from engine.calls.leg import Leg
    from engine.calls.registry import Calls

log = structlog.get_logger(__name__)


def left_behind(calls: Calls, call: Call, text: str) -> tuple[Mode, Leg | None, Leg | None, str] | None:
    """What an earlier engine left: the mode, the first and the second leg (None: gone) and the conference's name. None
    when the text is none of ours."""
    parts = text.split("~")
    if len(parts) != 4 or parts[0] not in set(Mode):
        return None
    legs = [
        leg if leg is not None and leg.owner == call.id else None for leg in map(calls.legs.get, parts[1:3])
    ]
    return Mode(parts[0]), legs[0], legs[1], parts[3]


def take_up(calls: Calls, call: Call, first: Leg, second: Leg | None, mode: Mode, room: str) -> Talk:
    """Go on with a talk in its mode: called when the first's leg is adopted and marked as kept.

    What can't be gone on with (the second is gone, a bridge is not as it should be) ends with the caller and the first
    together again, by :meth:`Talk.mend`.
    """
    talk = Talk(calls, call, first)
    call.talk = talk
    first.kept = mode is not Mode.TALKING or first.peer != call.id
    talk.wake()
    talk.room = room
    if second is not None and mode not in (Mode.TALKING, Mode.HELD):
        ring = CallFloor(calls).adopt(call.id, second.uuid)
        engaged = None
        if second.agent and calls.desk is not None:
            try:
                engaged = calls.desk.engage(Target("agent", second.agent), call)
            except InsidelineError as error:
                log.info("talk.agent_not_taken", agent=second.agent, why=str(error))
        talk.second = Party(second, second.agent, "", ring, engaged)
        if mode is Mode.RINGING:
            talk.mode = mode
            talk.follow_ring(talk.second)
            return talk
        second.kept = True
        second.watch = first.watch
        talk.second.ring = ring
        if engaged is not None:
            engaged.answered()
    talk.mode = mode
    talk.mend()
    return talk


__all__ = ["left_behind", "take_up"]
