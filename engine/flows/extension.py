"""Straight to a person: a dialled extension rings that phone, without a flow and without a queue."""

from __future__ import annotations

from engine.calls.call import Call
from engine.calls.ring import CallFloor
from engine.flows.ringing import PARK_LIMIT, RINGBACK, RINGS_FOR, ring_and_talk
from engine.flows.services import Services
from engine.types import AgentState, AgentView, TalkResult


def to_extension(call: Call, services: Services, extension: str) -> None:
    """Ring ``extension`` for ``call`` and let the two talk; an apology when nobody answers."""
    call.answer()
    ringing = call.start("playback", RINGBACK, lock=False)
    phone = AgentView("", extension, extension, AgentState.READY, services.clock.now())
    ring = CallFloor(services.calls).ring(call.id, phone, seconds=RINGS_FOR, variables={})
    call.journal("extension.rung", extension=extension)
    end = ring_and_talk(call, services.clock, ring)
    if isinstance(end, TalkResult):
        call.transferred = extension
        return
    call.journal("extension.missed", extension=extension, why=str(end.kind))
    call.stop_sound()
    call.wait_done(ringing, PARK_LIMIT)
    said = services.prompts.utterance("all_busy", {}, call.language, "")
    call.play(said.playback, said.seconds)
