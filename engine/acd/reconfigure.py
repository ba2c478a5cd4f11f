"""Other queues and agents, taken by a running ACD: nobody who waits or talks notices, unless it is their queue that
goes.

The parts of the ACD share one :class:`~engine.acd.config.AcdConfig`, which is changed in place, in one go between two
events. Then the agents follow: new ones are seated (and logged in where the file says so), changed ones seated anew,
those that are gone leave as by a log-out, after the talk that they are in. Those who wait keep what they came with;
a queue that is gone sends its callers the way of one that has closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from engine.acd.agents import ON_A_CALL, Agent
from engine.acd.config import AcdConfig, AgentConfig
from engine.acd.places import Leaving, Stage
from engine.errors import LoginRefused

if TYPE_CHECKING:
    from engine.acd.dispatch import Dispatcher

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Changed:
    """What another configuration brought, by name."""

    new_queues: tuple[str, ...]
    gone_queues: tuple[str, ...]
    other_queues: tuple[str, ...]
    new_agents: tuple[str, ...]
    gone_agents: tuple[str, ...]
    other_agents: tuple[str, ...]


def difference(old: AcdConfig, new: AcdConfig) -> Changed:
    """What is new, gone and other."""
    return Changed(
        new_queues=tuple(name for name in new.queues if name not in old.queues),
        gone_queues=tuple(name for name in old.queues if name not in new.queues),
        other_queues=tuple(
            name for name, queue in new.queues.items() if name in old.queues and old.queues[name] != queue
        ),
        new_agents=tuple(name for name in new.agents if name not in old.agents),
        gone_agents=tuple(name for name in old.agents if name not in new.agents),
        other_agents=tuple(
            name for name, agent in new.agents.items() if name in old.agents and old.agents[name] != agent
        ),
    )


def reconfigure(dispatch: Dispatcher, config: AcdConfig, new: AcdConfig) -> Changed:
    """Let ``config``, which all parts share, say what ``new`` says; what that changed."""
    changed = difference(config, new)
    former = {name: config.agents[name] for name in changed.other_agents}
    for name in changed.gone_queues:
        _send_out(dispatch, name)
    config.become(new)
    dispatch.take_config()
    for name in changed.gone_agents:
        dispatch.retire(dispatch.agents.get(name))
    for name in changed.other_agents:
        _change(dispatch, dispatch.agents.get(name), former[name], config.agents[name])
    for name in changed.new_agents:
        agent = dispatch.agents.add(name, config.agents[name])
        dispatch.take_seat(agent)
    dispatch.count_again()
    for agent in list(dispatch.agents):  # a queue may choose by another strategy now
        dispatch.seat_again(agent)
    for name in changed.new_agents:
        if config.agents[name].login == "auto":
            try:
                dispatch.agents.log_in(dispatch.agents.get(name))
            except LoginRefused as error:
                log.warning("agent.not_logged_in", agent=name, why=str(error))
    dispatch.line.opening.look()
    return changed


def _send_out(dispatch: Dispatcher, queue: str) -> None:
    for place in dispatch.places():
        if place.request.queue != queue:
            continue
        if place.stage is Stage.CONNECTING:
            place.expired = Leaving.CLOSED  # an agent has answered: only if that comes to nothing
            continue
        for offer in list(place.offers):
            offer.call_off(Leaving.CLOSED.value)
        dispatch.line.send_out(place, Leaving.CLOSED)


def _change(dispatch: Dispatcher, agent: Agent, old: AgentConfig, new: AgentConfig) -> None:
    agent.config = new
    dispatch.take_seat(agent)
    # Who sits at its own phone, and that is another one now, sits there; in a call from the next log-in on.
    if agent.phone == old.number != new.number and agent.state not in ON_A_CALL:
        dispatch.agents.reseat(agent, new.number)


__all__ = ["Changed", "difference", "reconfigure"]
