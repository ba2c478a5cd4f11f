"""The ACD: who waits, who is free, and who talks to whom.

The facade over the parts of this folder; other layers use nothing else of it but the words of
``engine.acd.places``. A day of it::

    acd = Acd(config, clock, floor, journal, notify)
    acd.restore(memories)                   # after a restart: what the store kept of the agents
    acd.resume_talk(request, "8012", leg)   # and each call that was found talking, ringing, waiting
    acd.phones_are({"1001", "1002"})        # who is registered now
    acd.start()                             # agents of `login: auto` are in, offers begin

    place = acd.enter(Request(call_id, number, "logistics", skills={"waybill": 2}))
    while True:
        match place.news.get(timeout=40):   # Empty: time for an announcement
            case Talking(agent=agent): ...
            case Over() | Left(): break

All methods are for greenlets of the hub and return at once, but for :meth:`Acd.login` with a PIN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from engine.acd.agents import Agent, AgentMemory
from engine.acd.board import Board
from engine.acd.config import AcdConfig, QueueConfig
from engine.acd.dispatch import Dispatcher
from engine.acd.engaged import Engaged, engage
from engine.acd.floor import Brief, Floor
from engine.acd.memory import MemoryBoard
from engine.acd.opening import HoursOf
from engine.acd.places import Place, Request, Stage
from engine.acd.reconfigure import Changed, reconfigure
from engine.acd.report import Notify, Reporter
from engine.acd.rules import MOST_PRIORITY
from engine.acd.truth import Truth
from engine.clock import Clock, Mailbox
from engine.errors import LoginRefused, NotFound, WrongState
from engine.records.pins import Keep, PinDesk
from engine.types import AgentState, AgentView, JournalEntry, QueueView, WaitingView

log = structlog.get_logger(__name__)

_BUSY = frozenset({AgentState.OFFERED, AgentState.TALKING, AgentState.HOLD, AgentState.WRAP_UP})


class Acd:
    """Queues and agents of one engine. ``board`` holds their state, in memory unless another one is given.

    ``journal`` takes each :class:`JournalEntry` and ``notify`` each domain event (see
    :class:`engine.acd.report.Notify`); neither may block, and neither can harm a call.
    """

    def __init__(
        self,
        config: AcdConfig,
        clock: Clock,
        floor: Floor,
        journal: Callable[[JournalEntry], None],
        notify: Notify | None = None,
        *,
        board: Board | None = None,
        keep: Keep | None = None,
    ) -> None:
        """``keep`` is told of every lock after wrong PINs."""
        self._config = config
        self._clock = clock
        self._floor = floor
        self._report = Reporter(clock, journal, notify)
        self._board: Board = board if board is not None else MemoryBoard()
        self._dispatch = Dispatcher(config, clock, floor, self._board, self._report)
        self._agents = self._dispatch.agents
        self._truth = Truth(
            clock, floor, self._board, self._report, self._dispatch, every=config.rules.look_every
        )
        self.pins = PinDesk(clock, tries=config.rules.wrong_pins, lock=config.rules.locked, keep=keep)
        self._restored: set[str] = set()
        self._started = False
        self._supervise: Callable[[str, str, str], None] | None = None

    @property
    def config(self) -> AcdConfig:
        """What queues.yaml and agents.yaml said."""
        return self._config

    def reconfigure(self, new: AcdConfig) -> Changed:
        """Take other queues and agents while calls go on: see :mod:`engine.acd.reconfigure`. Rules about wrong PINs
        wait for the next start."""
        changed = reconfigure(self._dispatch, self._config, new)
        self._truth.every = new.rules.look_every
        return changed

    @property
    def mended(self) -> int:
        """How often the state of an agent or a caller was found wrong, and put right, since the start."""
        return self._truth.mended

    def briefs(self, brief: Brief) -> None:
        """Who is asked what agents are told before they are connected."""
        self._dispatch.brief = brief

    # -- its life -------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to make offers: agents of ``login: auto`` who were not restored are logged in, those restored
        as talking whose call nobody resumed are let go, and all who are there are matched. Once is enough:
        called again (after a reconnect) it does nothing, and logs nobody in who has logged out meanwhile."""
        if self._started:
            return
        self._started = True
        self._dispatch.write_seats()
        for agent in self._agents:
            if agent.config.login == "auto" and agent.id not in self._restored:
                try:
                    self._agents.log_in(agent)
                except LoginRefused as error:
                    log.warning("agent.not_logged_in", agent=agent.id, why=str(error))
        self._agents.release_orphans()
        self._dispatch.open("starting")
        self._truth.start()

    def hold(self, why: str) -> None:
        """Make no offers until :meth:`release` with the same ``why``: the switch is gone, calls are adopted."""
        self._dispatch.shut(why)

    def release(self, why: str) -> None:
        """See :meth:`hold`; all who are there are matched when nothing else holds them."""
        self._dispatch.open(why)

    def stop(self) -> None:
        """No more offers; phones that ring are let go, talks go on, callers keep waiting."""
        self._truth.stop()
        self._dispatch.stop()
        self.pins.close()

    def abandon(self) -> None:
        """Forget everything without a word and without touching a leg, as the process's death would."""
        self._truth.stop()
        self._dispatch.abandon()
        self.pins.close()

    # -- callers --------------------------------------------------------------------------------

    def enter(self, request: Request) -> Place:
        """A caller joins a queue. Raises nothing that a flow would have to handle: an unknown queue is
        ``Left("closed")``. A call that waits already raises KeyError (a mistake of the calling code)."""
        return self._dispatch.enter(request)

    def refuses(self, request: Request) -> str:
        """Why a queue would not take this caller now (``closed``, ``full``, ``no_agents``), "" when it would. Raises
        NotFound for a queue that there is not."""
        self.queue_config(request.queue)
        return self._dispatch.line.refuses(request)

    def hand(self, place: Place, news: Mailbox[Any], **changes: Any) -> None:
        """The caller itself waits in ``place`` from now on, in which an agent waited to ask somebody about it.
        ``changes`` are those of its request; what was not read of its news goes on to ``news``."""
        self._dispatch.line.hand(place, news, **changes)

    def queue_config(self, name: str) -> QueueConfig:
        """What queues.yaml says of a queue. Raises NotFound."""
        config = self._config.queues.get(name)
        if config is None:
            raise NotFound(f"there is no queue {name}")
        return config

    def resume_talk(self, request: Request, agent_id: str, leg: str) -> Place:
        """A caller found talking to an agent over ``leg`` after a restart. Its news begin with
        ``Talking(resumed=True)``. Raises :class:`NotFound` for an agent that is no more, and
        :class:`~engine.errors.NoSuchCall` when the leg is gone."""
        agent = self._agents.get(agent_id)
        ring = self._floor.adopt(request.call_id, leg)
        return self._dispatch.resume(request, agent, ring, talking=True)

    def resume_offer(self, request: Request, agent_id: str, leg: str) -> Place:
        """The same for a caller whose offer was ringing (or just answered) over ``leg``."""
        agent = self._agents.get(agent_id)
        ring = self._floor.adopt(request.call_id, leg)
        return self._dispatch.resume(request, agent, ring, talking=False)

    def move(self, call_id: str, queue: str, by: str = "") -> WaitingView:
        """Let a waiting caller wait in another queue, with the wait that it has. What its flow asked for does not
        come along. Raises NotFound (no such queue, the call does not wait), WrongState (an agent is being rung for
        it, the queue is closed)."""
        place = self._waiting(call_id)
        if queue not in self._config.queues:
            raise NotFound(f"there is no queue {queue}")
        if place.stage is not Stage.WAITING:
            raise WrongState(f"an agent is being rung for call {call_id}")
        if why := self._dispatch.line.opening.closed(queue):
            raise WrongState(f"queue {queue} is closed ({why})")
        self._dispatch.line.move(place, queue, by=by or "command")
        return self._waiting_view(place)

    def raise_priority(self, call_id: str, priority: int, by: str = "") -> WaitingView:
        """Give a waiting caller another priority, and so another place in its queue. Raises NotFound."""
        place = self._waiting(call_id)
        self._dispatch.line.raise_to(place, priority, by or "command")
        return self._waiting_view(place)

    def to_front(self, call_id: str, by: str = "") -> WaitingView:
        """Move a waiting caller to the front; of several who were, who has waited longest is first. Raises NotFound."""
        return self.raise_priority(call_id, MOST_PRIORITY, by)

    def waits_as(self, call_id: str) -> str:
        """The whole id of whoever waits under it, on the line or to be called back; four signs of its beginning will
        do. Raises NotFound."""
        found = [one for one in self._dispatch.line.places if len(call_id) >= 4 and one.startswith(call_id)]
        if len(found) != 1:
            raise NotFound(f"call {call_id} waits in no queue")
        return found[0]

    def _waiting(self, call_id: str) -> Place:
        place = self._dispatch.waits(call_id)
        if place is None:
            raise NotFound(f"call {call_id} waits in no queue")
        return place

    def close_queue(self, name: str, why: str, by: str = "") -> None:
        """Take nobody into a queue until :meth:`open_queue`; those who wait go or stay, as its `at_closing` says.
        Raises NotFound."""
        self.queue(name)
        self._dispatch.line.opening.close(name, why or "command", by)

    def open_queue(self, name: str, by: str = "") -> None:
        """Take back every :meth:`close_queue`. What the calendar says stays. Raises NotFound."""
        self.queue(name)
        self._dispatch.line.opening.reopen(name, by)

    def closed_queues(self) -> dict[str, dict[str, str]]:
        """Queue -> why somebody has closed it -> by whom."""
        return self._dispatch.line.opening.by_hand()

    def restore_closed(self, kept: Mapping[str, Mapping[str, str]]) -> None:
        """After a restart, before callers come: what :meth:`closed_queues` said."""
        self._dispatch.line.opening.restore(kept)

    def watch_hours(self, hours: HoursOf) -> None:
        """Ask ``hours`` of a queue's calendar from now on; again whenever calendars have changed."""
        self._dispatch.line.opening.watch(hours)

    # -- agents ---------------------------------------------------------------------------------

    def login(self, agent_id: str, pin: str | None = None, phone: str | None = None) -> AgentView:
        """Log an agent in, on ``phone`` or its own. Without ``pin`` the caller vouches for it (an operator).

        Raises :class:`LoginRefused` (wrong PIN, locked, phone taken), :class:`NotFound` (only without a PIN),
        :class:`~engine.errors.WrongState`. With a PIN it blocks this greenlet for some 50 ms.
        """
        if pin is not None:
            known = self._config.agents.get(agent_id)
            try:
                self.pins.check(agent_id, phone or "", known.pin if known else None, pin)
            except LoginRefused as error:
                self._report.write(
                    "agent.login_refused", agent=agent_id, reason=error.reason, phone=phone or ""
                )
                raise
        agent = self._agents.get(agent_id)
        self._agents.log_in(agent, phone)
        return self._agents.view(agent)

    def verify(self, agent_id: str, pin: str, phone: str = "", role: str = "") -> AgentView:
        """Who that is, by the PIN, without logging in; with ``role``, only somebody who has it.

        Raises :class:`LoginRefused` (``wrong_pin`` also for an unknown agent, ``locked``, ``not_allowed``). Wrong
        tries count as those of a log-in do. Blocks this greenlet for some 50 ms.
        """
        known = self._config.agents.get(agent_id)
        try:
            self.pins.check(agent_id, phone, known.pin if known else None, pin)
            if known is not None and role and role not in known.roles:
                raise LoginRefused("not_allowed", f"agent {agent_id} is no {role}")
        except LoginRefused as error:
            self._report.write("agent.login_refused", agent=agent_id, reason=error.reason, phone=phone)
            raise
        return self._agents.view(self._agents.get(agent_id))

    def unlock(self, agent_id: str) -> AgentView:
        """Let an agent try its PIN again, and the phone that it sits at. Raises NotFound."""
        agent = self._agents.get(agent_id)
        locked = self.pins.locked(self.pins.account_key(agent_id)) > 0
        self.pins.unlock(self.pins.account_key(agent_id), self.pins.origin_key(agent.phone))
        self._report.write("agent.unlocked", agent=agent_id, was_locked=locked)
        return self._agents.view(agent)

    def logout(self, agent_id: str) -> AgentView:
        """Log out, at once or when the talk is over. Harmless for one who is out. Raises NotFound."""
        return self._do(agent_id, self._agents.log_out)

    def ready(self, agent_id: str) -> AgentView:
        """End a pause or the work after a call. Raises NotFound, WrongState (not logged in)."""
        return self._do(agent_id, self._agents.ready)

    def pause(self, agent_id: str, reason: str) -> AgentView:
        """Pause, at once or after the talk and its work. Raises NotFound, WrongState (not logged in)."""
        return self._do(agent_id, lambda agent: self._agents.pause(agent, reason))

    def end_wrap_up(self, agent_id: str) -> AgentView:
        """The work after the call is done. Raises NotFound, WrongState (there is none)."""
        return self._do(agent_id, self._agents.end_wrap_up)

    def supervised_by(self, begin: Callable[[str, str, str], None]) -> None:
        """What rings a supervisor's phone: supervisor, agent, phone."""
        self._supervise = begin

    def supervise(self, by: str, agent_id: str, phone: str) -> None:
        """Ring ``phone`` in a moment, for the supervisor ``by`` to hear an agent's talk. Raises NotFound, WrongState
        (``by`` is no supervisor, the agent talks to nobody)."""
        self._agents.get(agent_id)
        if "supervisor" not in self._agents.get(by).config.roles:
            raise WrongState(f"agent {by} is no supervisor")
        if self._supervise is None:
            raise WrongState("there are no calls to hear")
        self._supervise(by, agent_id, phone)

    def on_hold(self, agent_id: str, held: bool) -> AgentView:
        """The agent put its caller on hold, or took it back. Raises NotFound, WrongState (it talks to nobody)."""
        return self._do(agent_id, lambda agent: self._agents.hold(agent, held))

    def disposition(self, agent_id: str, code: str) -> AgentView:
        """Say what came of the call that the agent talks or works on, by the word or the key of its queue's list;
        during wrap-up it also ends that. Raises NotFound (no such agent, not in the list), WrongState (no call)."""
        agent = self._agents.get(agent_id)
        call, queue = agent.call, agent.queue
        word = self._agents.dispose(agent, code)
        self._report.write("call.disposition", call=call, agent=agent_id, queue=queue, code=word)
        self._report.tell("disposed", call=call, agent=self._agents.view(agent), disposition=word)
        if agent.state is AgentState.WRAP_UP:
            self._agents.rest(agent)
        return self._agents.view(agent)

    def phone_registered(self, phone: str) -> None:
        """The switch says: this extension registered, or renewed its registration."""
        self._agents.phone_registered(phone)

    def phone_lost(self, phone: str) -> None:
        """The switch says: this extension's registration is gone."""
        self._agents.phone_lost(phone)

    def phones_are(self, phones: Iterable[str]) -> None:
        """The switch's whole list of registered extensions, as after a reconnect."""
        self._agents.phones_are(phones)

    def restore(self, memories: Iterable[AgentMemory]) -> None:
        """After a restart, before :meth:`start`: what :meth:`snapshot` once gave."""
        by_id = {memory.id: memory for memory in memories}
        self._restored |= by_id.keys()
        tallies = self._dispatch.tallies
        tallies.restore({name: memory.tally for name, memory in by_id.items()})
        self._agents.restore(by_id)
        tallies.restored()

    def snapshot(self) -> list[AgentMemory]:
        """What has to be kept of all agents."""
        return [self._memory(agent) for agent in self._agents]

    def memory(self, agent_id: str) -> AgentMemory:
        """What has to be kept of one agent; changes with each ``agent_state_changed``. Raises NotFound."""
        return self._memory(self._agents.get(agent_id))

    def _memory(self, agent: Agent) -> AgentMemory:
        return replace(self._agents.memory(agent), tally=self._dispatch.tallies.memory(agent.id))

    def engage(self, agent_id: str, call_id: str, queue: str = "") -> Engaged:
        """Take an agent for a call that comes to it past the queue: it is asked for advice, or transferred to.
        ``queue``: where the call came from. See :mod:`engine.acd.engaged`. Raises NotFound, WrongState (it is busy,
        out, or can't be reached)."""
        return engage(self._agents, self._agents.get(agent_id), call_id, self._config, queue)

    def _do(self, agent_id: str, deed: Callable[[Agent], object]) -> AgentView:
        agent = self._agents.get(agent_id)
        deed(agent)
        return self._agents.view(agent)

    # -- views ----------------------------------------------------------------------------------

    def agents(self) -> list[AgentView]:
        """All agents, in the order of agents.yaml."""
        return [self._agents.view(agent) for agent in self._agents]

    def withhold(self, withheld: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Agent -> skills that do not count now, and why; all others do. Who is concerned. Those whom nobody can serve
        any more wait on, as they do when an agent leaves."""
        return self._dispatch.withhold(withheld)

    def agent(self, agent_id: str) -> AgentView:
        """One agent. Raises NotFound."""
        return self._agents.view(self._agents.get(agent_id))

    def agent_on(self, phone: str) -> AgentView | None:
        """Who is logged in on that extension."""
        agent = self._agents.on_phone(phone)
        return self._agents.view(agent) if agent is not None else None

    def queues(self, language: str = "en", *, most: int = 100) -> list[QueueView]:
        """All queues, in the order of queues.yaml, each with at most ``most`` of those who wait."""
        return [self.queue(name, language, most=most) for name in self._config.queues]

    def queue(self, name: str, language: str = "en", *, most: int = 100) -> QueueView:
        """One queue, titled in ``language``. Raises NotFound."""
        config = self._config.queues.get(name)
        if config is None:
            raise NotFound(f"there is no queue {name}")
        now = self._clock.monotonic()
        waiting: list[WaitingView] = []
        longest = 0.0
        position = 0
        for position, ticket in enumerate(self._board.line(name), 1):
            longest = max(longest, now - ticket.joined)
            place = self._dispatch.waits(ticket.call)
            if place is not None and position <= most:
                waiting.append(self._waiting_view(place, position))
        states = [agent.state for agent in self._agents if name in agent.config.queues]
        ready, busy = states.count(AgentState.READY), sum(state in _BUSY for state in states)
        there = len(states) - states.count(AgentState.LOGGED_OUT)
        figures = self._dispatch.figures[name]
        return QueueView(
            name=name,
            title=config.name_in(language),
            waiting=tuple(waiting),
            agents_ready=ready,
            agents_busy=busy,
            agents_in=there,
            longest_wait=round(longest, 3),
            answered=figures.answered,
            abandoned=figures.abandoned,
            left=figures.left,
            overflowed=figures.overflowed,
            strategy=config.strategy,
            closed=self._dispatch.line.opening.closed(name),
            target=config.service_level.share if config.service_level is not None else None,
            within=config.service_level.within if config.service_level is not None else None,
            in_time=self.service_level(name),
            handling=figures.handling_time(),
            callers=position,
            agents_away=there - ready - busy,
        )

    def _waiting_view(self, place: Place, position: int | None = None) -> WaitingView:
        ticket = place.ticket
        rings = place.offers if place.stage in (Stage.OFFERED, Stage.CONNECTING) else ()
        waited = self._clock.monotonic() - ticket.joined
        return WaitingView(
            call=ticket.call,
            number=place.request.number,
            position=position if position is not None else place.position(),
            since=self._clock.now() - timedelta(seconds=waited),
            priority=ticket.priority,
            skills=place.wanted.skills,
            offered_to=", ".join(offer.agent.id for offer in rings),
            virtual=place.request.virtual,
            asks=place.request.asks,
        )

    def service_level(self, name: str) -> float | None:
        """The share of answered calls that were answered within the queue's target, of all that were answered
        or abandoned; None without a target or without calls. Raises NotFound."""
        config = self._config.queues.get(name)
        if config is None:
            raise NotFound(f"there is no queue {name}")
        figures = self._dispatch.figures[name]
        calls = figures.answered + figures.abandoned
        return figures.in_time / calls if config.service_level is not None and calls else None


__all__ = ["Acd", "AgentMemory"]
