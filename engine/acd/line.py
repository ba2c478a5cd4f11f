"""Those who wait: how they enter a queue, what changes while they wait, and every way out of it.

A caller's wishes (:class:`engine.acd.rules.Wanted`) become the needs of its ticket, and are relaxed by its
:class:`~engine.acd.timeline.Timeline`. Each change is followed by a look for an agent, so that nobody waits
while somebody who could help is free.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from engine.acd.board import AGENT, Board, Needs, Ticket, needs
from engine.acd.config import AcdConfig, QueueConfig
from engine.acd.figures import Figures
from engine.acd.opening import Opening
from engine.acd.places import Leaving, Left, Moved, Place, Raised, Request, Stage
from engine.acd.report import Reporter
from engine.acd.rules import Goal, Wanted
from engine.acd.timeline import Timeline
from engine.clock import Clock, Mailbox

log = structlog.get_logger(__name__)

AGAIN = 30.0  # seconds until an overflow into a queue that could not take the caller is tried again


class Line:
    """The callers of all queues. ``match`` looks for an agent for one who waits; ``at_work`` says whether an agent
    takes calls, now or soon; ``is_open`` whether offers are made."""

    def __init__(
        self,
        config: AcdConfig,
        clock: Clock,
        board: Board,
        report: Reporter,
        *,
        match: Callable[[Place], None],
        at_work: Callable[[str], bool],
        is_open: Callable[[], bool],
        expected_wait: Callable[[Place], float | None],
    ) -> None:
        self._config = config
        self._clock = clock
        self._board = board
        self._report = report
        self._match = match
        self._at_work = at_work
        self._is_open = is_open
        self._expected_wait = expected_wait
        self.places: dict[str, Place] = {}  # by call id
        self.figures: dict[str, Figures] = defaultdict(Figures)
        self._stuck: dict[str, dict[str, Place]] = defaultdict(dict)  # by agent: those who wait for it alone
        self.opening = Opening(config.queues, clock, report, self._closing)

    # -- in -------------------------------------------------------------------------------------

    def enter(self, request: Request) -> Place:
        """A caller joins a queue, and is offered at once when an agent is free."""
        place = self.place(request)
        queue = self._config.queues.get(request.queue)
        if queue is None:
            log.error("queue.unknown", queue=request.queue, call=request.call_id)
            self._say_left(place, Leaving.CLOSED)
        elif not request.resumed and (closed := self.opening.because(request.queue)):
            self._report.write(
                "queue.left", call=request.call_id, queue=request.queue, reason="closed", waited=0.0, **closed
            )
            self.figures[request.queue].left += 1
            self._say_left(place, Leaving.CLOSED)
        else:
            self.join(place, "queue.resumed" if request.resumed else "queue.entered")
            if self._settle(place, queue) and not request.virtual:  # of which plugins know since it came
                self._report.tell(
                    "call_queued", call=request.call_id, queue=request.queue, position=place.position() or 1
                )
        return place

    def place(self, request: Request) -> Place:
        """A place for a request, on no board yet."""
        now = self._clock.monotonic()
        queue = self._config.queues.get(request.queue)
        waited = max(0.0, request.since)
        here = request.here if request.here is not None else (waited if request.resumed else 0.0)
        skills = dict(queue.skills) if queue is not None else {}
        for skill, level in request.skills.items():
            skills[skill] = max(level, skills.get(skill, 0))
        sites: tuple[str, ...] = ()
        if queue is not None and queue.site is not None:
            site = request.site if queue.site == "caller" else queue.site
            sites = (site,) if site else ()
        language = request.language if queue is not None and queue.language == "caller" else ""
        wanted = Wanted(skills, language, sites, request.away)
        asked = needs(skills)
        prefer = request.agent
        if not prefer and queue is not None and queue.sticky is not None:
            prefer = request.last_agent
        priority = request.priority + self._config.tiers.get(request.tier, 0)
        if queue is not None:
            wanted = wanted.at_last(step for step in queue.relax if step.after <= here)
        ticket = Ticket(
            request.call_id,
            request.queue,
            now - waited,
            priority,
            wanted.needs,
            prefer,
            head_start=self._head_start(request.queue, priority),
            asked=asked,
            ranked=request.ranked,
            virtual=request.virtual,
        )
        place = Place(
            request,
            ticket,
            request.news if request.news is not None else self._clock.queue(),
            wanted,
            leave=self.leave,
            position=self.position,
            wait=self._expected_wait,
        )
        place.here = now - here
        if queue is not None:
            place.loosest = wanted.at_last(queue.relax).needs
            self._stick(place, queue)
        return place

    def _head_start(self, queue: str, priority: int) -> float:
        return self._config.ageing_of(queue).head_start(priority) if queue in self._config.queues else 0.0

    def join(self, place: Place, kind: str, *, moved_from: str = "") -> None:
        """Put a place on the board, and into the journal."""
        request, ticket = place.request, place.ticket
        self._board.join(ticket)
        self.places[request.call_id] = place
        self._report.write(
            kind,
            call=request.call_id,
            queue=request.queue,
            position=self._board.position(request.call_id),
            priority=ticket.priority,
            tier=request.tier,
            head_start=round(ticket.head_start, 3),
            needs=dict(ticket.needs),
            prefer=ticket.prefer,
            waited=round(self._clock.monotonic() - place.joined, 3),
            moved_from=moved_from,
            virtual=request.virtual,
            asks=request.asks,
        )
        if place.sticky:
            self._stuck[ticket.prefer][request.call_id] = place
            self._report.write(
                "queue.sticky",
                call=request.call_id,
                queue=request.queue,
                prefer=ticket.prefer,
                why=place.sticky,
                seconds=self._sticks_for(place),
            )

    def _settle(self, place: Place, queue: QueueConfig) -> bool:
        """What follows a joining: an agent, a limit that is reached, or the wait. False when it is out again."""
        request = place.request
        if not self.check_staff(place):
            return False
        self._match(place)
        if self._waits(place) and not request.resumed and not request.virtual:
            waiting = self._board.waiting(request.queue)
            if (
                queue.overflow is not None
                and queue.overflow.beyond is not None
                and waiting > queue.overflow.beyond
                and self._overflow(place, "length")
            ):
                return not self._done(place)
            if waiting > (request.max_length if request.max_length is not None else queue.length):
                self.send_out(place, Leaving.FULL)
                return False
        if not self._done(place):
            self.foresee(place)
        return True

    @staticmethod
    def _waits(place: Place) -> bool:
        return place.stage is Stage.WAITING

    @staticmethod
    def _done(place: Place) -> bool:
        return place.stage is Stage.DONE

    def foresee(self, place: Place) -> None:
        """Let come what comes to this caller while it waits."""
        request, queue = place.request, self._config.queues.get(place.request.queue)
        if queue is None:
            return
        here = self._clock.monotonic() - place.here
        place.timeline = timeline = Timeline(self._clock)
        if place.sticky:
            timeline.at(
                self._clock.monotonic() + self._sticks_for(place), partial(self.unstick, place, "time")
            )
        for at, step in enumerate(queue.relax):
            if step.after > here:
                timeline.at(place.here + step.after, partial(self._relax, place, at))
        if queue.overflow is not None and queue.overflow.after is not None and not request.virtual:
            timeline.at(place.here + queue.overflow.after, partial(self._overflow, place, "time"))
        longest = request.longest if request.longest is not None else queue.longest
        timeline.at(place.joined + longest, partial(self._waited_too_long, place))
        if self.opening.closed(request.queue) and queue.at_closing.do == "leave":
            timeline.at(self._clock.monotonic() + queue.at_closing.grace, partial(self._closed_on, place))
        timeline.start()

    # -- what changes while it waits --------------------------------------------------------------

    def _change(self, place: Place, **values: object) -> None:
        place.ticket = replace(place.ticket, **values)  # type: ignore[arg-type]
        self._board.change(place.ticket)

    def _look(self, place: Place) -> None:
        """After a change: is there an agent now?"""
        if place.stage is Stage.WAITING and self.check_staff(place):
            self._match(place)

    def _waited(self, place: Place) -> float:
        return round(self._clock.monotonic() - place.joined, 3)

    def _relax(self, place: Place, at: int) -> None:
        queue = self._config.queues[place.request.queue]
        step, before = queue.relax[at], place.wanted.needs
        place.wanted = place.wanted.relaxed(step)
        now = place.wanted.needs
        if now == before:
            return  # it asked for less from the beginning
        if not place.sticky:
            self._change(place, needs=now)
        self._report.write(
            "queue.relaxed",
            call=place.request.call_id,
            queue=place.request.queue,
            step=at + 1,
            after=step.after,
            before=dict(before),
            needs=dict(now),
            able=self._board.staffed(place.request.queue, now),
            waited=self._waited(place),
        )
        self._look(place)

    def _sticks_for(self, place: Place) -> float:
        """Seconds from now on that a caller waits for one agent alone; none when that is over."""
        sticky = self._config.queues[place.request.queue].sticky
        return max(0.0, place.here + sticky.wait - self._clock.monotonic()) if sticky is not None else 0.0

    def _stick(self, place: Place, queue: QueueConfig) -> None:
        """Let a caller wait for one agent alone, where that one serves the queue and takes calls."""
        agent, request = place.ticket.prefer, place.request
        known = self._config.agents.get(agent)
        if (
            queue.sticky is None
            or known is None
            or request.queue not in known.queues
            or known.site in request.away
        ):
            return
        if self._sticks_for(place) > 0 and self._at_work(agent):
            place.sticky = "owner" if request.agent else "last"
            place.ticket = replace(place.ticket, needs=((AGENT + agent, 1),))

    def unstick(self, place: Place, why: str) -> None:
        """Anybody will do from now on."""
        if not place.sticky:
            return
        place.sticky = ""
        self._stuck[place.ticket.prefer].pop(place.request.call_id, None)
        self._change(place, needs=place.wanted.needs)
        self._report.write(
            "queue.sticky_over",
            call=place.request.call_id,
            queue=place.request.queue,
            prefer=place.ticket.prefer,
            why=why,
            needs=dict(place.ticket.needs),
            waited=self._waited(place),
        )
        self._look(place)

    def agent_gone(self, agent: str) -> None:
        """Those who wait for this agent alone need not any more."""
        for place in list(self._stuck.pop(agent, {}).values()):
            self.unstick(place, "agent gone")

    def raise_to(self, place: Place, priority: int, by: str) -> None:
        """Another priority, and with it another turn; it comes along into other queues."""
        before = place.ticket.priority
        place.request = replace(place.request, priority=place.request.priority + priority - before)
        self._change(place, priority=priority, head_start=self._head_start(place.request.queue, priority))
        self._report.write(
            "queue.raised",
            call=place.request.call_id,
            queue=place.request.queue,
            before=before,
            priority=priority,
            head_start=round(place.ticket.head_start, 3),
            by=by,
            position=self.position(place),
        )
        place.news.put(Raised())

    # -- overflow, and moving to another queue ------------------------------------------------------

    def _overflow(self, place: Place, why: str) -> bool:
        """Let a caller go on where its queue overflows to. False when it stays."""
        overflow = self._config.queues[place.request.queue].overflow
        if overflow is None or place.stage is Stage.DONE:
            return False
        if place.stage is not Stage.WAITING:
            place.expired = Leaving.OVERFLOW  # an agent may be about to answer: see how that ends
            return False
        refused = self._refuses(place, overflow.to.name) if overflow.to.kind == "queue" else ""
        facts: dict[str, Any] = {"to": str(overflow.to), "waited": self._waited(place)}
        call, queue = place.request.call_id, place.request.queue
        if refused:
            if not place.told_stay:
                place.told_stay = True
                self._report.write("queue.overflow_failed", call=call, queue=queue, why=refused, **facts)
            if place.timeline is not None:
                place.timeline.at(self._clock.monotonic() + AGAIN, partial(self._overflow, place, why))
                place.timeline.start()
            return False
        self._report.write("queue.overflow", call=call, queue=queue, why=why, **facts)
        self.figures[queue].overflowed += 1
        if overflow.to.kind == "queue":
            self.move(place, overflow.to.name)
        else:
            self.send_out(place, Leaving.OVERFLOW, overflow.to)
        return True

    def _refuses(self, place: Place, name: str) -> str:
        """Why a queue can't take this caller; "" when it can."""
        queue = self._config.queues[name]
        if self.opening.closed(name):
            return Leaving.CLOSED.value
        if self._board.waiting(name) >= queue.length and not (queue.length == 0 and self._anybody_free(name)):
            return Leaving.FULL.value
        wanted = self.place(self._elsewhere(place, name)).loosest
        return "" if self._board.staffed(name, wanted) else Leaving.NO_AGENTS.value

    def refuses(self, request: Request) -> str:
        """Why a queue would not take this caller now; "" when it would. A word of :class:`Leaving`."""
        name = request.queue
        if self.opening.closed(name):
            return Leaving.CLOSED.value
        queue = self._config.queues[name]
        place = self.place(request)
        if not self._board.staffed(name, place.loosest) and self._is_open():
            return Leaving.NO_AGENTS.value
        if self._board.waiting(name) >= queue.length and not self._anybody_free(name):
            return Leaving.FULL.value
        return ""

    def _anybody_free(self, name: str) -> bool:
        return any(name in self._config.agents[agent].queues for agent in self._board.free_agents())

    def hand(self, place: Place, news: Mailbox[Any], **changes: Any) -> None:
        """Who waited in this place to ask somebody leaves it to its caller, who keeps the turn. What was not read of
        the place's news goes on to ``news``."""
        before, asks = place.news, place.request.asks
        place.request = replace(place.request, asks="", join=None, news=news, **changes)
        place.news = news
        while len(before):
            news.put(before.get(0))
        self._report.write(
            "queue.handed",
            call=place.request.call_id,
            queue=place.request.queue,
            by=asks,
            position=self.position(place),
            waited=self._waited(place),
        )

    def _elsewhere(self, place: Place, name: str) -> Request:
        """The request for another queue. What the flow asked for is not what that queue is about, and does not
        come along; the wait, the priority, the caller's language and the sites that must not have it do."""
        waited = self._clock.monotonic() - place.joined
        return replace(place.request, queue=name, skills={}, since=waited, here=0.0, resumed=False)

    def move(self, place: Place, name: str, *, by: str = "") -> None:
        """Let a waiting caller wait in another queue, with the wait that it has."""
        before, call = place.request.queue, place.request.call_id
        self.gone(place)
        fresh = self.place(self._elsewhere(place, name))
        place.request, place.ticket, place.wanted = fresh.request, fresh.ticket, fresh.wanted
        place.here, place.loosest, place.sticky = fresh.here, fresh.loosest, fresh.sticky
        place.expired, place.told_stay = None, False
        if by:
            self._report.write(
                "queue.moved", call=call, queue=name, moved_from=before, by=by, waited=self._waited(place)
            )
        place.news.put(Moved(name))
        self.join(place, "queue.entered", moved_from=before)
        # Whoever moves here finds room: how long the line may be was looked at, or somebody decided.
        if self.check_staff(place):
            self._match(place)
            self.foresee(place)

    # -- out ------------------------------------------------------------------------------------

    def leave(self, place: Place, reason: Leaving) -> bool:
        """See :meth:`engine.acd.places.Place.leave`."""
        if place.stage is Stage.OFFERED:
            for offer in list(place.offers):
                offer.call_off(reason.value)
        elif place.stage is not Stage.WAITING:
            if place.stage is Stage.CONNECTING and reason is Leaving.CALLER:
                for offer in list(place.offers):
                    offer.caller_left()
            return False
        self._take_out(place, reason)
        return True

    def send_out(self, place: Place, reason: Leaving, to: Goal | None = None) -> None:
        """Send the caller out of the queue, without an agent, and let its flow know."""
        self._take_out(place, reason)
        self._say_left(place, reason, to)

    def expire(self, place: Place) -> bool:
        """What was due while a phone rang for this caller, now that the ring has failed. True: it is out, or
        waits elsewhere."""
        due, place.expired = place.expired, None
        if due is Leaving.OVERFLOW:
            return self._overflow(place, "time")
        if due is not None:
            self.send_out(place, due)
        return due is not None

    def _take_out(self, place: Place, reason: Leaving) -> None:
        request, waited = place.request, self._waited(place)
        self.gone(place)
        figures = self.figures[request.queue]
        if reason is Leaving.CALLER:
            figures.abandoned += 1
        elif reason is not Leaving.OVERFLOW and not request.virtual:  # which was counted when it came about
            figures.left += 1
        closed = self.opening.because(request.queue) if reason is Leaving.CLOSED else {}
        self._report.write(
            "queue.left",
            call=request.call_id,
            queue=request.queue,
            reason=reason.value,
            waited=waited,
            **closed,
        )
        if reason is Leaving.CALLER:
            self._report.tell("call_abandoned", call=request.call_id, queue=request.queue, waited=waited)
        place.stage = Stage.DONE

    def _say_left(self, place: Place, reason: Leaving, to: Goal | None = None) -> None:
        place.stage = Stage.DONE
        place.news.put(Left(reason, to))

    def gone(self, place: Place) -> None:
        """The caller has no place in its queue any more."""
        call = place.request.call_id
        self._board.leave(call)
        del self.places[call]
        if place.sticky:
            self._stuck[place.ticket.prefer].pop(call, None)
            place.sticky = ""
        if place.timeline is not None:
            place.timeline.cancel()
            place.timeline = None

    def _waited_too_long(self, place: Place) -> None:
        self._is_due(place, Leaving.TOO_LONG)

    def _is_due(self, place: Place, reason: Leaving) -> None:
        if place.stage is Stage.WAITING:
            self.send_out(place, reason)
        elif place.stage in (Stage.OFFERED, Stage.CONNECTING):
            place.expired = reason  # an agent may be about to answer: see how that ends

    def _closing(self, name: str) -> None:
        """A queue closed: those who wait go after its grace, where that is its way, or stay."""
        queue = self._config.queues[name]
        for ticket in [one for one in self._board.line(name) if one.virtual]:
            # Nobody stays on the line for it: it comes back when the queue is open.
            if self.places[ticket.call].request.virtual:
                self._is_due(self.places[ticket.call], Leaving.CLOSED)
        if queue.at_closing.do != "leave":
            return
        now = self._clock.monotonic()
        for ticket in list(self._board.line(name)):
            place = self.places[ticket.call]
            if place.timeline is not None:
                place.timeline.at(now + queue.at_closing.grace, partial(self._closed_on, place))
                place.timeline.start()

    def _closed_on(self, place: Place) -> None:
        if self.opening.closed(place.request.queue):  # it may have opened again meanwhile
            self._is_due(place, Leaving.CLOSED)

    # -- staff ----------------------------------------------------------------------------------

    def check_staff(self, place: Place) -> bool:
        """False, and the caller is out, when nobody is logged in who could serve it, now or when all is relaxed."""
        if not self._is_open() or not place.request.no_agents or place.stage is not Stage.WAITING:
            return True
        if self._board.staffed(place.request.queue, place.loosest):
            return True
        if place.sticky and self._board.staffed(place.request.queue, place.ticket.needs):
            return True
        self.send_out(place, Leaving.NO_AGENTS)
        return False

    def check_queue(self, name: str) -> None:
        """An agent logged out: those whom nobody is left to serve go their way."""
        hopeless: dict[Needs, bool] = {}
        for ticket in list(self._board.line(name)):
            place = self.places.get(ticket.call)
            if place is None:
                continue
            if place.loosest not in hopeless:
                hopeless[place.loosest] = not self._board.staffed(name, place.loosest)
            if hopeless[place.loosest]:
                self.check_staff(place)

    def position(self, place: Place) -> int:
        """See :meth:`engine.acd.places.Place.position`."""
        waits = place.stage in (Stage.WAITING, Stage.OFFERED, Stage.CONNECTING)
        return self._board.position(place.request.call_id) if waits else 0

    def abandon(self) -> None:
        """Forget all timers, as the death of the process would."""
        self.opening.stop()
        for place in self.places.values():
            if place.timeline is not None:
                place.timeline.cancel()
