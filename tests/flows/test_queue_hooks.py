"""What plugins say of a queue: who goes first, which agent, what the desk is shown; and what they are told."""

from __future__ import annotations

from typing import Any

from engine.testing.home import Home
from tests.flows.shop import PLUGIN, shop_home

HOOKS = """

@hookimpl
def queue_priority(ctx, call, queue):
    return 30 if call.number.endswith("7") and queue == "desk" else None


@hookimpl
def rank_agents(call, queue, agents):
    return sorted((agent.id for agent in agents), reverse=True) if call.number.endswith("9") else None


@hookimpl
def screen_pop(ctx, call):
    return {"orders": 3, "strange": object()} if call.number.endswith("9") else None
"""
FLOW = """
greet:
  - answer
  - queue: {name: desk, full: sorry, too_long: sorry, no_agents: sorry, closed: sorry, failed: sorry}
  - hangup
sorry: [hangup]
"""


def hooked(home: Home) -> Home:
    home = shop_home(home, FLOW).plugin("shop", PLUGIN + HOOKS)
    home.write(
        "conf/queues.yaml",
        "grammar: 1\nqueues:\n  desk: {title: {en: Desk}, strategy: top_down, wrap_up: 0s}\n",
    )
    return home.write(
        "conf/agents.yaml",
        "grammar: 1\nagents:\n"
        "  201: {name: Agent One, phone: 1001, queues: [desk], login: auto}\n"
        "  202: {name: Agent Two, phone: 1002, queues: [desk], login: auto}\n",
    )


def waits(centre: Any, number: str) -> Any:
    return centre.caller(number).dials("8000").hears_music()


def test_a_plugin_says_which_agent_is_offered_a_call_and_what_the_desk_is_shown(
    home: Home, centre_of: Any
) -> None:
    centre = centre_of(hooked(home))
    ordinary = waits(centre, "+8613900000001")
    centre.agent("201").is_offered(ordinary).rejects()
    ordinary.hangs_up()
    centre.clock.advance(30)
    ranked = waits(centre, "+8613900000009")
    centre.agent("202").is_offered(ranked)
    (made,) = centre.journal(ranked, "offer.made")
    assert made.data["by_plugin"] is True
    (call,) = [call for call in centre.app.calls if call.number == "+8613900000009"]
    assert call.popped == {"orders": 3}, "what can't be shown is left out, and harms nothing"


def test_a_plugin_lets_a_caller_go_first(home: Home, centre_of: Any) -> None:
    centre = centre_of(hooked(home))
    for agent in ("201", "202"):
        centre.agent(agent).pauses("meal")
    first = waits(centre, "+8613900000001")
    centre.clock.advance(10)
    second = waits(centre, "+8613900000007")
    line = [waiting.call for waiting in centre.app.acd.queue("desk").waiting]
    calls = {call.number: call.id for call in centre.app.calls}
    assert line == [calls["+8613900000007"], calls["+8613900000001"]]
    centre.agent("201").ready()
    centre.agent("201").is_offered(second)
    assert first
