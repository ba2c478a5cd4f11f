"""A queue's own rules as callers and agents meet them: who is rung, what is heard, where it leads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.acd.places import Leaving
from engine.testing.home import Home
from tests.flows.shop import shop_home

COMMON = Path(__file__).parents[2] / "plugins" / "common" / "flows"
STEP = """
greet:
  - answer
  - queue:
      name: desk
      {more}
      waiting: {{every: 30s, say: position, keys: {{}}}}
      full: full
      too_long: too_long
      no_agents: no_agents
      closed: closed
      failed: failed
  - hangup
full: [{{play: Full.}}, hangup]
too_long: [{{play: Too long.}}, hangup]
no_agents: [{{play: No agents.}}, hangup]
closed: [{{play: Closed.}}, hangup]
failed: [{{play: Failed.}}, hangup]
"""
AGENTS = """\
grammar: 1
agents:
  201: {name: Agent One, phone: 1001, queues: [desk], login: auto}
  202: {name: Agent Two, phone: 1002, queues: [desk], login: auto}
  203: {name: Agent Three, phone: 1003, queues: [reserve], login: auto}
"""


def desk(home: Home, rules: str = "", more: str = "priority: 0") -> Home:
    """A centre of two queues; ``rules`` are those of the desk, ``more`` stands in the flow's step."""
    shop_home(home, STEP.format(more=more))
    home.write(
        "conf/queues.yaml",
        "grammar: 1\nqueues:\n"
        f"  desk: {{title: {{en: Desk}}, wrap_up: 0s, longest: 20m{', ' + rules if rules else ''}}}\n"
        "  reserve: {title: {en: Reserve}, longest: 20m}\n",
    )
    home.write("conf/agents.yaml", AGENTS)
    for flow in ("leave_message", "pass_on"):
        text = (COMMON / f"{flow}.yaml").read_text(encoding="utf-8").replace("[zh-CN, en]", "[en]")
        home.write(f"plugins/common/flows/{flow}.yaml", text)
    return home


def waits(centre: Any, number: str = "+8613800000000") -> Any:
    return centre.caller(number).dials("8000").hears_music()


def meal(centre: Any, *agents: str) -> None:
    for agent in agents or ("201", "202"):
        centre.agent(agent).pauses("meal")


def test_an_agent_who_answers_breaks_a_running_announcement_at_once(home: Home, centre_of: Any) -> None:
    centre = centre_of(desk(home))
    meal(centre, "202")
    centre.agent("201").pauses("meal")
    caller = waits(centre)
    centre.clock.advance(30.2)
    announced = caller.sim.played[-1]
    assert announced.path != centre.app.music
    assert announced.ended is None, "the words are being said"
    centre.agent("201").ready()
    agent = centre.agent("201").is_offered(caller)
    assert announced.ended is None
    began = centre.app.clock.monotonic()
    agent.answers()
    caller.talks_to(agent)
    assert centre.app.clock.monotonic() - began < 0.5
    assert announced.ended is not None
    assert announced.ended - began < 0.5, "the rest of the words is not waited for"


def test_the_owner_that_the_flow_names_is_rung_first(home: Home, centre_of: Any) -> None:
    centre = centre_of(desk(home, more='agent: "202"'))
    caller = waits(centre)
    centre.agent("202").is_offered(caller).rejects()
    centre.agent("201").is_offered(caller)


def test_who_talked_to_a_caller_last_gets_it_again(home: Home, centre_of: Any) -> None:
    centre = centre_of(desk(home, "strategy: top_down, sticky: {wait: 20s, within: 7d}"))
    centre.agent("201").pauses("meal")
    first = waits(centre, "+8613900000009")
    agent = centre.agent("202").is_offered(first).answers()
    first.talks_to(agent)
    agent.hangs_up()
    centre.agent("201").ready()
    centre.clock.advance("5m")
    stranger = waits(centre, "+8613900000001")
    centre.agent("201").is_offered(stranger).rejects()
    centre.agent("202").is_offered(stranger).answers()
    stranger.talks_to(centre.agent("202"))
    centre.clock.advance(20)
    again = waits(centre, "+8613900000009")
    centre.agent("201").is_not_offered(within=15)
    centre.agent("202").hangs_up()
    centre.agent("202").is_offered(again)
    (stuck,) = centre.journal(again, "queue.sticky")
    assert (stuck.data["prefer"], stuck.data["why"]) == ("202", "last")


def test_a_caller_overflows_to_another_queue_and_keeps_its_place_over_a_restart(
    home: Home, centre_of: Any
) -> None:
    centre = centre_of(desk(home, "overflow: {after: 60s, to: queue:reserve}"))
    meal(centre, "201", "202", "203")
    caller = waits(centre)
    centre.clock.advance(61)
    assert caller.view.queue == "reserve"
    centre.clock.advance(5)
    centre.engine.kill()
    centre.clock.advance(3)
    centre.engine.start()
    centre.clock.advance(3)
    assert caller.view.queue == "reserve"
    (place,) = centre.app.acd.queue("reserve").waiting
    assert place.call == caller.uuid
    assert (centre.app.clock.now() - place.since).total_seconds() == pytest.approx(74, abs=6)
    centre.agent("203").ready()
    caller.talks_to(centre.agent("203").is_offered(caller).answers())
    assert [row.data["moved_from"] for row in centre.journal(caller, "queue.entered")] == ["", "desk"]


def test_a_caller_overflows_to_a_voicemail_box(home: Home, centre_of: Any) -> None:
    centre = centre_of(desk(home, "overflow: {after: 60s, to: voicemail:desk}"))
    meal(centre)
    caller = waits(centre)
    centre.clock.advance(31)
    caller.hears("position", position=1)
    caller.hears("leave_message")
    assert caller.view.flow == "common/leave_message"
    caller.hears_beep().says("5s").hangs_up()
    assert centre.one("messages")["box"] == "desk"


def test_those_who_wait_at_closing_time_go_the_way_closed(home: Home, centre_of: Any) -> None:
    centre = centre_of(desk(home, "calendar: office, at_closing: {do: leave, grace: 2m}"))
    meal(centre)
    caller = waits(centre)
    centre.closes("office", "3h")
    centre.caller("+8613900000001").dials("8000").hears("Closed.")
    centre.clock.advance(100)
    assert caller.view.state == "queued"
    for _ in range(3):
        caller.hears("position", position=1)
    centre.clock.advance(30)
    caller.hears("Closed.")
    centre.opens("office")
    waits(centre, "+8613900000002")


def test_a_caller_whom_the_queue_gives_up_goes_the_way_failed(home: Home, centre_of: Any) -> None:
    centre = centre_of(desk(home))
    meal(centre)
    caller = waits(centre)
    line = centre.app.acd._dispatch.line
    line.send_out(line.places[caller.uuid], Leaving.NOT_REACHED)
    caller.hears("Failed.")


def test_all_phones_ring_and_the_other_is_let_go(home: Home, centre_of: Any) -> None:
    centre = centre_of(desk(home, "strategy: ring_all"))
    caller = waits(centre)
    first, second = centre.agent("201").is_offered(caller), centre.agent("202").is_offered(caller)
    second.answers()
    caller.talks_to(second)
    centre.clock.advance(1)
    assert (first.phone.state, first.state) == ("idle", "ready")


def test_phones_that_all_ring_are_taken_up_by_the_next_engine(home: Home, centre_of: Any) -> None:
    centre = centre_of(desk(home, "strategy: ring_all, offer: 60s"))
    caller = waits(centre)
    first, second = centre.agent("201").is_offered(caller), centre.agent("202").is_offered(caller)
    centre.engine.kill()
    centre.clock.advance(2)
    centre.engine.start()
    centre.clock.advance(2)
    assert (first.state, second.state) == ("offered", "offered")
    second.answers()
    caller.talks_to(second)
    centre.clock.advance(1)
    assert (first.phone.state, first.state) == ("idle", "ready")


def test_an_agent_who_hangs_up_in_its_own_greeting_leaves_a_caller_who_waits_as_before(
    home: Home, centre_of: Any
) -> None:
    home = desk(home, "announce_agent: agent_greeting")
    home.flow("shop/main", STEP.format(more="priority: 0").replace("keys: {}", "keys: {1: full}"))
    home.prompts(storm="Storm.", agent_greeting="Agent {agent:digits} is with you now, and glad to help.")
    centre = centre_of(home)
    meal(centre, "202")
    caller = waits(centre)
    agent = centre.agent("201").is_offered(caller)
    agent.phone.answer()
    centre.clock.advance(0.5)
    caller.hears("agent_greeting", agent="201")
    centre.agent("201").pauses("meal")
    agent.phone.hang_up()
    caller.hears("position", position=1)
    caller.presses("1").hears("Full.")
