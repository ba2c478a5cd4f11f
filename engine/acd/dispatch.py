"""The dispatcher: brings callers and agents together the moment both are there.

It polls nothing. A caller who joins (or whose offer failed) is matched with the free agents; an agent who
becomes free is matched with those who wait. Because each of these happens at once, there is never both a
caller who waits and a free agent who could serve it, except while the gate is shut: before the engine has
taken up the calls that it found, while there is no switch, and when it stops.

Nothing here blocks, so each decision is whole: two calls can't get one agent.
"""

from __future__ import annotations

from collections import defaultdict

import structlog

from engine.acd import strategies
from engine.acd.agents import ON_A_CALL, READY, Agent, Agents
from engine.acd.board import Board, Match, Needs, Seat, Ticket, has, needs
from engine.acd.config import AcdConfig, QueueConfig
from engine.acd.figures import Figures
from engine.acd.floor import Brief, Briefing, Floor, Ring
from engine.acd.offers import Ended, Offer, Outcome, lost
from engine.acd.places import Connecting, Leaving, Left, Over, Place, Request, Stage, Talking
from engine.acd.report import Reporter
from engine.clock import Clock, Timer
from engine.types import AgentState, AgentView, RingKind

log = structlog.get_logger(__name__)

AT_WORK = frozenset({AgentState.READY, *ON_A_CALL})

SWITCH_AGAIN = 1.0  # seconds until offers are tried again after the switch could not be asked


class Dispatcher:
    """Places, offers and the board. See the module's head."""

    def __init__(self, config: AcdConfig, clock: Clock, floor: Floor, board: Board, report: Reporter) -> None:
        self._config = config
        self._clock = clock
        self._floor = floor
        self._board = board
        self._report = report
        self.agents = Agents(config, clock, report, self._agent_changed)
        self.figures: dict[str, Figures] = defaultdict(Figures)
        self._at_work: dict[str, int] = defaultdict(int)  # agents of a queue who take calls, free or not
        self._places: dict[str, Place] = {}  # by call id, those who wait
        self._offers: set[Offer] = set()
        self._shut: dict[str, None] = {"starting": None}
        self._again: Timer | None = None
        self.brief: Brief | None = None
        for name, agent in config.agents.items():
            board.seat(Seat(name, agent.queues, has(agent.skills, agent.languages)))

    def write_seats(self) -> None:
        """Into the journal: who serves what and has what, without which nobody could say later why they waited."""
        for name, agent in self._config.agents.items():
            having = has(agent.skills, agent.languages)
            self._report.write("agent.seated", agent=name, queues=dict(agent.queues), has=having)

    # -- the gate -------------------------------------------------------------------------------

    def shut(self, why: str) -> None:
        """Make no offers until :meth:`open` is called with the same ``why``."""
        if not self._shut:
            self._report.write("offers.held", why=why)
        self._shut[why] = None

    def open(self, why: str) -> None:
        """Take ``why`` away; when nothing else holds the gate, match all who are there."""
        if self._shut.pop(why, False) is False or self._shut:
            return
        self._report.write("offers.made_again", why=why)
        for place in list(self._places.values()):
            self._check_staff(place)
        for agent in self._board.free_agents():
            self._match_agent(agent)

    @property
    def is_open(self) -> bool:
        """Whether offers are made."""
        return not self._shut

    def waits(self, call_id: str) -> Place | None:
        """The place of a call that waits (or is offered)."""
        return self._places.get(call_id)

    # -- callers --------------------------------------------------------------------------------

    def enter(self, request: Request) -> Place:
        """A caller joins a queue, and is offered at once when an agent is free."""
        place = self._place(request)
        queue = self._config.queues.get(request.queue)
        if queue is None:
            log.error("queue.unknown", queue=request.queue, call=request.call_id)
            self._say_left(place, Leaving.CLOSED)
            return place
        self._join(place, "queue.resumed" if request.resumed else "queue.entered")
        if not self._check_staff(place):
            return place
        self._match_call(place)
        most = request.max_length if request.max_length is not None else queue.length
        if place.stage is Stage.WAITING and not request.resumed and self._board.waiting(request.queue) > most:
            self._leave(place, Leaving.FULL)
            return place
        self._limit(place, queue)
        self._report.tell(
            "call_queued", call=request.call_id, queue=request.queue, position=place.position() or 1
        )
        return place

    def resume(self, request: Request, agent: Agent, ring: Ring, *, talking: bool) -> Place:
        """Take up a ring or a talk that an earlier engine began."""
        place = self._place(request)
        queue = self._config.queues.get(request.queue)
        seconds = queue.offer if queue is not None else 20.0
        if agent.engagement is not None:
            agent.engagement.recall("resumed")
        if talking:
            match = Match(request.call_id, agent.id, request.queue, 0, 0, 0)
        else:
            self._join(place, "queue.resumed")
            match = Match(request.call_id, agent.id, request.queue, place.position(), 0, 0)
            self._board.claim(request.call_id)
            if queue is not None:
                self._limit(place, queue)
        offer = Offer(self._clock, self._floor, self, place, agent, match, seconds=seconds, ring=ring)
        agent.engagement = offer
        self._begin(offer, talking=talking)
        return place

    def _limit(self, place: Place, queue: QueueConfig) -> None:
        request = place.request
        longest = request.longest if request.longest is not None else queue.longest
        place.limit = self._clock.after(longest - request.since, self._waited_too_long, place)

    def leave(self, place: Place, reason: Leaving) -> bool:
        """See :meth:`engine.acd.places.Place.leave`."""
        offer = place.offer if place.stage is Stage.OFFERED else None
        if place.stage is Stage.WAITING or (offer is not None and offer.call_off(reason.value)):
            self._take_out(place, reason)
            return True
        if place.stage is Stage.CONNECTING and reason is Leaving.CALLER and place.offer is not None:
            place.offer.caller_left()
        return False

    def position(self, place: Place) -> int:
        waits = place.stage in (Stage.WAITING, Stage.OFFERED, Stage.CONNECTING)
        return self._board.position(place.request.call_id) if waits else 0

    def expected_wait(self, place: Place) -> float | None:
        position = self.position(place)
        if not position:
            return None
        figures = self.figures[place.request.queue]
        return figures.expected_wait(position, self._at_work[place.request.queue])

    def _place(self, request: Request) -> Place:
        queue = self._config.queues.get(request.queue)
        asked: Needs = ()
        if queue is not None:
            skills = dict(queue.skills)
            for skill, level in request.skills.items():
                skills[skill] = max(level, skills.get(skill, 0))
            asked = needs(skills, request.language if queue.language == "caller" else "")
        ticket = Ticket(
            request.call_id,
            request.queue,
            self._clock.monotonic() - max(0.0, request.since),
            request.priority,
            asked,
            request.agent,
            ranked=request.ranked,
        )
        return Place(
            request,
            ticket,
            request.news if request.news is not None else self._clock.queue(),
            leave=self.leave,
            position=self.position,
            wait=self.expected_wait,
        )

    def _join(self, place: Place, kind: str) -> None:
        request, ticket = place.request, place.ticket
        self._board.join(ticket)
        self._places[request.call_id] = place
        self._report.write(
            kind,
            call=request.call_id,
            queue=request.queue,
            position=self._board.position(request.call_id),
            priority=request.priority,
            needs=dict(ticket.needs),
            waited=round(request.since, 3),
        )

    def _leave(self, place: Place, reason: Leaving) -> None:
        """Send the caller out of the queue, without an agent, and let its flow know."""
        self._take_out(place, reason)
        self._say_left(place, reason)

    def _take_out(self, place: Place, reason: Leaving) -> None:
        request = place.request
        waited = self._clock.monotonic() - place.joined
        self._gone(place)
        figures = self.figures[request.queue]
        if reason is Leaving.CALLER:
            figures.abandoned += 1
        else:
            figures.left += 1
        self._report.write(
            "queue.left",
            call=request.call_id,
            queue=request.queue,
            reason=reason.value,
            waited=round(waited, 3),
        )
        if reason is Leaving.CALLER:
            self._report.tell(
                "call_abandoned", call=request.call_id, queue=request.queue, waited=round(waited, 3)
            )
        place.stage = Stage.DONE

    def _say_left(self, place: Place, reason: Leaving) -> None:
        place.stage = Stage.DONE
        place.news.put(Left(reason))

    def _gone(self, place: Place) -> None:
        """The caller has no place in the queue any more."""
        self._board.leave(place.request.call_id)
        del self._places[place.request.call_id]
        if place.limit is not None:
            place.limit.cancel()
            place.limit = None

    def _waited_too_long(self, place: Place) -> None:
        if place.stage is Stage.WAITING:
            self._leave(place, Leaving.TOO_LONG)
        elif place.stage in (Stage.OFFERED, Stage.CONNECTING):
            place.expired = Leaving.TOO_LONG  # an agent may be about to answer: see how that ends

    def _check_staff(self, place: Place) -> bool:
        """False, and the caller is out, when nobody is logged in who could serve it."""
        if self._shut or not place.request.no_agents or place.stage is not Stage.WAITING:
            return True
        if self._board.staffed(place.request.call_id):
            return True
        self._leave(place, Leaving.NO_AGENTS)
        return False

    # -- agents ---------------------------------------------------------------------------------

    def _agent_changed(self, agent: Agent, before: AgentState) -> None:
        state = agent.state
        if (before in AT_WORK) != (state in AT_WORK):
            for name in agent.config.queues:
                self._at_work[name] += 1 if state in AT_WORK else -1
        if (before is AgentState.LOGGED_OUT) != (state is AgentState.LOGGED_OUT):
            self._board.present(agent.id, state is not AgentState.LOGGED_OUT)
            if state is AgentState.LOGGED_OUT:
                self._board.busy(agent.id)
                self._check_queues(agent)
        if state is READY:
            record = strategies.Record(idle_since=agent.free_since)
            self._board.free(
                agent.id,
                {
                    name: strategies.AVAILABLE[self._config.queues[name].strategy](record)
                    for name in agent.config.queues
                },
            )
            self._match_agent(agent.id)
        else:
            self._board.busy(agent.id)

    def _check_queues(self, agent: Agent) -> None:
        """An agent logged out: those whom nobody is left to serve go their way."""
        if self._shut:
            return
        for name in agent.config.queues:
            lost_hope: dict[Needs, bool] = {}
            for ticket in list(self._board.line(name)):
                if ticket.needs not in lost_hope:
                    lost_hope[ticket.needs] = not self._board.staffed(ticket.call)
                if lost_hope[ticket.needs]:
                    self._check_staff(self._places[ticket.call])

    # -- matching -------------------------------------------------------------------------------

    def _match_agent(self, agent_id: str) -> None:
        if not self._shut and (match := self._board.match_agent(agent_id)) is not None:
            self._offer(match)

    def _match_call(self, place: Place) -> None:
        if not self._shut and (match := self._board.match_call(place.request.call_id)) is not None:
            self._offer(match)

    def _offer(self, match: Match) -> None:
        place, agent = self._places[match.call], self.agents.get(match.agent)
        queue = self._config.queues[match.queue]
        offer = Offer(self._clock, self._floor, self, place, agent, match, seconds=queue.offer)
        agent.engagement = offer
        self._report.write(
            "offer.made",
            call=match.call,
            agent=match.agent,
            queue=match.queue,
            rule=queue.strategy,
            position=match.position,
            free=match.free,
            able=match.able,
            idle=round(self._clock.monotonic() - agent.free_since, 3),
            waited=round(self._clock.monotonic() - place.joined, 3),
        )
        self._begin(offer)

    def _begin(self, offer: Offer, *, talking: bool = False) -> None:
        place, agent = offer.place, offer.agent
        self._offers.add(offer)
        place.offer = offer
        place.stage = Stage.OFFERED
        agent.queue = offer.match.queue
        if talking:
            self._talk(offer, resumed=True)
        elif agent.state is not AgentState.OFFERED or agent.call != offer.match.call:
            self.agents.move(agent, AgentState.OFFERED, call=offer.match.call)
        offer.start(self.agents.view(agent), talking=talking)

    # -- what offers tell (see offers.Desk) -------------------------------------------------------

    def recalled(self, offer: Offer, why: str) -> None:
        self._report.write(
            "offer.recalled", call=offer.match.call, agent=offer.agent.id, queue=offer.match.queue, why=why
        )
        self._back_in_line(offer)

    def briefing(self, offer: Offer, view: AgentView) -> Briefing | None:
        if self.brief is None:
            return None
        waited = self._clock.monotonic() - offer.place.joined
        return self.brief(view, offer.match.call, offer.match.queue, waited)

    def answered(self, offer: Offer) -> None:
        offer.agent.misses = 0
        offer.place.stage = Stage.CONNECTING
        offer.place.news.put(Connecting(self.agents.view(offer.agent)))

    def bridged(self, offer: Offer) -> None:
        place, queue = offer.place, self._config.queues.get(offer.match.queue)
        waited = self._clock.monotonic() - place.joined
        figures = self.figures[offer.match.queue]
        figures.answered += 1
        if queue is not None and queue.service_level is not None and waited <= queue.service_level.within:
            figures.in_time += 1
        self._gone(place)
        self._report.write(
            "queue.answered",
            call=offer.match.call,
            agent=offer.agent.id,
            queue=offer.match.queue,
            waited=round(waited, 3),
            rang=round(self._clock.monotonic() - offer.started, 3),
        )
        self._talk(offer, resumed=False)

    def _talk(self, offer: Offer, *, resumed: bool) -> None:
        place, agent = offer.place, offer.agent
        place.stage = Stage.TALKING
        if not resumed:
            agent.calls_taken += 1
        if agent.state is not AgentState.TALKING or agent.call != offer.match.call:
            self.agents.move(agent, AgentState.TALKING, call=offer.match.call)
        leg = offer.ring.leg if offer.ring is not None else ""
        place.news.put(Talking(self.agents.view(agent), leg, resumed))

    def ended(self, offer: Offer, outcome: Outcome) -> None:
        if self._report.silent:
            return
        self._offers.discard(offer)
        if offer.talking_since is not None:
            self._talk_over(offer, outcome)
            return
        # The caller first, so that it goes to another agent and not to this one again.
        if outcome.ended is Ended.CALLER_GONE and offer.place.offer is offer and self._waiting(offer.place):
            self._leave(offer.place, Leaving.CALLER)
        elif outcome.ended is Ended.NO_SWITCH:
            self._without_switch()
            self._back_in_line(offer)
        elif outcome.ended is not Ended.CALLED_OFF:
            self._tell_missed(offer, outcome)
            self._back_in_line(offer)
        if offer.agent.engagement is offer:
            self._release_agent(offer.agent, outcome)

    def _waiting(self, place: Place) -> bool:
        return self._places.get(place.request.call_id) is place

    def _back_in_line(self, offer: Offer) -> None:
        """The caller of a failed offer goes on waiting where it was, or to the next agent at once."""
        place = offer.place
        if place.offer is not offer or not self._waiting(place):
            return
        place.offer = None
        place.stage = Stage.WAITING
        self._board.put_back(place.request.call_id)
        if place.expired is not None:
            self._leave(place, place.expired)
        elif self._check_staff(place):
            self._match_call(place)

    def _release_agent(self, agent: Agent, outcome: Outcome) -> None:
        rules = self._config.rules
        if outcome.ended is Ended.BROKEN:
            self.agents.short_pause(agent, "failed", rules.failed_again)
        elif outcome.ended is not Ended.MISSED:
            self.agents.rest(agent)
        elif outcome.kind is RingKind.NO_ANSWER:
            self.agents.missed(agent)
        elif outcome.kind is RingKind.UNREACHABLE:
            self.agents.unreachable(agent)
        elif outcome.kind is RingKind.BUSY:
            self.agents.short_pause(agent, "busy", rules.busy_again)
        elif outcome.kind is RingKind.REJECTED:
            self.agents.short_pause(agent, "declined", rules.declined_again)
        else:
            self.agents.short_pause(agent, "failed", rules.failed_again)

    def _tell_missed(self, offer: Offer, outcome: Outcome) -> None:
        self._report.write(
            "offer.missed",
            call=offer.match.call,
            agent=offer.agent.id,
            queue=offer.match.queue,
            why=outcome.kind.value,
            cause=outcome.cause,
            rang=round(self._clock.monotonic() - offer.started, 3),
        )
        self._report.tell(
            "offer_missed", call=offer.match.call, agent=self.agents.view(offer.agent), why=outcome.kind.value
        )

    def _talk_over(self, offer: Offer, outcome: Outcome) -> None:
        place, agent = offer.place, offer.agent
        talk = outcome.talk or lost(offer, self._clock.monotonic())
        place.stage = Stage.DONE
        self._report.write(
            "talk.over",
            call=offer.match.call,
            agent=agent.id,
            queue=offer.match.queue,
            by=talk.by.value,
            seconds=round(talk.seconds, 3),
        )
        queue = self._config.queues.get(offer.match.queue)
        wrap_up = queue.wrap_up if queue is not None else 0.0
        self.figures[offer.match.queue].handled(self._clock.monotonic() - offer.started + wrap_up)
        place.news.put(Over(agent.id, talk.by, talk.seconds))
        if agent.engagement is offer:
            self.agents.talked(agent, wrap_up)

    def _without_switch(self) -> None:
        self.shut("no switch")
        if self._again is None:
            self._again = self._clock.after(SWITCH_AGAIN, self._try_again)

    def _try_again(self) -> None:
        self._again = None
        self.open("no switch")

    # -- the end --------------------------------------------------------------------------------

    def stop(self) -> None:
        """No more offers; phones that ring are let go. Talks go on, those who wait keep waiting."""
        self.shut("stopping")
        for offer in list(self._offers):
            if not offer.answered:
                offer.recall("stopping")

    def abandon(self) -> None:
        """Forget everything without a word, as the death of the process would (for tests of adoption)."""
        self._report.silent = True
        self.shut("abandoned")
        for offer in list(self._offers):
            offer.kill()
        for place in self._places.values():
            if place.limit is not None:
                place.limit.cancel()
        for agent in self.agents:
            if agent.timer is not None:
                agent.timer.cancel()
