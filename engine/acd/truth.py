"""Whether what is believed of agents and callers is true, looked at every few seconds and mended where it is not.

States follow from events, and each has somebody who ends it: an offer, a timer, a caller's own greenlet. Where that
somebody is gone without a word (a lost event, a fault of ours), an agent would be kept from work for ever, or a caller
who is no more would keep a place. So every look compares states with the facts: is the caller alive, is the leg, does
anything hold the agent, is its time not long over, is it free on the board when it is ready. What is found wrong is
suspected first, and mended when the next look, a moment later, finds the same: facts lag behind one another by
milliseconds.

The matcher never lets somebody wait whom a free agent could serve; should it, that is found here too, mended, and told
as an alarm, because it is a fault of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import structlog

from engine.acd.agents import HOLD, OFFERED, PAUSED, READY, TALKING, WRAP_UP, Agent
from engine.acd.offers import Offer
from engine.acd.places import Place, Stage
from engine.clock import Clock, Timer

if TYPE_CHECKING:
    from engine.acd.board import Board
    from engine.acd.dispatch import Dispatcher
    from engine.acd.floor import Floor
    from engine.acd.report import Reporter

log = structlog.get_logger(__name__)

SURE = 2.0
"""Seconds for which the same must be wrong before it is mended: also what a caller may wait beside a free agent."""


class Truth:
    """The looks at one dispatcher. ``mended`` counts."""

    def __init__(
        self,
        clock: Clock,
        floor: Floor,
        board: Board,
        report: Reporter,
        dispatch: Dispatcher,
        *,
        every: float,
    ) -> None:
        self._clock = clock
        self._floor = floor
        self._board = board
        self._report = report
        self._dispatch = dispatch
        self.every = every
        self.mended = 0
        self._suspected: dict[Hashable, float] = {}  # what seems wrong -> since when
        self._timer: Timer | None = None

    def start(self) -> None:
        """Look from now on."""
        if self._timer is None:
            self._timer = self._clock.after(self.every, self._tick)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        try:
            suspects = self.look()
        except Exception:
            log.exception("truth.crashed")
            suspects = False
        self._timer = self._clock.after(min(self.every, SURE) if suspects else self.every, self._tick)

    def look(self) -> bool:
        """One look; whether anything is suspected now."""
        found: dict[Hashable, tuple[str, Callable[[], None], dict[str, str]]] = {}
        for agent in self._dispatch.agents:
            what, mend = self._of_agent(agent)
            if mend is not None:
                found[agent.id, agent.state, agent.since, what] = (
                    what,
                    mend,
                    {"agent": agent.id, "call": agent.call, "queue": agent.queue},
                )
        for place in self._dispatch.places():
            what, mend = self._of_place(place)
            if mend is not None:
                call, queue = place.request.call_id, place.request.queue
                found[call, what, place.joined] = what, mend, {"call": call, "queue": queue}
        now = self._clock.monotonic()
        self._suspected = {key: self._suspected.get(key, now) for key in found}
        for key, since in list(self._suspected.items()):
            if now - since >= SURE:
                what, mend, whose = found[key]
                del self._suspected[key]
                self._mend(what, mend, whose, now - since)
        return bool(self._suspected)

    def _mend(self, what: str, mend: Callable[[], None], whose: dict[str, str], seconds: float) -> None:
        self.mended += 1
        log.error("acd.mended", what=what, **whose)
        self._report.write("mended", what=what, seconds=round(seconds, 3), **whose)
        mend()
        if what == STALLED:
            self._report.write("alarm", name=what, seconds=round(seconds, 3), **whose)
            self._report.tell("alarm", what=what, **whose)

    # -- agents -----------------------------------------------------------------------------------

    def _of_agent(self, agent: Agent) -> tuple[str, Callable[[], None] | None]:
        now = self._clock.monotonic()
        held = agent.engagement
        if agent.state in (OFFERED, TALKING, HOLD):
            if held is None:
                return "an agent held by nobody", lambda: self._dispatch.agents.rest(agent)
            if isinstance(held, Offer):
                return self._of_offer(held, now)
            if not self._floor.caller_alive(agent.call):
                return "an agent on a call that is gone", lambda: self._dispatch.agents.rest(agent)
        elif held is not None:
            return "a free agent held by a call", lambda: self._dispatch.agents.rest(agent)
        elif agent.state in (WRAP_UP, PAUSED) and self._outlasted(agent, now):
            return "an agent whose time is over", lambda: self._dispatch.agents.rest(agent)
        elif (agent.state is READY) != self._board.is_free(agent.id):
            return "an agent who is not on the board as it is", lambda: self._dispatch.seat_again(agent)
        return "", None

    @staticmethod
    def _outlasted(agent: Agent, now: float) -> bool:
        """A pause that was wished for has no end of its own, the work after a call and the engine's own pauses do."""
        if agent.until is None:
            return agent.state is WRAP_UP
        return agent.timer is None or now > agent.until

    def _of_offer(self, offer: Offer, now: float) -> tuple[str, Callable[[], None] | None]:
        if offer.dead:
            return "an agent held by an offer that is over", lambda: self._dispatch.agents.rest(offer.agent)
        if offer.overdue(now):
            return "an offer without an end", offer.give_up
        if offer.talking_since is not None and offer.ring is not None:
            if not self._floor.leg_alive(offer.ring.leg):
                return "an agent whose leg is gone", offer.give_up
            if not self._floor.caller_alive(offer.match.call):
                return "an agent whose caller is gone", offer.give_up
        return "", None

    # -- callers ----------------------------------------------------------------------------------

    def _of_place(self, place: Place) -> tuple[str, Callable[[], None] | None]:
        call = place.request.call_id
        # Who is to be called back is not there yet, and never was a ghost.
        if not place.request.virtual and not self._floor.caller_alive(call):
            return "a caller who is gone", lambda: self._dispatch.ghost(place)
        if place.stage is Stage.WAITING and self._dispatch.is_open and self._board.candidates(call, 1):
            return STALLED, lambda: self._dispatch.match_again(place)
        return "", None


STALLED = "a caller beside a free agent"


__all__ = ["STALLED", "Truth"]
