"""A caller found after a restart of the engine in more than a plain talk: held, in a consultation, three together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from engine.acd.places import Request
from engine.calls.leg import Leg
from engine.calls.ring import CallFloor
from engine.calls.talk import VARIABLE
from engine.calls.talk_again import left_behind, take_up
from engine.calls.talking import FRONT, Mode
from engine.errors import NoSuchCall, NotFound
from engine.esl import commands
from engine.types import TalkEnd

if TYPE_CHECKING:
    from engine.calls.call import Resumption
    from engine.flows.run import Run

log = structlog.get_logger(__name__)

Found = tuple[Mode, Leg | None, Leg | None, str]


class NoPlace:
    """The place of a caller whom no queue knows now."""

    def leave(self, reason: object = "") -> bool:
        return False

    def position(self) -> int:
        return 0

    def expected_wait(self) -> float | None:
        return None


def found_talk(run: Run, resumption: Resumption) -> Found | None:
    """What the earlier engine left of a talk; None when it was a plain one, or none."""
    call, calls = run.call, run.services.calls
    found = left_behind(calls, call, resumption.variables.get(VARIABLE, ""))
    if found is None and resumption.bridged_to:
        # A plain talk with whom no queue knows: an extension or a number that the caller was transferred to.
        leg = calls.legs.get(resumption.bridged_to)
        if leg is not None and leg.owner == call.id and not leg.agent:
            return Mode.TALKING, leg, None, ""
    return found


def take_up_talk(run: Run, request: Request, found: Found) -> Any:
    """Go on with it; answers the caller's place. Who is left of it goes on with the caller, and when nobody is, the
    caller goes to the front of its queue."""
    mode, first, second, room = found
    call, calls = run.call, run.services.calls
    if first is None and second is not None and mode is Mode.RINGING:
        calls.require_line().post(commands.uuid_kill(second.uuid, "ORIGINATOR_CANCEL"))
    elif first is None and second is not None:
        first, second, mode = second, None, Mode.TALKING
    if first is None:
        call.onward = FRONT
        call.leg.inbox.put(_nobody())
        return NoPlace()
    bridged = first.peer == call.id
    first.kept = not bridged or mode is not Mode.TALKING
    place: Any = NoPlace()
    followed = False
    if first.agent:
        try:
            place = run.services.acd.resume_talk(request, first.agent, first.uuid)
            followed = True
        except (NotFound, NoSuchCall) as error:
            log.warning("talk.agent_not_resumed", call=call.id, agent=first.agent, error=str(error))
    ring = CallFloor(calls).adopt(call.id, first.uuid) if not followed else None
    talk = take_up(calls, call, first, second, mode, room)
    if ring is not None:
        talk.follow_first(ring)
    return place


def _nobody() -> Any:
    from engine.calls.talking import TalkOver

    return TalkOver("", TalkEnd.LOST, 0.0)


__all__ = ["found_talk", "take_up_talk"]
