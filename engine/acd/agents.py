"""The agents: what each is doing now, and every change of it written down.

Each second of an agent is in exactly one state, and only :meth:`Agents.move` changes a state. It writes the
seconds spent in the former one into the journal, tells who wants to know, and then lets the dispatcher
react (which may move the agent again: ready, and at once offered).

A wish that comes while an agent is rung or talks (pause, log out) is kept and done afterwards. An agent that
is rung is recalled: the ring stops, the caller goes to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

import structlog

from engine.acd.config import AcdConfig, AgentConfig
from engine.acd.report import Reporter
from engine.acd.tallies import NOTHING_YET, TallyMemory
from engine.clock import Clock, Timer
from engine.errors import LoginRefused, NotFound, WrongState
from engine.types import AgentState, AgentView, RingKind

log = structlog.get_logger(__name__)

LOGGED_OUT, READY, OFFERED = AgentState.LOGGED_OUT, AgentState.READY, AgentState.OFFERED
TALKING, HOLD = AgentState.TALKING, AgentState.HOLD
WRAP_UP, PAUSED = AgentState.WRAP_UP, AgentState.PAUSED
UNREACHABLE = AgentState.UNREACHABLE

NO_ANSWER = "no answer"  # the reason of the pause after too many missed calls
ON_A_CALL = frozenset({OFFERED, TALKING, HOLD, WRAP_UP})  # states that belong to a call


class Engagement(Protocol):
    """What an agent is rung or bridged by."""

    def recall(self, why: str) -> bool:
        """The agent must not be rung any more. False when it has answered already."""


class Agent:
    """One agent, live. Others read it; only :class:`Agents` and the offer that holds it write."""

    __slots__ = (
        "call",
        "calls_taken",
        "config",
        "disposition",
        "engagement",
        "free_since",
        "id",
        "misses",
        "phone",
        "queue",
        "reason",
        "since",
        "since_wall",
        "state",
        "timer",
        "until",
        "wish",
    )

    def __init__(self, agent_id: str, config: AgentConfig, now: float, wall: datetime) -> None:
        self.id = agent_id
        self.config = config
        self.phone = config.number
        self.state = LOGGED_OUT
        self.reason = ""
        self.since = now  # monotonic
        self.since_wall = wall
        self.free_since = now  # since when it could have taken a call: what "longest idle" compares
        self.call = ""  # offered, talked to, or being wrapped up
        self.queue = ""  # the queue which that call came from
        self.disposition = ""
        self.misses = 0  # calls not answered in a row
        self.calls_taken = 0
        self.engagement: Engagement | None = None
        self.wish: tuple[AgentState, str] | None = None  # what to do once it is let go
        self.timer: Timer | None = None
        self.until: float | None = None  # when the timer ends this state


@dataclass(frozen=True, slots=True)
class AgentMemory:
    """What has to be kept of an agent, so that a restarted engine goes on with it. Times are aware UTC."""

    id: str
    state: AgentState
    since: datetime
    reason: str = ""
    phone: str = ""
    until: datetime | None = None
    free_since: datetime | None = None
    misses: int = 0
    calls_taken: int = 0
    call: str = ""
    queue: str = ""
    tally: TallyMemory = NOTHING_YET


class Agents:
    """All agents of the configuration. ``on_change(agent, before)`` is called after each change of state."""

    def __init__(
        self,
        config: AcdConfig,
        clock: Clock,
        report: Reporter,
        on_change: Callable[[Agent, AgentState], None],
    ) -> None:
        self._config = config
        self._clock = clock
        self._report = report
        self._on_change = on_change
        now, wall = clock.monotonic(), clock.now()
        self._agents = {name: Agent(name, entry, now, wall) for name, entry in config.agents.items()}
        self._on_phone: dict[str, Agent] = {}  # those who are logged in
        self._registered: set[str] = set()

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents.values())

    def get(self, agent_id: str) -> Agent:
        """The agent; :class:`NotFound` when there is none of that id."""
        try:
            return self._agents[agent_id]
        except KeyError:
            raise NotFound(f"there is no agent {agent_id}") from None

    def add(self, agent_id: str, config: AgentConfig) -> Agent:
        """An agent who was not there before, logged out."""
        agent = Agent(agent_id, config, self._clock.monotonic(), self._clock.now())
        self._agents[agent_id] = agent
        return agent

    def forget(self, agent: Agent) -> None:
        """An agent who is no more; it must be logged out."""
        self._agents.pop(agent.id, None)

    def reseat(self, agent: Agent, phone: str) -> None:
        """The agent sits at another phone from now on; nothing changes when somebody else is logged in there."""
        if agent.state is not LOGGED_OUT:
            if phone in self._on_phone:
                return
            self._on_phone.pop(agent.phone, None)
            self._on_phone[phone] = agent
        agent.phone = phone
        if agent.state in (READY, UNREACHABLE):
            self.rest(agent)
            if agent.state is READY and not self.reachable(agent):
                self.move(agent, UNREACHABLE)

    def on_phone(self, phone: str) -> Agent | None:
        """Who is logged in on that phone."""
        return self._on_phone.get(phone)

    # -- what an agent or a supervisor does -------------------------------------------------------

    def log_in(self, agent: Agent, phone: str | None = None) -> None:
        """Log in, on ``phone`` or the agent's own. Harmless when it is logged in on that phone already."""
        where = phone or agent.config.number
        holder = self.on_phone(where)
        if holder is agent:
            if agent.wish is not None and agent.wish[0] is LOGGED_OUT:
                agent.wish = None
            return
        if holder is not None:
            raise LoginRefused("phone_taken", f"phone {where} is in use by agent {holder.id}")
        if agent.state is not LOGGED_OUT:
            raise WrongState(f"agent {agent.id} is logged in on phone {agent.phone}")
        agent.phone = where
        agent.misses = 0
        self.rest(agent)

    def log_out(self, agent: Agent) -> None:
        """Log out: at once, or when the talk is over. Harmless when it is logged out."""
        if agent.state is LOGGED_OUT:
            return
        if agent.engagement is not None:
            agent.wish = (LOGGED_OUT, "")
            agent.engagement.recall("logout")
            return
        agent.wish = (LOGGED_OUT, "")
        self.rest(agent)

    def ready(self, agent: Agent) -> None:
        """Take calls again: ends a pause or the work after a call, and takes back a wish to pause."""
        self._must_be_in(agent)
        agent.wish = None
        if agent.engagement is not None or agent.state is READY:
            return
        if agent.state is PAUSED:
            agent.misses = 0
        self.rest(agent)

    def pause(self, agent: Agent, reason: str) -> None:
        """Take no calls, for a reason that the journal keeps: at once, or after the talk and its work.

        :class:`NotFound` for a reason that is not among those of agents.yaml, where that names any.
        """
        known = self._config.rules.pauses
        if known and reason not in known:
            raise NotFound(f"there is no reason {reason!r} for a pause: {', '.join(known)}")
        self._must_be_in(agent)
        agent.wish = (PAUSED, reason)
        if agent.engagement is not None:
            agent.engagement.recall("pause")
            return
        self.rest(agent)

    def end_wrap_up(self, agent: Agent) -> None:
        """The work after the call is done."""
        if agent.state is not WRAP_UP:
            raise WrongState(f"agent {agent.id} has no work after a call to end")
        self.rest(agent)

    def hold(self, agent: Agent, held: bool) -> None:
        """The agent put its caller on hold, or took it back. Harmless when that is so already.

        :class:`WrongState` when the agent talks to nobody.
        """
        if agent.state not in (TALKING, HOLD):
            raise WrongState(f"agent {agent.id} talks to nobody")
        state = HOLD if held else TALKING
        if agent.state is not state:
            self.move(agent, state, call=agent.call)

    def dispose(self, agent: Agent, disposition: str) -> str:
        """Say what came of the call that the agent talks or works on, by its word or its key; returns the word.

        :class:`NotFound` for one that the call's queue does not have, where that names any.
        """
        if agent.state not in (TALKING, HOLD, WRAP_UP) or not agent.call:
            raise WrongState(f"agent {agent.id} has no call")
        known = self.dispositions(agent)
        word = known.get(disposition, disposition)
        if known and word not in known.values():
            raise NotFound(f"there is no disposition {disposition!r}: {', '.join(known.values())}")
        agent.disposition = word
        return word

    def dispositions(self, agent: Agent) -> Mapping[str, str]:
        """What may come of the call that the agent is on: key of the phone -> word."""
        # Who was called past the queues works for its first one.
        name = agent.queue or next(iter(agent.config.queues), "")
        queue = self._config.queues.get(name) if agent.call else None
        return queue.dispositions if queue is not None else {}

    # -- what the switch says of phones -----------------------------------------------------------

    def registered(self, phone: str) -> bool:
        """Whether the switch holds a registration of that phone."""
        return phone in self._registered

    def reachable(self, agent: Agent) -> bool:
        """Whether its phone can be rung: it is registered, or it is reached over a trunk."""
        return agent.phone in self._registered or self.trunk(agent) != ""

    @staticmethod
    def trunk(agent: Agent) -> str:
        """The trunk over which the phone that it sits at is rung; "" for a phone of the house."""
        away = agent.config.away
        return away.trunk if away is not None and away.number == agent.phone else ""

    def phone_registered(self, phone: str) -> None:
        """A phone registered (or renewed it): whoever was unreachable on it is back."""
        self._registered.add(phone)
        agent = self.on_phone(phone)
        if agent is not None and agent.state is UNREACHABLE:
            self.rest(agent)

    def phone_lost(self, phone: str) -> None:
        """A phone's registration is gone: nobody is rung on it until it is back."""
        self._registered.discard(phone)
        agent = self.on_phone(phone)
        if agent is None or self.reachable(agent):
            return
        if agent.state is OFFERED and agent.engagement is not None:
            agent.engagement.recall("phone lost")
        elif agent.state is READY:
            self.rest(agent)

    def phones_are(self, phones: Iterable[str]) -> None:
        """The whole truth about registrations, as after a reconnect."""
        now = set(phones)
        for phone in sorted(self._registered - now):
            self.phone_lost(phone)
        for phone in sorted(now):
            self.phone_registered(phone)

    # -- states -----------------------------------------------------------------------------------

    def move(
        self,
        agent: Agent,
        state: AgentState,
        *,
        reason: str = "",
        call: str = "",
        seconds: float | None = None,
        then: Callable[[Agent], None] | None = None,
    ) -> None:
        """Change an agent's state. After ``seconds`` in it ``then(agent)`` is called, unless it left before."""
        before, former = agent.state, agent.reason
        now = self._clock.monotonic()
        spent = now - agent.since
        if agent.timer is not None:
            agent.timer.cancel()
            agent.timer = agent.until = None
        if before is WRAP_UP:
            self._wrapped_up(agent, spent)
        if before is LOGGED_OUT:
            self._on_phone[agent.phone] = agent
        if state is LOGGED_OUT:
            agent.wish = None
            self._on_phone.pop(agent.phone, None)
        elif state is READY and before is not OFFERED:
            agent.free_since = now
        agent.state, agent.reason, agent.call = state, reason, call
        if state not in ON_A_CALL:
            agent.queue = ""
        agent.since, agent.since_wall = now, self._clock.now()
        if seconds is not None and then is not None:
            agent.until = now + seconds
            agent.timer = self._clock.after(seconds, then, agent)
        self._report.write(
            "agent.state",
            agent=agent.id,
            call=call,
            before=before.value,
            state=state.value,
            seconds=round(spent, 3),
            reason=reason,
            reason_before=former,
            phone=agent.phone,
        )
        self._report.tell("agent_state_changed", agent=self.view(agent), before=before)
        self._on_change(agent, before)

    def rest(self, agent: Agent) -> None:
        """Let the agent go to what it should do when nothing occupies it: its wish, or ready, or unreachable."""
        wish, agent.wish = agent.wish, None
        agent.engagement = None
        if wish is not None:
            state, reason = wish
            # A pause of the engine's own ends by itself, one that was wished for does not.
            if (state, reason) != (agent.state, agent.reason) or agent.timer is not None:
                self.move(agent, state, reason=reason)
        elif not self.reachable(agent):
            if agent.state is not UNREACHABLE:
                self.move(agent, UNREACHABLE)
        elif agent.state is not READY:
            self.move(agent, READY)

    def short_pause(self, agent: Agent, reason: str, seconds: float) -> None:
        """Leave the agent alone for a moment; what it wished for comes first."""
        if agent.wish is not None or not self.reachable(agent):
            self.rest(agent)
            return
        agent.engagement = None
        self.move(agent, PAUSED, reason=reason, seconds=seconds, then=self.rest)

    def not_reached(self, agent: Agent, kind: RingKind) -> None:
        """Its phone was rung, by a queue or for somebody's transfer, and it does not talk: as ``kind`` says."""
        rules = self._config.rules
        if kind is RingKind.NO_ANSWER:
            self.missed(agent)
        elif kind is RingKind.UNREACHABLE:
            self.unreachable(agent)
        elif kind is RingKind.BUSY:
            self.short_pause(agent, "busy", rules.busy_again)
        elif kind is RingKind.REJECTED:
            self.short_pause(agent, "declined", rules.declined_again)
        else:
            self.short_pause(agent, "failed", rules.failed_again)

    def unreachable(self, agent: Agent) -> None:
        """The switch could not reach the phone: wait for its registration, and try again after a while."""
        if agent.wish is not None:
            self.rest(agent)
            return
        agent.engagement = None
        again = self._config.rules.unreachable_again if self.reachable(agent) else None
        self.move(agent, UNREACHABLE, seconds=again, then=self.rest)

    def missed(self, agent: Agent) -> None:
        """The phone rang and nobody answered: so many in a row pause the agent."""
        agent.misses += 1
        agent.free_since = self._clock.monotonic()  # to the back: others first
        if agent.misses >= self._config.rules.misses and agent.wish is None:
            agent.wish = (PAUSED, NO_ANSWER)
        self.rest(agent)

    def talked(self, agent: Agent, wrap_up: float) -> None:
        """The talk is over: the work after it, then whatever the agent wished for."""
        call = agent.call
        agent.engagement = None
        if wrap_up > 0 and (agent.wish is None or agent.wish[0] is not LOGGED_OUT):
            self.move(agent, WRAP_UP, call=call, seconds=wrap_up, then=self.rest)
        else:
            self.rest(agent)

    def _wrapped_up(self, agent: Agent, seconds: float) -> None:
        self._report.tell(
            "wrapup_finished",
            agent=self.view(agent),
            call=agent.call,
            seconds=round(seconds, 3),
            disposition=agent.disposition,
        )
        agent.disposition = ""

    def _must_be_in(self, agent: Agent) -> None:
        if agent.state is LOGGED_OUT:
            raise WrongState(f"agent {agent.id} is not logged in")

    # -- views and memory -------------------------------------------------------------------------

    def view(self, agent: Agent) -> AgentView:
        config = agent.config
        return AgentView(
            id=agent.id,
            name=config.name,
            phone=agent.phone,
            state=agent.state,
            since=agent.since_wall,
            reason=agent.reason,
            call=agent.call,
            queues=tuple(config.queues),
            skills=MappingProxyType(config.skills),
            languages=tuple(config.languages),
            reachable=self.reachable(agent),
            calls_taken=agent.calls_taken,
            trunk=self.trunk(agent),
            site=config.site or "",
            roles=tuple(config.roles),
            dispositions=MappingProxyType(self.dispositions(agent)),
            disposition=agent.disposition,
            calling_back=str(getattr(agent.engagement, "calling_back", "")) if agent.state is OFFERED else "",
        )

    def memory(self, agent: Agent) -> AgentMemory:
        """What a restarted engine needs to know of this agent."""
        return AgentMemory(
            id=agent.id,
            state=agent.state,
            since=agent.since_wall,
            reason=agent.reason,
            phone=agent.phone,
            until=self._wall(agent.until) if agent.until is not None else None,
            free_since=self._wall(agent.free_since),
            misses=agent.misses,
            calls_taken=agent.calls_taken,
            call=agent.call,
            queue=agent.queue,
        )

    def restore(self, memories: Mapping[str, AgentMemory]) -> None:
        """Put agents back into the states that they were in, as if the engine had never been away.

        Who was rung or talked stays so until its call is adopted, or :meth:`release_orphans` is called.
        """
        now, wall = self._clock.monotonic(), self._clock.now()
        for agent in self._agents.values():
            memory = memories.get(agent.id)
            if memory is None:
                continue
            before = agent.state
            agent.state, agent.reason, agent.call = memory.state, memory.reason, memory.call
            agent.queue = memory.queue
            agent.phone = memory.phone or agent.config.number
            holder = self._on_phone.get(agent.phone)
            if agent.state is not LOGGED_OUT and holder is not None:
                log.warning("agent.phone_taken", agent=agent.id, phone=agent.phone, holder=holder.id)
                agent.state = LOGGED_OUT
            elif agent.state is not LOGGED_OUT:
                self._on_phone[agent.phone] = agent
            agent.misses, agent.calls_taken = memory.misses, memory.calls_taken
            agent.since_wall = memory.since
            agent.since = now - max(0.0, (wall - memory.since).total_seconds())
            idle = memory.free_since or memory.since
            agent.free_since = now - max(0.0, (wall - idle).total_seconds())
            if memory.until is not None:
                # The wall clock may have been set back meanwhile, which makes no state longer.
                left = min(memory.until - wall, memory.until - memory.since).total_seconds()
                agent.until = now + max(0.0, left)
                agent.timer = self._clock.after(agent.until - now, self.rest, agent)
            elif agent.state is WRAP_UP:
                agent.timer = self._clock.after(0, self.rest, agent)
            self._on_change(agent, before)

    def release_orphans(self) -> None:
        """Agents restored as rung or talking whose call nobody adopted: it ended while no engine looked."""
        for agent in self._agents.values():
            orphan = agent.engagement is None and agent.state in (OFFERED, TALKING, HOLD)
            if orphan or (agent.state is READY and not self.reachable(agent)):
                self.rest(agent)

    def _wall(self, moment: float) -> datetime:
        return self._clock.now() + timedelta(seconds=moment - self._clock.monotonic())
