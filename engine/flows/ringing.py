"""A caller and one leg that is dialled for it: ring, talk, over.

The ring runs in a greenlet of its own and its news come through the caller's mailbox, as those of a place in a
queue do: the caller's hang-up cancels the ring at once, and no news is missed between two waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.calls.call import Abandon, Call
from engine.calls.ring import AgentRing
from engine.calls.talking import TalkOver
from engine.clock import Clock
from engine.errors import HungUp, SwitchError
from engine.types import CallState, RingKind, RingResult, TalkEnd, TalkResult

RINGS_FOR = 30.0
RINGBACK = "tone_stream://%(1000,4000,450);loops=-1"
PARK_LIMIT = 2.0
"""Seconds from the end of a talk, or of a sound, until the switch has told of it."""


@dataclass(frozen=True, slots=True)
class _Connected:
    ring: AgentRing


@dataclass(frozen=True, slots=True)
class _Finished:
    ring: AgentRing
    end: RingResult | TalkResult


def ring_and_talk(
    call: Call,
    clock: Clock,
    ring: AgentRing,
    connected: Callable[[], None] = lambda: None,
    finished: Callable[[RingResult | TalkResult], None] = lambda end: None,
) -> RingResult | TalkResult:
    """Wait until ``ring`` is answered, let the two talk, and answer how it ended: a TalkResult when they talked.

    ``connected`` is told in the call's greenlet when they begin to, ``finished`` (with how it ended) when that leg's
    part is over: the talk may go on with somebody else, and ends with whoever is the last. A ring that an earlier
    engine answered (or bridged) goes on from there. Raises HungUp, with the leg cancelled, when the caller is gone.
    The talk counts in the call's ``talked``, whoever ends it.
    """
    clock.spawn(_follow, call, ring)
    began: list[float] = []

    def begins() -> None:
        began.append(clock.monotonic())
        connected()

    try:
        return _until_finished(call, ring, begins, finished)
    except HungUp:
        ring.cancel()
        ring.drop()
        raise
    except Abandon:
        # Another engine leads, and takes up this leg with the call; or the switch took the call back, and then
        # nobody would ever be connected to who answers.
        if ring.known:
            ring.cancel()
        raise
    finally:
        if began:
            call.talked += clock.monotonic() - began[0]


def _follow(call: Call, ring: AgentRing) -> None:
    news = call.leg.inbox
    failed = RingResult(RingKind.FAILED)
    try:
        if not ring.adopted_talk:
            result = ring.wait()
            if result.kind is not RingKind.ANSWERED:
                news.put(_Finished(ring, result))
                return
            if not ring.connect():
                news.put(_Finished(ring, failed))
                return
        news.put(_Connected(ring))
        news.put(_Finished(ring, ring.wait_over()))
    except SwitchError as error:
        news.put(_Finished(ring, RingResult(RingKind.FAILED, str(error))))
    finally:
        ring.drop()


def _until_finished(
    call: Call,
    ring: AgentRing,
    connected: Callable[[], None],
    finished: Callable[[RingResult | TalkResult], None],
) -> RingResult | TalkResult:
    while True:
        signal = call.next_signal()
        if isinstance(signal, _Connected) and signal.ring is ring:
            call.agent_leg = ring.leg
            connected()
            call.become(CallState.TALKING)
        elif isinstance(signal, _Finished) and signal.ring is ring:
            finished(signal.end)
            if isinstance(signal.end, TalkResult) and call.talk is not None and call.talk.outlives:
                continue  # with somebody else
            return _ended(call, signal.end)
        elif isinstance(signal, TalkOver):
            return _ended(call, TalkResult(signal.by, signal.seconds))


def _ended(call: Call, end: RingResult | TalkResult) -> RingResult | TalkResult:
    if call.leg.gone is not None:
        raise HungUp(call.leg.gone)
    call.agent_leg = ""
    if isinstance(end, TalkResult):
        if call.talk is not None:
            call.talk.close()
        call.wait_parked(PARK_LIMIT)
        if end.by is TalkEnd.CALLER:
            call.wait_gone(PARK_LIMIT)
            raise HungUp(call.leg.gone or "NORMAL_CLEARING")
    call.become(CallState.FLOW)
    return end
