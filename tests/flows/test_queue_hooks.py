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


TOLD = """

@hookimpl
def offer_missed(ctx, call, agent, why):
    ctx.session.execute(insert(orders).values(article=why, who=agent.id))
    if call.number.endswith("4"):
        raise ValueError("thought better of it")
    ctx.tickets.open("missed", group="desk", call=call.id, data={"agent": agent.id})
"""


def told_home(home: Home) -> Home:
    return hooked(home).plugin("shop", PLUGIN + HOOKS + TOLD)


def missed_by(centre: Any, number: str) -> Any:
    caller = waits(centre, number)
    centre.agent("201").is_offered(caller).rejects()
    centre.clock.advance(2)
    return caller.hangs_up()


def test_what_is_told_may_write_in_the_departments_transaction(home: Home, centre_of: Any) -> None:
    centre = centre_of(told_home(home))
    caller = missed_by(centre, "+8613900000001")
    row = centre.one("shop.orders")
    assert (row["who"], row["article"]) == ("201", "rejected")
    ticket = centre.one("tickets")
    assert (ticket["kind"], ticket["department"], ticket["call"]) == ("missed", "shop", caller.uuid)
    [opened] = centre.journal(kind="ticket.opened")
    assert opened.data["ticket"] == ticket["number"], "and who looks after tickets was told at once"


def test_what_a_told_hook_wrote_before_it_raised_is_rolled_back(home: Home, centre_of: Any) -> None:
    centre = centre_of(told_home(home))
    missed_by(centre, "+8613900000004")
    assert centre.rows("shop.orders") == []
    assert centre.app.installation.host.tallies["shop"].failed == 1


NAMED = """
greet:
  - answer
  - set: {topic: "%s"}
  - queue: {name: desk, skills: {polite: 1}, skill: "{topic}", full: sorry, too_long: sorry, no_agents: nobody}
  - hangup
sorry: [hangup]
nobody:
  - play: Nobody knows that.
  - hangup
"""


def named(home: Home, topic: str) -> Home:
    home = shop_home(home, NAMED % topic)
    home.write("conf/queues.yaml", "grammar: 1\nqueues:\n  desk: {title: {en: Desk}, strategy: top_down}\n")
    return home.write(
        "conf/agents.yaml",
        "grammar: 1\nagents:\n"
        "  201: {name: One, phone: 1001, queues: [desk], skills: {polite: 2, tea: 1}, login: auto}\n"
        "  202: {name: Two, phone: 1002, queues: [desk], skills: {polite: 2, rice: 3}, login: auto}\n"
        "  203: {name: Three, phone: 1003, queues: [desk], skills: {rice: 3}, login: auto}\n",
    )


def test_a_value_names_a_skill_that_an_agent_must_have_too(home: Home, centre_of: Any) -> None:
    centre = centre_of(named(home, "rice"))
    caller = waits(centre, "+8613900000001")
    centre.agent("202").is_offered(caller).rejects()
    centre.agent("201").is_not_offered()
    centre.engine.kill()
    centre.engine.start()
    [waiting] = centre.app.acd.queue("desk").waiting
    assert dict(waiting.skills) == {"polite": 1, "rice": 1}, (
        "and an engine that takes the call up asks the same"
    )


def test_a_skill_that_nobody_has_leads_to_no_agents(home: Home, centre_of: Any) -> None:
    centre_of(named(home, "chess")).caller().dials("8000").hears("Nobody knows that.")


def test_an_empty_skill_asks_nothing(home: Home, centre_of: Any) -> None:
    centre = centre_of(named(home, ""))
    caller = waits(centre, "+8613900000001")
    centre.agent("201").is_offered(caller)
