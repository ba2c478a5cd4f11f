"""Straight to a person: a dialled extension rings that phone, without a flow and without a queue.

The ring runs in a greenlet of its own and its news come through the caller's mailbox, as those of a place in a
queue do: the caller's hang-up cancels the ring at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.calls.call import Call
from engine.calls.ring import AgentRing, CallFloor
from engine.errors import HungUp, SwitchError
from engine.flows.services import Services
from engine.types import AgentState, AgentView, CallState, RingKind

RINGS_FOR = 30.0
RINGBACK = "tone_stream://%(1000,4000,450);loops=-1"


@dataclass(frozen=True, slots=True)
class _Connected:
    leg: str


@dataclass(frozen=True, slots=True)
class _Finished:
    kind: RingKind | None  # None: they talked
    seconds: float = 0.0


def to_extension(call: Call, services: Services, extension: str) -> None:
    """Ring ``extension`` for ``call`` and let the two talk; an apology when nobody answers."""
    call.answer()
    ringing = call.start("playback", RINGBACK, lock=False)
    phone = AgentView("", extension, extension, AgentState.READY, services.clock.now())
    ring = CallFloor(services.calls).ring(call.id, phone, seconds=RINGS_FOR, variables={})
    services.clock.spawn(_follow, call, ring)
    call.journal("extension.rung", extension=extension)
    try:
        finished = _until_finished(call)
    except BaseException:
        ring.cancel()
        ring.drop()
        raise
    if finished.kind is None:
        call.talked += finished.seconds
        return
    call.journal("extension.missed", extension=extension, why=str(finished.kind))
    call.stop_sound()
    call.wait_done(ringing, 2.0)
    said = services.prompts.utterance("all_busy", {}, call.language, "")
    call.play(said.playback, said.seconds)


def _follow(call: Call, ring: AgentRing) -> None:
    news = call.leg.inbox
    try:
        result = ring.wait()
        if result.kind is not RingKind.ANSWERED:
            news.put(_Finished(result.kind))
        elif not ring.connect():
            news.put(_Finished(RingKind.FAILED))
        else:
            news.put(_Connected(ring.leg))
            news.put(_Finished(None, ring.wait_over().seconds))
    except SwitchError:
        news.put(_Finished(RingKind.FAILED))
    finally:
        ring.drop()


def _until_finished(call: Call) -> _Finished:
    while True:
        signal = call.next_signal()
        if isinstance(signal, _Connected):
            call.agent_leg = signal.leg
            call.become(CallState.TALKING)
        elif isinstance(signal, _Finished):
            if call.leg.gone is not None:
                raise HungUp(call.leg.gone)
            call.become(CallState.FLOW)
            return signal
