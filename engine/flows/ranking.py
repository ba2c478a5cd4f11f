"""Who of a queue's agents is asked first for one caller, as plugins say (hook ``rank_agents``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

from engine.types import AgentState, AgentView, CallView

if TYPE_CHECKING:
    from engine.flows.services import Services

log = structlog.get_logger(__name__)


def ranked_agents(
    services: Services, queue: str, skills: Mapping[str, int], view: CallView
) -> tuple[str, ...]:
    """The ids in the order in which plugins want them; empty where none has a wish."""
    answers = services.answers
    if answers is None or not answers.anybody("rank_agents"):
        return ()
    eligible = [agent for agent in services.acd.agents() if _eligible(agent, queue, skills)]
    if not eligible:
        return ()
    wanted = answers.first("rank_agents", (list, tuple), call=view, queue=queue, agents=tuple(eligible))
    known = {agent.id for agent in eligible}
    strange = [one for one in wanted or () if one not in known]
    if strange:
        log.warning("plugin.nonsense", hook="rank_agents", queue=queue, answered="an agent not asked for")
    return tuple(dict.fromkeys(one for one in wanted or () if one in known))


def _eligible(agent: AgentView, queue: str, skills: Mapping[str, int]) -> bool:
    return (
        queue in agent.queues
        and agent.state is not AgentState.LOGGED_OUT
        and all(agent.skills.get(skill, 0) >= level for skill, level in skills.items())
    )
