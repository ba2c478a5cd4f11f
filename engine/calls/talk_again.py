"""A talk after a restart of the engine: what stood on the caller's channel, compared with what the switch says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from engine.calls.ring import CallFloor
from engine.calls.talk import FLOW, Party, Talk
from engine.calls.talk_orders import follow_ring
from engine.calls.talking import Mode, Target
from engine.errors import InsidelineError

if TYPE_CHECKING:
    from engine.calls.call import Call
    from engine.calls.leg import Leg
    from engine.calls.registry import Calls

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class LeftBehind:
    """What an earlier engine left of a talk. A leg that is gone is None. ``queue``: in which the first waits, from
    which the second came, or (of a plain talk) the first; ``asked_at``: since when it waits there (since 1970)."""

    mode: Mode
    first: Leg | None
    second: Leg | None = None
    room: str = ""
    queue: str = ""
    asked_at: float = 0.0


def left_behind(calls: Calls, call: Call, text: str) -> LeftBehind | None:
    """What stands in the variable ``il_talk``; None when the text is none of ours."""
    parts = text.split("~")
    if len(parts) not in (4, 6) or parts[0] not in set(Mode):
        return None
    first, second = (
        leg if leg is not None and leg.owner == call.id else None for leg in map(calls.legs.get, parts[1:3])
    )
    queue, asked_at = parts[4:6] if len(parts) == 6 else ("", "")
    return LeftBehind(
        Mode(parts[0]), first, second, parts[3], queue, float(asked_at) if asked_at.isdecimal() else 0.0
    )


def take_up(calls: Calls, call: Call, first: Leg, found: LeftBehind) -> Talk:
    """Go on with a talk in its mode: called when the first's leg is adopted and marked as kept.

    What can't be gone on with (the second is gone, a bridge is not as it should be) ends with the caller and the first
    together again, by :meth:`Talk.mend`.
    """
    talk = Talk(calls, call, first)
    call.talk = talk
    mode, second = found.mode, found.second
    first.kept = mode is not Mode.TALKING or first.peer != call.id
    talk.wake()
    talk.room = found.room
    if mode is Mode.TALKING:
        talk.from_queue = found.queue
    elif mode is Mode.QUEUED:
        _wait_on(talk, found)
    elif second is not None and mode is not Mode.HELD and _take_second(talk, second, found):
        talk.take_early_keys()
        return talk
    talk.mode = mode
    talk.mend()
    talk.take_early_keys()
    return talk


def _wait_on(talk: Talk, found: LeftBehind) -> None:
    """The first goes on waiting in its queue; a phone that rings for it is its own."""
    if talk.calls.desk is None or not found.queue:
        return
    try:
        talk.asked = talk.calls.desk.ask(talk.call, found.queue, talk.first.agent, talk, began=found.asked_at)
    except InsidelineError as error:
        log.info("talk.place_lost", call=talk.call.id, queue=found.queue, why=str(error))


def _take_second(talk: Talk, second: Leg, found: LeftBehind) -> bool:
    """Whoever was asked. True: its phone rings still, and that is all there is to wait for."""
    calls, call = talk.calls, talk.call
    now = talk.clock.monotonic()
    if found.queue and second.agent and calls.desk is not None:
        second.kept = True
        try:
            asked = calls.desk.ask(
                call, found.queue, talk.first.agent, talk, began=found.asked_at, leg=second.uuid
            )
        except InsidelineError as error:
            log.info("talk.agent_not_taken", agent=second.agent, why=str(error))
        else:
            ring = CallFloor(calls).adopt(call.id, second.uuid)
            talk.second = Party(second, second.agent, "", ring, asked=asked, since=now)
            second.watch = talk.on_signal
            return False
    ring = CallFloor(calls).adopt(call.id, second.uuid)
    engaged = None
    if second.agent and calls.desk is not None:
        try:
            engaged = calls.desk.engage(Target("agent", second.agent), call)
        except InsidelineError as error:
            log.info("talk.agent_not_taken", agent=second.agent, why=str(error))
    flow = found.queue.removeprefix(FLOW) if found.queue.startswith(FLOW) else ""
    talk.second = Party(
        second, second.agent, f"flow {flow}" if flow else "", ring, engaged, since=now, flow=flow
    )
    if found.mode is Mode.RINGING:
        talk.mode = found.mode
        talk.second.since = None
        follow_ring(talk, talk.second, ring)
        return True
    second.kept = True
    second.watch = talk.on_signal
    if engaged is not None:
        engaged.answered()
    return False


__all__ = ["LeftBehind", "left_behind", "take_up"]
