"""An agent whom a call comes to past the queue: somebody asks for advice, or transfers a caller straight to it.

The queue must not ring that agent meanwhile, and its time counts like that of any other talk: offered while its
phone rings, talking from the answer on, then the work after the call (for a talk with the caller, as long as the queue
gives that the call came from; the agent's first one, where it came from none).
"""

from __future__ import annotations

from collections.abc import Callable

from engine.acd.agents import Agent, Agents
from engine.acd.config import AcdConfig
from engine.errors import WrongState
from engine.types import AgentState, AgentView, RingKind

_FREE = frozenset({AgentState.READY, AgentState.PAUSED, AgentState.WRAP_UP})
_ENGAGED = frozenset({AgentState.OFFERED, AgentState.TALKING, AgentState.HOLD})


class Engaged:
    """One such engagement, from the ring to :meth:`over` (an :class:`engine.acd.agents.Engagement`)."""

    __slots__ = ("_agent", "_agents", "_config", "_over", "cancel", "talked")

    def __init__(self, agents: Agents, agent: Agent, config: AcdConfig) -> None:
        self._agents = agents
        self._agent = agent
        self._config = config
        self._over = False
        self.talked = False
        self.cancel: Callable[[], None] | None = None  # how to stop the ring

    @property
    def view(self) -> AgentView:
        """The agent as it is now."""
        return self._agents.view(self._agent)

    def recall(self, why: str) -> bool:
        """The agent must not be rung any more. False when it has answered."""
        if self.talked:
            return False
        if self.cancel is not None:
            self.cancel()
        return True

    def answered(self) -> None:
        """The agent talks: to who asks, or to the caller."""
        agent = self._agent
        self.talked = True
        agent.misses = 0
        if agent.engagement is self and agent.state is AgentState.OFFERED:
            self._agents.move(agent, AgentState.TALKING, call=agent.call)

    def over(self, *, wrap_up: bool, missed: RingKind | None = None) -> None:
        """It is over; with ``wrap_up`` the agent talked to the caller, and has the work of that. ``missed``: it was
        rung and did not answer, and is left alone for the moment that a queue leaves it, too: else the caller might be
        offered to it again at once. Harmless twice."""
        agent = self._agent
        if self._over or agent.engagement is not self:
            self._over = True
            return
        self._over = True
        if not wrap_up:
            if missed is None or missed is RingKind.CANCELLED:
                self._agents.rest(agent)
            else:
                self._agents.not_reached(agent, missed)
            return
        agent.calls_taken += 1
        queue = self._config.queues.get(agent.queue or next(iter(agent.config.queues), ""))
        self._agents.talked(agent, queue.wrap_up if queue is not None else 0.0)


def engage(agents: Agents, agent: Agent, call_id: str, config: AcdConfig, queue: str = "") -> Engaged:
    """See :meth:`engine.acd.acd.Acd.engage`."""
    found_so = (
        agent.engagement is None and agent.state in _ENGAGED and agent.call == call_id
    )  # by another engine
    if not found_so:
        if agent.state not in _FREE or agent.engagement is not None:
            said = str(agent.state).replace("_", " ")
            raise WrongState(f"agent {agent.id} can't take a call now ({said})")
        if agent.state is AgentState.PAUSED and agent.timer is None:
            agent.wish = (AgentState.PAUSED, agent.reason)
    engaged = Engaged(agents, agent, config)
    agent.engagement = engaged
    if found_so:
        engaged.talked = agent.state is not AgentState.OFFERED
    else:
        agents.move(agent, AgentState.OFFERED, call=call_id)
    agent.queue = queue if queue in config.queues else ""
    return engaged


def hold(agents: Agents, agent: Agent, held: bool) -> None:
    """The agent's caller hears music, or talks with it again; :class:`WrongState` when the agent talks to nobody."""
    if agent.state not in (AgentState.TALKING, AgentState.HOLD):
        raise WrongState(f"agent {agent.id} talks to nobody")
    state = AgentState.HOLD if held else AgentState.TALKING
    if agent.state is not state:
        agents.move(agent, state, call=agent.call)


__all__ = ["Engaged", "engage", "hold"]
