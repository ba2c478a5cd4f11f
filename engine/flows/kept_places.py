"""Those who are to be called back and keep their place: they stand in the queue as if they waited on the line.

Each callback that keeps a place has one in the ACD, under the id that its call will have (the UUID of the leg to be
dialled). Its wait counts from when its caller came, and it is counted by whoever asks for a position; of those with the
same turn it is behind those who wait on the line. When it is matched, the agent is reserved and is shown as calling
back. Then::

    agent first     the agent's phone rings and is answered; the caller is dialled while the agent hears it ring; who
                    answers hears a greeting and is connected at once
    caller first    the caller is dialled; who answers hears the greeting, then music until the agent answers

From the moment in which the called-back caller's flow comes to its queue step, the place is that of a caller on the
line, and whatever happens then is what happens to any other. An attempt that came to nothing puts the place aside
until the next one (:data:`engine.records.callbacks.RETRY`); it comes back with the time at which its caller came.

Nothing here survives the engine but the table: the places are made anew from it, under the id that they had unless
somebody was dialled under it. An agent who hangs up, logs out or
pauses while the caller is dialled ends the dialling; that was no attempt, and the place is the next agent's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import uuid4

import structlog

from engine.acd.acd import Acd
from engine.acd.places import Brought, Leaving, Left, Moved, Place, Raised, Request, Stage
from engine.calls.call import Call
from engine.calls.leg import Leg
from engine.calls.registry import Calls, Expected
from engine.calls.ring import AgentRing
from engine.calls.signals import Gone, Signal
from engine.clock import Clock, Mailbox
from engine.errors import NotFound, StoreError, SwitchError
from engine.esl import commands
from engine.records.callbacks import Callbacks
from engine.records.owed import Kept, Owed
from engine.types import AgentView, CallState

log = structlog.get_logger(__name__)

ARRIVES = 120.0
"""Seconds from the answer until the flow of a called-back caller must have come to its queue step."""
ASIDE = 60.0
"""Seconds until a place that its queue did not want is tried again; longer when the queue is closed."""
ANYTHING = 10**9
"""A queue never is too long for who waits at home."""
AFTER_ITS_TIME = 5.0
"""Seconds beyond the time of a callback for which its place stands, so that the table's word of it comes first."""
_IN_QUEUE = (CallState.QUEUED, CallState.TALKING)
RINGBACK = "tone_stream://%(1000,4000,450);loops=-1"


@dataclass(slots=True, eq=False)
class Standing:
    """One callback in its queue. ``changed`` wakes whoever brings its caller."""

    owed: Owed
    call_id: str
    news: Mailbox[Any]
    changed: Any
    place: Place
    greenlet: Any = None
    ring: AgentRing | None = None
    call: Call | None = None
    arrived: bool = False  # its caller is in the queue step
    over: bool = False  # its call has ended before that


class KeptPlaces:
    """The places of those who are called back (an :class:`engine.records.callbacks.Places`)."""

    def __init__(self, clock: Clock, acd: Acd, calls: Calls, callbacks: Callbacks) -> None:
        self._clock = clock
        self._acd = acd
        self._calls = calls
        self._callbacks = callbacks
        self._by_id: dict[str, Standing] = {}
        self._by_call: dict[str, Standing] = {}

    # -- what the table's duty asks -----------------------------------------------------------------

    def standing(self) -> Collection[str]:
        """The callbacks that stand in a queue now."""
        return list(self._by_id)

    def place_of(self, id: str) -> Place | None:
        """Where a callback stands; None: nowhere now (it waits for its next attempt)."""
        standing = self._by_id.get(id)
        return standing.place if standing is not None else None

    def stand(self, owed: Owed) -> bool:
        """See :class:`engine.records.callbacks.Places`."""
        if owed.id in self._by_id:
            return True
        kept = owed.place
        if kept is None or not self._open(owed.queue) or self._calls_in(owed):
            return False
        resumed = kept.call not in ("", owed.last)
        call_id, news = kept.call if resumed else str(uuid4()), self._clock.queue()
        if not resumed:
            owed = self._callbacks.moved(owed, owed.queue, replace(kept, call=call_id))
            self._callbacks.note("callback.waits", owed, call=call_id, first=owed.call, tries=owed.tries)
        self._calls.expected[call_id] = Expected(owed.number, owed.dialled)
        self._calls.pledged.add(call_id)  # the agent's leg is made for it before there is such a call
        standing = Standing(owed, call_id, news, self._clock.event(), None)  # type: ignore[arg-type]
        self._by_id[owed.id] = self._by_call[call_id] = standing
        standing.greenlet = self._clock.spawn(self._follow, standing)
        standing.place = self._acd.enter(self._request(standing, kept, resumed))
        return True

    def _request(self, standing: Standing, kept: Kept, resumed: bool) -> Request:
        owed = standing.owed
        return Request(
            call_id=standing.call_id,
            number=owed.number,
            queue=owed.queue,
            skills=dict(kept.skills),
            priority=kept.priority,
            since=max(0.0, (self._clock.now() - owed.since).total_seconds()),
            agent=kept.agent,
            last_agent=kept.last_agent,
            tell=owed.data,
            language=owed.language,
            longest=max(1.0, (owed.until - owed.since).total_seconds()) + AFTER_ITS_TIME,
            max_length=ANYTHING,
            no_agents=False,
            tier=kept.tier,
            site=kept.site,
            away=tuple(kept.away),
            ready=partial(self._ready, standing) if kept.first == "caller" else None,
            bring=partial(self._bring, standing) if kept.first != "caller" else None,
            news=standing.news,
            resumed=resumed,
        )

    def _open(self, queue: str) -> bool:
        try:
            return self._callbacks.queues.room(queue).open
        except NotFound:
            return False

    def _calls_in(self, owed: Owed) -> bool:
        """Whoever is owed the call is on the line now, in that queue or still in the call that it was promised in."""
        return any(
            call.id == owed.call
            or (call.number == owed.number and call.queue == owed.queue and call.state in _IN_QUEUE)
            for call in self._calls
        )

    def withdraw(self, id: str) -> None:
        """See :class:`engine.records.callbacks.Places`."""
        standing = self._by_id.get(id)
        if standing is not None:
            self._forget(standing)
            standing.place.leave(Leaving.WITHDRAWN)
            if standing.ring is not None:
                standing.ring.cancel()

    def ended(self, call: str) -> None:
        """See :class:`engine.records.callbacks.Places`."""
        standing = self._by_call.get(call)
        if standing is not None:
            standing.over = True
            standing.changed.set()

    def stop(self) -> None:
        """See :class:`engine.records.callbacks.Places`."""
        for standing in list(self._by_id.values()):
            self._forget(standing)
            if standing.ring is not None and standing.call is None:
                standing.ring.drop()

    def _forget(self, standing: Standing) -> None:
        self._by_id.pop(standing.owed.id, None)
        self._by_call.pop(standing.call_id, None)
        self._calls.expected.pop(standing.call_id, None)
        self._calls.pledged.discard(standing.call_id)
        if standing.greenlet is not None:
            standing.greenlet.kill(block=False)

    def _follow(self, standing: Standing) -> None:
        """Hear of the place until it is a caller's on the line."""
        while True:
            news = standing.news.get()
            if isinstance(news, Left):
                break
            if isinstance(news, Moved | Raised):
                self._keep(standing)
        standing.greenlet = None
        try:
            if news.reason not in (Leaving.NOT_REACHED, Leaving.TOO_LONG):
                # Next time it stands under another id: of this one the journal has said that it left.
                self._callbacks.put_aside(standing.owed, news.reason.value, ASIDE, left=True)
        except StoreError as error:
            log.warning("callback.not_kept", callback=standing.owed.id, error=str(error))
        finally:
            self._forget(standing)
            self._callbacks.wake()  # what came of an attempt, and until when it is owed, is in the table

    def _keep(self, standing: Standing) -> None:
        """A supervisor gave it another place: the next engine, and the next attempt, find it there."""
        owed, request = standing.owed, standing.place.request
        assert owed.place is not None
        kept = replace(owed.place, priority=request.priority, skills=dict(request.skills))
        try:
            standing.owed = self._callbacks.moved(owed, request.queue, kept)
        except StoreError as error:
            log.warning("callback.not_kept", callback=owed.id, error=str(error))

    # -- an agent is reserved -----------------------------------------------------------------------

    def _ready(self, standing: Standing, agent: AgentView) -> bool:
        """The caller first: an :attr:`engine.acd.places.Request.ready`."""
        return self._fetch(standing, agent, None) is Brought.HERE

    def _bring(self, standing: Standing, agent: AgentView, leg_id: str) -> Brought:
        """The agent is on the line: an :attr:`engine.acd.places.Request.bring`."""
        leg = self._calls.legs.get(leg_id)
        if leg is None or leg.gone is not None:
            return Brought.AGENT_GONE

        def watch(leg: Leg, signal: Signal) -> None:
            if isinstance(signal, Gone):
                if standing.ring is not None and standing.call is None:
                    standing.ring.cancel()
                standing.changed.set()

        leg.watch = watch
        try:
            return self._fetch(standing, agent, leg)
        finally:
            if leg.watch is watch:
                leg.watch = None

    def _fetch(self, standing: Standing, agent: AgentView, leg: Leg | None) -> Brought:
        try:
            if standing.ring is None and not self._dial(standing, agent, leg):
                if leg is not None and leg.gone is not None and standing.ring is None:
                    return Brought.AGENT_GONE
                standing.over = True
                standing.changed.set()
                return Brought.NOT_REACHED
        except StoreError as error:
            log.warning("callback.not_kept", callback=standing.owed.id, error=str(error))
            return Brought.NOT_REACHED
        end = self._clock.monotonic() + ARRIVES
        while not standing.arrived:
            left = end - self._clock.monotonic()
            if standing.over or left <= 0:
                return Brought.NOT_REACHED
            if leg is not None and leg.gone is not None:
                return Brought.AGENT_GONE
            standing.changed.clear()
            standing.changed.wait(left)
        return Brought.HERE

    def _dial(self, standing: Standing, agent: AgentView, leg: Leg | None) -> bool:
        """Dial the caller; True when it has answered, and its call is led."""
        callbacks, owed = self._callbacks, standing.owed
        if not self._open(owed.queue) or self._calls_in(owed):
            callbacks.put_aside(owed, "calls in" if self._open(owed.queue) else "closed", ASIDE)
            return False
        claimed = callbacks.claim(owed, standing.call_id)
        if claimed is None:
            return False  # cancelled, or taken over by the caller, a moment ago
        standing.owed = claimed
        owner = f"callback-{owed.id}"
        self._calls.pledged.add(owner)
        try:
            if leg is not None:
                self._let_hear(leg)
            ring = standing.ring = callbacks.ring(claimed, owner, standing.call_id, agent=agent.id)
            if ring is None:
                return False
            if leg is not None and leg.gone is not None:
                ring.cancel()
            ring.wait()
            if ring.stopped:
                standing.ring = None
                stands = self._by_id.get(owed.id) is standing
                callbacks.called_off(claimed, ring, "agent gone" if stands else "withdrawn")
                standing.owed = replace(claimed, state="owed", tries=owed.tries)
                return False
            standing.call = callbacks.rung(claimed, ring, agent=agent.id)
            return standing.call is not None
        except BaseException:
            if standing.ring is not None and standing.call is None:
                standing.ring.drop()  # we are stopped: nobody would lead who answers now
            raise
        finally:
            self._calls.pledged.discard(owner)

    def _let_hear(self, leg: Leg) -> None:
        """The agent hears that it rings."""
        try:
            self._calls.require_line().post(commands.execute(leg.uuid, "playback", RINGBACK))
        except SwitchError as error:
            log.info("callback.no_tone", leg=leg.uuid, error=str(error))

    # -- the caller is there ------------------------------------------------------------------------

    def take(self, call: Call) -> Standing | None:
        """The called-back caller's flow has come to its queue step: the place is its own from now on, as of any who
        waits on the line, and its news go into the call's mailbox. None: it has none (another engine dialled it)."""
        standing = self._by_call.get(call.id)
        if standing is None or standing.place.stage not in (Stage.WAITING, Stage.OFFERED):
            return None
        place = standing.place
        place.news = call.leg.inbox
        place.request = replace(place.request, ready=None, bring=None, no_agents=True, news=call.leg.inbox)
        self._forget(standing)
        standing.arrived = True
        standing.changed.set()
        return standing


__all__ = ["KeptPlaces", "Standing"]
