"""A caller found after a restart of the engine in more than a plain talk: held, in a consultation, three together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from engine.acd.places import Request
from engine.calls.ring import CallFloor
from engine.calls.talk import VARIABLE
from engine.calls.talk_again import LeftBehind, left_behind, take_up
from engine.calls.talking import FRONT, Mode
from engine.errors import NoSuchCall, NotFound
from engine.esl import commands
from engine.types import TalkEnd

if TYPE_CHECKING:
    from engine.calls.call import Resumption
    from engine.flows.run import Run

log = structlog.get_logger(__name__)


class NoPlace:
    """The place of a caller whom no queue knows now."""

    def leave(self, reason: object = "") -> bool:
        return False

    def position(self) -> int:
        return 0

    def expected_wait(self) -> float | None:
        return None


def found_talk(run: Run, resumption: Resumption) -> LeftBehind | None:
    """What the earlier engine left of a talk; None when it was a plain one, or none."""
    call, calls = run.call, run.services.calls
    found = left_behind(calls, call, resumption.variables.get(VARIABLE, ""))
    if found is None and resumption.bridged_to:
        # A plain talk with whom no queue knows: an extension or a number that the caller was transferred to.
        leg = calls.legs.get(resumption.bridged_to)
        if leg is not None and leg.owner == call.id and not leg.agent:
            return LeftBehind(Mode.TALKING, leg)
    return found


def take_up_talk(run: Run, request: Request, found: LeftBehind) -> Any:
    """Go on with it; answers the caller's place. Who is left of it goes on with the caller, and when nobody is, the
    caller goes to the front of its queue."""
    call, calls = run.call, run.services.calls
    if found.first is None:
        if found.mode in (Mode.RINGING, Mode.QUEUED):
            _stop_rings(run)
        elif found.second is not None:
            found = LeftBehind(Mode.TALKING, found.second, queue=found.queue)
    first, mode = found.first, found.mode
    if first is None:
        call.onward = FRONT
        call.leg.inbox.put(_nobody())
        return NoPlace()
    bridged = first.peer == call.id
    first.kept = not bridged or mode is not Mode.TALKING
    place: Any = NoPlace()
    followed = False
    if first.agent:
        if mode is Mode.TALKING and found.queue:
            request = replace(request, queue=found.queue)
            call.queue = found.queue
        try:
            place = run.services.acd.resume_talk(request, first.agent, first.uuid)
            followed = True
        except (NotFound, NoSuchCall) as error:
            log.warning("talk.agent_not_resumed", call=call.id, agent=first.agent, error=str(error))
    ring = CallFloor(calls).adopt(call.id, first.uuid) if not followed else None
    talk = take_up(calls, call, first, found)
    if ring is not None:
        talk.follow_first(ring)
    return place


def _stop_rings(run: Run) -> None:
    """Phones that ring for whoever is not there any more to talk to."""
    calls = run.services.calls
    for leg in list(calls.legs.values()):
        if leg.owner == run.call.id and leg.gone is None:
            calls.require_line().post(commands.uuid_kill(leg.uuid, "ORIGINATOR_CANCEL"))


def _nobody() -> Any:
    from engine.calls.talking import TalkOver

    return TalkOver("", TalkEnd.LOST, 0.0)


__all__ = ["found_talk", "take_up_talk"]
