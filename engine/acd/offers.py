"""One offer: an agent's phone rings for one caller, and what becomes of it.

An offer runs in a greenlet of its own and ends in exactly one :class:`Outcome`, which the dispatcher acts on.
Whatever happens in it, also an exception or its own death, the reservation of agent and caller is given back.

It can be called off from two sides while the phone rings: the caller leaves, or the agent is recalled. The
dispatcher lets the caller go at once; the agent is held until its leg is gone (milliseconds), so that its
phone is never rung twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import gevent
import structlog

from engine.acd.agents import Agent
from engine.acd.board import Match
from engine.acd.floor import Briefing, Floor, Ring, Sound
from engine.acd.places import Brought, Place
from engine.clock import Clock, Timer, TimeUp
from engine.errors import DialRefused, NoSuchCall, SwitchError
from engine.types import AgentView, RingKind, TalkEnd, TalkResult

log = structlog.get_logger(__name__)

RING_GRACE = 8.0  # seconds beyond the ringing time in which the floor must have said how it ended
CANCEL_GRACE = 3.0  # the same after a cancel
CONNECT_LIMIT = 10.0  # a bridge that takes longer is none
BRIEF_LIMIT = 40.0  # the same for what an agent is told and asked before


OVERDUE = RING_GRACE + BRIEF_LIMIT + 2 * CONNECT_LIMIT  # beyond the ringing time: no offer lives longer


class Ended(StrEnum):
    """The ways in which an offer ends."""

    MISSED = "missed"  # not answered, for whatever reason: the next agent
    CALLED_OFF = "called_off"  # the caller left or the agent was recalled
    CALLER_GONE = "caller_gone"  # hung up in the moment of the bridge
    ASKER_GONE = "asker_gone"  # who waited to ask somebody does not any more
    NOT_REACHED = "not_reached"  # who was to be called back does not answer
    NO_SWITCH = "no_switch"  # there is nobody to ask; neither side is to blame
    TALKED = "talked"
    BROKEN = "broken"  # an exception


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an offer ended; ``kind`` and ``cause`` for a missed one, ``talk`` for one that was talked."""

    ended: Ended
    kind: RingKind = RingKind.FAILED
    cause: str = ""
    talk: TalkResult | None = None


class Desk(Protocol):
    """What an offer tells the dispatcher."""

    def briefing(self, offer: Offer, view: AgentView) -> Briefing | None:
        """What is said between the answer and the bridge; asked for while the phone rings."""

    def answered(self, offer: Offer) -> bool:
        """The agent answered, and the bridge may be made. False when another phone was answered first."""

    def bridged(self, offer: Offer) -> None:
        """The two talk."""

    def ended(self, offer: Offer, outcome: Outcome) -> None:
        """The offer is over; called exactly once."""

    def recalled(self, offer: Offer, why: str) -> None:
        """The agent must not be rung any more: the caller is free for the next one."""


class Offer:
    """One ringing of one agent for one caller, up to the end of the talk."""

    __slots__ = (
        "_announcing",
        "_bringing",
        "_clock",
        "_dead",
        "_desk",
        "_floor",
        "_greenlet",
        "_seconds",
        "_watchdog",
        "agent",
        "answered",
        "called_off",
        "match",
        "place",
        "ring",
        "started",
        "talking_since",
    )

    def __init__(
        self,
        clock: Clock,
        floor: Floor,
        desk: Desk,
        place: Place,
        agent: Agent,
        match: Match,
        *,
        seconds: float,
        ring: Ring | None = None,
    ) -> None:
        self._clock = clock
        self._floor = floor
        self._desk = desk
        self._seconds = seconds
        self._greenlet: gevent.Greenlet[..., object] | None = None
        self._watchdog: Timer | None = None
        self._dead = False
        self._announcing = False
        self._bringing = False
        self.place = place
        self.agent = agent
        self.match = match
        self.ring = ring  # given when it is adopted
        self.started = clock.monotonic()
        self.answered = False
        self.talking_since: float | None = None
        self.called_off = ""  # by whom or why

    def start(self, view: AgentView, *, talking: bool = False) -> None:
        """Begin in a greenlet of its own; ``talking`` when an adopted ring is bridged already."""
        if talking:
            self.answered = True
            self.talking_since = self.started
        self._greenlet = self._clock.spawn(self._run, view)

    def kill(self) -> None:
        """End the greenlet without a word, as the death of the process would."""
        self._dead = True
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    @property
    def calling_back(self) -> str:
        """The number of who is called back while this agent is reserved; "" for a caller on the line."""
        return self.place.request.number if self.place.request.virtual else ""

    def call_off(self, why: str) -> bool:
        """Stop ringing, from any greenlet, at once. False when it was answered already."""
        if self.answered:
            return False
        if not self.called_off:
            self.called_off = why
            if self.ring is not None:
                if self._bringing:
                    self.ring.drop()  # it was answered: who brings the caller sees the agent's leg go
                else:
                    self.ring.cancel()
                self._watch(CANCEL_GRACE)
        return True

    @property
    def dead(self) -> bool:
        """Whether nothing drives it any more, though it was begun."""
        return self._greenlet is not None and self._greenlet.dead

    def overdue(self, now: float) -> bool:
        """Whether it should have come to a talk or to an end long ago."""
        return self.talking_since is None and now - self.started > self._seconds + OVERDUE

    def give_up(self) -> None:
        """End it, whatever it waits for: what it waits for will not come."""
        if self._greenlet is not None:
            self._greenlet.throw(_Silent())

    def caller_left(self) -> None:
        """The caller hung up after the answer and before the bridge: the agent is kept no longer than need be."""
        if self.ring is not None and self._announcing:
            self.ring.caller_left()

    def recall(self, why: str) -> bool:
        """See :class:`engine.acd.agents.Engagement`."""
        if self.answered:
            return False
        if not self.called_off:
            self.call_off(why)
            self._desk.recalled(self, why)
        return True

    def _run(self, view: AgentView) -> None:
        outcome = Outcome(Ended.BROKEN)
        try:
            outcome = self._drive(view)
        except Exception:
            log.exception("offer.broken", call=self.match.call, agent=self.agent.id)
        except _Silent:
            log.error("offer.given_up", call=self.match.call, agent=self.agent.id)
        finally:
            self._unwatch()
            if not self._dead:
                try:
                    self._drop()
                finally:
                    self._desk.ended(self, outcome)

    def _drive(self, view: AgentView) -> Outcome:
        if self.talking_since is None:
            failed = self._ring_and_connect(view)
            if failed is not None:
                return failed
            self.talking_since = self._clock.monotonic()
            self._desk.bridged(self)
        assert self.ring is not None
        return Outcome(Ended.TALKED, talk=self.ring.wait_over())

    def _ring_and_connect(self, view: AgentView) -> Outcome | None:
        """None when the two are bridged."""
        if self.called_off:
            return Outcome(Ended.CALLED_OFF)
        if self.ring is None:
            ready = self.place.request.ready
            if ready is not None and not ready(view):
                return Outcome(Ended.CALLED_OFF if self.called_off else Ended.NOT_REACHED)
            if self.called_off:
                return Outcome(Ended.CALLED_OFF)
            try:
                self.ring = self._floor.ring(
                    self.match.call, view, seconds=self._seconds, variables={"il_queue": self.match.queue}
                )
            except NoSuchCall:
                return Outcome(Ended.CALLER_GONE)
            except DialRefused as error:
                return Outcome(Ended.MISSED, RingKind.FAILED, str(error))
            except SwitchError as error:
                log.warning("offer.no_switch", call=self.match.call, agent=self.agent.id, why=str(error))
                return Outcome(Ended.NO_SWITCH, cause=str(error))
            if self.called_off:  # while the floor was asked
                self.ring.cancel()
        briefing = self._desk.briefing(self, view)
        kind, cause = self._wait(self.ring)
        if kind is RingKind.ANSWERED and briefing is not None and not self.called_off:
            kind, cause = self._brief(self.ring, briefing)
        if self.called_off:
            return Outcome(Ended.CALLED_OFF)
        if kind is not RingKind.ANSWERED:
            return Outcome(Ended.MISSED, kind, cause)
        if (bring := self.place.request.bring) is not None:
            brought = self._bring(bring, view, self.ring)
            if self.called_off:
                return Outcome(Ended.CALLED_OFF)
            if brought is Brought.NOT_REACHED:
                return Outcome(Ended.NOT_REACHED)
            if brought is Brought.AGENT_GONE:
                return Outcome(Ended.MISSED, RingKind.REJECTED, "hung up while the caller was called back")
        if not self._desk.answered(self):
            return Outcome(Ended.CALLED_OFF)
        self.answered = True
        if briefing is not None and briefing.announce is not None:
            self._announce(self.ring, briefing.announce)
        together = self._connect(self.ring)
        if together:
            return None
        if together is None:
            return Outcome(Ended.ASKER_GONE)
        if not self._floor.caller_alive(self.match.call):
            return Outcome(Ended.CALLER_GONE)
        return Outcome(Ended.MISSED, RingKind.FAILED, "the bridge was not made")

    def _wait(self, ring: Ring) -> tuple[RingKind, str]:
        """How the ringing ended. A floor that says nothing is not waited for for ever."""
        self._watch(CANCEL_GRACE if self.called_off else self._seconds + RING_GRACE)
        try:
            result = ring.wait()
        except _Silent:
            log.error("offer.silent", call=self.match.call, agent=self.agent.id, leg=ring.leg)
            return RingKind.FAILED, "nothing was heard of the leg"
        finally:
            self._unwatch()
        if result.kind is RingKind.CANCELLED and not self.called_off:
            return RingKind.FAILED, result.cause
        return result.kind, result.cause

    def _brief(self, ring: Ring, briefing: Briefing) -> tuple[RingKind, str]:
        """Tell and ask the agent. It can be called off all the while, as when it rang."""
        self._watch(BRIEF_LIMIT)
        try:
            result = ring.brief(briefing)
        except _Silent:
            log.error("offer.silent", call=self.match.call, agent=self.agent.id, leg=ring.leg)
            return RingKind.FAILED, "nothing was heard of the leg"
        except SwitchError as error:
            return RingKind.FAILED, str(error)
        finally:
            self._unwatch()
        return result.kind, result.cause

    def _bring(self, bring: Callable[[AgentView, str], Brought], view: AgentView, ring: Ring) -> Brought:
        """Have the caller called while the agent is on the line. It can be called off all the while."""
        self._bringing = True
        try:
            return bring(view, ring.leg)
        except _Silent:
            return Brought.AGENT_GONE  # only a call-off has a limit here
        finally:
            self._bringing = False
            self._unwatch()

    def _announce(self, ring: Ring, sound: Sound) -> None:
        self._announcing = True
        try:
            with self._clock.timeout(sound.seconds + CONNECT_LIMIT) as mine:
                ring.announce(sound)
        except TimeUp as up:
            if up is not mine:
                raise
        except SwitchError as error:
            log.warning("offer.not_announced", call=self.match.call, agent=self.agent.id, why=str(error))
        finally:
            self._announcing = False

    def _connect(self, ring: Ring) -> bool | None:
        """See :attr:`engine.acd.places.Request.join`."""
        join = self.place.request.join
        try:
            with self._clock.timeout(CONNECT_LIMIT) as mine:
                return ring.connect() if join is None else join(ring)
        except TimeUp as up:
            if up is not mine:
                raise
            log.error("offer.silent_bridge", call=self.match.call, agent=self.agent.id, leg=ring.leg)
            return False
        except SwitchError as error:
            log.warning("offer.no_bridge", call=self.match.call, agent=self.agent.id, why=str(error))
            return False

    def _drop(self) -> None:
        if self.ring is None:
            return
        try:
            self.ring.drop()
        except SwitchError as error:
            # The line is down: the calls layer finds the leg without an owner when it is back.
            log.warning("offer.not_dropped", agent=self.agent.id, leg=self.ring.leg, why=str(error))

    def _watch(self, seconds: float) -> None:
        self._unwatch()
        self._watchdog = self._clock.after(seconds, self._bark)

    def _unwatch(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None

    def _bark(self) -> None:
        if self._greenlet is not None:
            self._greenlet.throw(_Silent())


class _Silent(BaseException):
    """Nothing was heard of a ring in time. No ``Exception``: code between must not swallow it."""


def lost(offer: Offer, now: float) -> TalkResult:
    """The end of a talk that nobody could tell."""
    return TalkResult(TalkEnd.LOST, max(0.0, now - (offer.talking_since or now)))
