"""The dispatcher: brings callers and agents together the moment both are there.

It polls nothing. A caller who joins (whose offer failed, whose needs were relaxed) is matched with the free
agents; an agent who becomes free is matched with those who wait (:mod:`engine.acd.line`). Because each of these
happens at once, there is never both a caller who waits and a free agent who could serve it, except while the gate is
shut: before the engine has taken up the calls that it found, while there is no switch, and when it stops.

Nothing here blocks, so each decision is whole: two calls can't get one agent, and of many phones that ring for one
call the first that is answered has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import structlog

from engine.acd.agents import ON_A_CALL, READY, Agent, Agents
from engine.acd.board import Board, Match, Seat, has
from engine.acd.config import AcdConfig, AgentConfig
from engine.acd.floor import Brief, Briefing, Floor, Ring
from engine.acd.line import Line
from engine.acd.offers import Ended, Offer, Outcome, lost
from engine.acd.places import Connecting, Leaving, Over, Place, Request, Stage, Talking, Unconnected
from engine.acd.report import Reporter
from engine.acd.tallies import Tallies
from engine.acd.whys import whys
from engine.clock import Clock, Timer
from engine.types import AgentState, AgentView

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
        self.tallies = Tallies(config, clock)
        self.line = Line(
            config,
            clock,
            board,
            report,
            match=self._match_call,
            at_work=lambda agent: self.agents.get(agent).state in AT_WORK,
            is_open=lambda: self.is_open,
            expected_wait=self.expected_wait,
        )
        self.figures = self.line.figures
        self._at_work: dict[str, int] = defaultdict(int)  # agents of a queue who take calls, free or not
        self._places = self.line.places  # by call id, those who wait
        self._ringing_all: dict[str, Place] = {}  # by call id, those for whom many phones ring
        self._offers: set[Offer] = set()
        self._shut: dict[str, None] = {"starting": None}
        self._again: Timer | None = None
        self.brief: Brief | None = None
        self._retired: set[str] = set()  # agents who leave for good
        self._withheld: dict[str, Mapping[str, str]] = {}  # agent -> skills that don't count, and why
        self._seats = {name: _seat(name, agent, {}) for name, agent in config.agents.items()}
        for seat in self._seats.values():
            board.seat(seat)

    def write_seats(self) -> None:
        """Into the journal: who serves what and has what, without which nobody could say later why they waited."""
        for seat in self._seats.values():
            self._write_seat(seat)

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
            self.line.check_staff(place)
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
        return self.line.enter(request)

    def resume(self, request: Request, agent: Agent, ring: Ring, *, talking: bool) -> Place:
        """Take up a ring or a talk that an earlier engine began. Of a caller for whom many phones ring, one after
        the other: the place is the same."""
        known = None if talking else self._places.get(request.call_id)
        place = known or self.line.place(request)
        queue = self._config.queues.get(request.queue)
        seconds = queue.offer if queue is not None else 20.0
        if agent.engagement is not None:
            agent.engagement.recall("resumed")
        if talking:
            match = Match(request.call_id, agent.id, request.queue, 0, 0, 0)
        else:
            if known is None:
                self.line.join(place, "queue.resumed")
                self._board.claim(request.call_id)
                self.line.foresee(place)
            else:
                self._ringing_all[request.call_id] = place
            match = Match(request.call_id, agent.id, request.queue, place.position(), 0, 0)
        offer = Offer(self._clock, self._floor, self, place, agent, match, seconds=seconds, ring=ring)
        agent.engagement = offer
        self._begin(offer, talking=talking)
        return place

    def expected_wait(self, place: Place) -> float | None:
        """See :meth:`engine.acd.places.Place.expected_wait`."""
        position = self.line.position(place)
        if not position:
            return None
        name = place.request.queue
        return self.figures[name].expected_wait(position, self._hands(name))

    def _hands(self, name: str) -> float:
        """How many agents work for a queue now. One who serves others too goes first to the nearest that hold
        somebody, and there counts by half, by a third …"""
        if not self._at_work[name]:
            return 0.0
        crowded = {queue for queue in self._config.queues if queue == name or self._board.waiting(queue)}
        hands = 0.0
        for agent in self.agents:
            tiers = agent.config.queues
            if name in tiers and agent.state in AT_WORK:
                nearest = min(tier for queue, tier in tiers.items() if queue in crowded)
                if tiers[name] == nearest:
                    hands += 1 / sum(tier == nearest for queue, tier in tiers.items() if queue in crowded)
        return hands

    # -- agents ---------------------------------------------------------------------------------

    def _agent_changed(self, agent: Agent, before: AgentState) -> None:
        state = agent.state
        if (before in AT_WORK) != (state in AT_WORK):
            for name in agent.config.queues:
                self._at_work[name] += 1 if state in AT_WORK else -1
        if before is AgentState.WRAP_UP and (worked := self.tallies.worked(agent.id)) is not None:
            self.figures[worked.queue].handled(worked.seconds)
        if (before is AgentState.LOGGED_OUT) != (state is AgentState.LOGGED_OUT):
            self._board.present(agent.id, state is not AgentState.LOGGED_OUT)
            if before is AgentState.LOGGED_OUT:
                self.tallies.logged_in(agent.id)
            else:
                self._board.busy(agent.id)
                for name in () if self._shut else agent.config.queues:
                    self.line.check_queue(name)
        if state is READY:
            self._board.free(agent.id, self.tallies.ranks(agent.id, agent.free_since))
            self._match_agent(agent.id)
            return
        self._board.busy(agent.id)
        if state not in AT_WORK:
            self.line.agent_gone(agent.id)
        if state is AgentState.LOGGED_OUT and agent.id in self._retired:
            self._forget(agent)

    # -- other agents and queues (see engine.acd.reconfigure) ---------------------------------------

    def take_config(self) -> None:
        """The configuration that all share says something else now."""
        self.tallies.take_config()

    def take_seat(self, agent: Agent) -> None:
        """A new agent, or one whose queues and skills are others."""
        seat = self._seats[agent.id] = _seat(agent.id, agent.config, self.withheld(agent.id))
        self._board.seat(seat)
        self._write_seat(seat)

    def withheld(self, agent: str) -> Mapping[str, str]:
        """The agent's skills that do not count now, and why."""
        return self._withheld.get(agent, {})

    def withhold(self, withheld: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Let these skills of these agents not count, and all others do; who is concerned. Those who wait are matched
        anew."""
        before, self._withheld = self._withheld, {name: dict(why) for name, why in withheld.items() if why}
        changed = sorted(
            name for name in {*before, *self._withheld} if before.get(name) != self._withheld.get(name)
        )
        there = [agent for agent in self.agents if agent.id in changed]
        for agent in there:
            self.take_seat(agent)
        for agent in there:
            self.seat_again(agent)
        return [agent.id for agent in there]

    def _write_seat(self, seat: Seat) -> None:
        withheld = self.withheld(seat.agent)
        more: dict[str, Any] = {"withheld": dict(withheld)} if withheld else {}
        self._report.write(
            "agent.seated", agent=seat.agent, queues=dict(seat.queues), has=dict(seat.has), **more
        )

    def retire(self, agent: Agent) -> None:
        """An agent is no more in the file: it leaves, after the talk that it is in."""
        self._retired.add(agent.id)
        if agent.state is AgentState.LOGGED_OUT:
            self._forget(agent)
        else:
            self.agents.log_out(agent)

    def count_again(self) -> None:
        """Who works for which queue, now that agents serve others."""
        self._at_work.clear()
        for agent in self.agents:
            if agent.state in AT_WORK:
                for name in agent.config.queues:
                    self._at_work[name] += 1

    def _forget(self, agent: Agent) -> None:
        self._retired.discard(agent.id)
        self._board.unseat(agent.id)
        self._seats.pop(agent.id, None)
        self.agents.forget(agent)

    # -- mending (see engine.acd.truth) -----------------------------------------------------------

    def places(self) -> list[Place]:
        """The places of all who wait, those being offered included."""
        return list(self._places.values())

    def seat_again(self, agent: Agent) -> None:
        """Put an agent on the board as its state says."""
        self._board.present(agent.id, agent.state is not AgentState.LOGGED_OUT)
        if agent.state is READY:
            self._board.free(agent.id, self.tallies.ranks(agent.id, agent.free_since))
            self._match_agent(agent.id)
        else:
            self._board.busy(agent.id)

    def ghost(self, place: Place) -> None:
        """A caller who is no more: its place, and a ring for it, end."""
        if not self.line.leave(place, Leaving.CALLER) and self._waiting(place):
            for offer in list(place.offers):
                offer.give_up()

    def match_again(self, place: Place) -> None:
        """Somebody waits beside a free agent: it should not be."""
        self._match_call(place)

    # -- matching -------------------------------------------------------------------------------

    def _match_agent(self, agent_id: str) -> None:
        if self._shut:
            return
        if (match := self._board.match_agent(agent_id)) is not None:
            self._offer(match, "agent")
            self._ring_others(self._places[match.call])
            return
        for place in sorted(self._ringing_all.values(), key=lambda place: place.ticket.turn):
            if (match := self._join_ringing(place, agent_id)) is not None:
                self._offer(match, "all")
                return

    def _join_ringing(self, place: Place, agent_id: str) -> Match | None:
        """An agent became free while other phones ring for a caller: its own may ring, too."""
        if place.stage is not Stage.OFFERED or any(offer.agent.id == agent_id for offer in place.offers):
            return None
        if place.request.queue not in self._seats[agent_id].queues:
            return None
        return self._board.assign(place.request.call_id, agent_id)

    def _match_call(self, place: Place) -> None:
        if self._shut or place.stage is not Stage.WAITING:
            return
        by = self.tallies.strategy(place.request.queue).by
        match = self._board.match_call(place.request.call_id, by)
        if match is None:
            return
        self._offer(match, "caller")
        self._ring_others(place)

    def _ring_others(self, place: Place) -> None:
        """Where a queue rings all: let the phones of the others who are free ring for this caller, too."""
        call = place.request.call_id
        # Who is to be called back is dialled once, when one agent is reserved.
        if place.sticky or place.request.virtual:
            return
        if not self.tallies.strategy(place.request.queue).rings_all:
            return
        self._ringing_all[call] = place
        for agent in self._board.candidates(call):
            if (more := self._board.assign(call, agent)) is not None:
                self._offer(more, "all")

    def _offer(self, match: Match, side: str) -> None:
        place, agent = self._places[match.call], self.agents.get(match.agent)
        queue, now = self._config.queues[match.queue], self._clock.monotonic()
        offer = Offer(self._clock, self._floor, self, place, agent, match, seconds=queue.offer)
        agent.engagement = offer
        self.tallies.offered(agent.id, match.queue)
        self._report.write(
            "offer.made",
            call=match.call,
            agent=match.agent,
            queue=match.queue,
            rule=queue.strategy,
            side=side,
            position=match.position,
            free=match.free,
            able=match.able,
            tier=match.tier,
            rank=round(match.rank, 3),
            idle=round(now - agent.free_since, 3),
            waited=round(now - place.joined, 3),
            by_plugin=match.agent in place.ticket.ranked and match.agent != place.ticket.prefer,
            **whys(self._board, match, place, self._seats.__getitem__, self._places.get),
        )
        self._begin(offer)

    def _begin(self, offer: Offer, *, talking: bool = False) -> None:
        place, agent = offer.place, offer.agent
        self._offers.add(offer)
        place.offers.append(offer)
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

    def answered(self, offer: Offer) -> bool:
        place = offer.place
        offer.agent.misses = 0
        if place.stage is not Stage.OFFERED or offer not in place.offers:
            return False  # another phone was answered in the same instant
        place.stage = Stage.CONNECTING
        self._ringing_all.pop(place.request.call_id, None)
        others, place.offers = [one for one in place.offers if one is not offer], [offer]
        for other in others:
            self._tell_lost(other, offer.agent.id)
            other.call_off("answered elsewhere")
        place.news.put(Connecting(self.agents.view(offer.agent)))
        return True

    def _tell_lost(self, offer: Offer, to: str) -> None:
        self._report.write(
            "offer.lost",
            call=offer.match.call,
            agent=offer.agent.id,
            queue=offer.match.queue,
            to=to,
            rang=round(self._clock.monotonic() - offer.started, 3),
        )

    def bridged(self, offer: Offer) -> None:
        place, queue = offer.place, self._config.queues.get(offer.match.queue)
        waited = self._clock.monotonic() - place.joined
        figures = self.figures[offer.match.queue]
        figures.answered += 1
        if queue is not None and queue.service_level is not None and waited <= queue.service_level.within:
            figures.in_time += 1
        self.line.gone(place)
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
        if offer.place.stage is Stage.DONE:
            self._ringing_all.pop(offer.match.call, None)
        if offer.talking_since is not None:
            self._talk_over(offer, outcome)
            return
        # The caller first, so that it goes to another agent and not to this one again.
        mine = offer in offer.place.offers and self._waiting(offer.place)
        if outcome.ended is Ended.CALLER_GONE and mine:
            self._send_out(offer.place, Leaving.CALLER)
        elif outcome.ended is Ended.ASKER_GONE and mine:
            self._send_out(offer.place, Leaving.BACK)
        elif outcome.ended is Ended.NOT_REACHED and mine:
            self._send_out(offer.place, Leaving.NOT_REACHED)
        elif outcome.ended is Ended.NO_SWITCH:
            self._without_switch()
            self.recalled(offer, "no switch")
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
        if offer not in place.offers or not self._waiting(place):
            return
        place.offers.remove(offer)
        if place.offers:
            return  # other phones ring on
        self._ringing_all.pop(place.request.call_id, None)
        if place.stage is Stage.CONNECTING:
            place.news.put(Unconnected())
        place.stage = Stage.WAITING
        self._board.put_back(place.request.call_id)
        if place.expired is not None and self.line.expire(place):
            return
        if place.sticky:
            self.line.unstick(place, "missed")  # which looks for the next agent
        elif self.line.check_staff(place):
            self._match_call(place)

    def _send_out(self, place: Place, reason: Leaving) -> None:
        """Away with a caller for whom phones may still ring."""
        self._ringing_all.pop(place.request.call_id, None)
        for other in place.offers:
            other.call_off(reason.value)
        self.line.send_out(place, reason)

    def _release_agent(self, agent: Agent, outcome: Outcome) -> None:
        rules = self._config.rules
        if outcome.ended is Ended.BROKEN:
            self.agents.short_pause(agent, "failed", rules.failed_again)
        elif outcome.ended is not Ended.MISSED:
            self.agents.rest(agent)
        else:
            self.agents.not_reached(agent, outcome.kind)

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
        self.tallies.talked(agent.id, offer.match.queue, talk.seconds, offer.started)
        place.news.put(Over(agent.id, talk.by, talk.seconds))
        if agent.engagement is offer:
            self.agents.talked(agent, wrap_up)
        if agent.state is not AgentState.WRAP_UP and (worked := self.tallies.worked(agent.id)) is not None:
            self.figures[worked.queue].handled(worked.seconds)

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
        self.line.opening.stop()
        for offer in list(self._offers):
            if not offer.answered:
                offer.recall("stopping")

    def abandon(self) -> None:
        """Forget everything without a word, as the death of the process would (for tests of adoption)."""
        self._report.silent = True
        self.shut("abandoned")
        for offer in list(self._offers):
            offer.kill()
        self.line.abandon()
        for agent in self.agents:
            if agent.timer is not None:
                agent.timer.cancel()


def _seat(name: str, agent: AgentConfig, withheld: Mapping[str, str]) -> Seat:
    skills = {skill: level for skill, level in agent.skills.items() if skill not in withheld}
    return Seat(name, agent.queues, has(skills, agent.languages, agent.site or "", name))
