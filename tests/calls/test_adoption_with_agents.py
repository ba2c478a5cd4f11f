"""The engine is killed while callers wait, phones ring and people talk; nobody loses a place, a word or a CDR."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing.home import Home
from tests.calls.test_adoption import killed
from tests.flows.shop import Shop, shop_home

QUEUE = """
greet:
  - answer
  - queue:
      name: desk
      waiting: {every: 60s, say: position, keys: {1: out}}
      longest: 20m
      into: served
      full: nobody
      too_long: nobody
      no_agents: nobody
  - {journal: {event: note, data: {agent: "{served.agent}", seconds: "{served.seconds}", by: "{served.by}"}}}
  - play: Thank you.
  - hangup
out:
  - play: Out.
  - hangup
nobody:
  - play: Nobody.
  - hangup
"""


def away(centre: Any) -> None:
    """Nobody takes calls for now, but everybody is there."""
    for agent in ("201", "202"):
        centre.agent(agent).pauses("meal")


def test_twenty_callers_keep_their_places_and_nobody_is_dropped(shop: Shop) -> None:
    centre = shop(QUEUE)
    away(centre)
    callers = []
    for _ in range(20):
        callers.append(centre.caller().dials("8000").hears_music())
        centre.clock.advance(2)
    before = [one.call for one in centre.app.acd.queue("desk").waiting]
    waited = centre.app.acd.queue("desk").longest_wait
    assert before == [caller.uuid for caller in callers]
    killed(centre, 3)
    queue = centre.app.acd.queue("desk")
    assert [one.call for one in queue.waiting] == before
    assert queue.longest_wait == pytest.approx(waited + 10, abs=3)
    for caller in callers:
        assert centre.app.music in (caller.sim.hearing or "")
        assert len([sound for sound in caller.sim.played if sound.ended is None]) == 1
    centre.agent("201").ready().is_offered(callers[0]).answers()
    callers[0].talks_to(centre.agent("201"))


def test_a_key_still_leads_out_of_the_queue_and_the_position_is_told(shop: Shop) -> None:
    centre = shop(QUEUE)
    away(centre)
    caller = centre.caller().dials("8000").hears_music()
    killed(centre)
    caller.hears("position", position=1).presses("1")
    caller.hears("Out.")
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert cdr.waited > 50


def test_a_phone_that_rang_rings_on_and_is_answered(shop: Shop) -> None:
    centre = shop(QUEUE)
    centre.agent("202").logs_out()
    caller = centre.caller().dials("8000")
    agent = centre.agent("201").is_offered(caller)
    killed(centre)
    assert agent.view.call == caller.uuid
    assert len(agent.phone.rings) == 1
    agent.answers()
    caller.talks_to(agent)
    centre.clock.advance(30)
    agent.hangs_up()
    caller.hears("Thank you.")


def test_a_phone_that_was_answered_meanwhile_is_connected(shop: Shop) -> None:
    centre = shop(QUEUE)
    centre.agent("202").logs_out()
    caller = centre.caller().dials("8000")
    agent = centre.agent("201").is_offered(caller)
    centre.engine.kill()
    agent.phone.answer()
    centre.clock.advance(1)
    centre.engine.start()
    caller.talks_to(agent)


def test_a_phone_that_rang_for_a_caller_who_left_meanwhile_falls_silent(shop: Shop) -> None:
    centre = shop(QUEUE)
    caller = centre.caller().dials("8000")
    agent = centre.agent("201").is_offered(caller)
    centre.engine.kill()
    caller.sim.hang_up()
    centre.clock.advance(1)
    centre.engine.start()
    centre.clock.advance(12)
    assert agent.phone.state == "idle"
    assert agent.state == "ready"
    assert centre.simulator.switch.channels == {}
    (cdr,) = centre.cdrs()
    assert cdr.call == caller.uuid


def talking(centre: Any) -> tuple[Any, Any]:
    centre.agent("202").logs_out()
    caller = centre.caller().dials("8000")
    agent = centre.agent("201").is_offered(caller).answers()
    caller.talks_to(agent)
    centre.clock.advance(20)
    return caller, agent


def test_two_people_talk_on_and_the_cdr_is_whole(shop: Shop) -> None:
    centre = shop(QUEUE)
    caller, agent = talking(centre)
    killed(centre)
    assert caller.sim.state == "talking"
    assert agent.state == "talking"
    assert caller.view.state == "talking"
    centre.clock.advance(30)
    agent.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.agent, cdr.adopted, cdr.queue) == ("talked", "201", 1, "desk")
    assert cdr.talked == pytest.approx(58, abs=4)
    assert cdr.waited < 3
    (note,) = centre.journal(caller, "flow.note")
    assert note.data["seconds"] == pytest.approx(58, abs=4)
    assert agent.state == "wrap_up"


def test_the_caller_hangs_up_in_the_adopted_talk(shop: Shop) -> None:
    centre = shop(QUEUE)
    caller, agent = talking(centre)
    killed(centre)
    caller.hangs_up()
    assert agent.phone.state == "idle"
    assert agent.state == "wrap_up"
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.data["ended_by"]) == ("talked", "caller")
    assert cdr.talked > 20


def test_the_agent_hangs_up_while_no_engine_is_there(shop: Shop) -> None:
    centre = shop(QUEUE)
    caller, agent = talking(centre)
    centre.engine.kill()
    agent.phone.hang_up()
    centre.clock.advance(2)
    centre.engine.start()
    caller.hears("Thank you.")
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert (cdr.agent, cdr.queue) == ("201", "desk")
    assert cdr.outcome == "talked"
    assert cdr.talked > 19
    assert agent.state in ("wrap_up", "ready")


def test_the_caller_hangs_up_while_no_engine_is_there(shop: Shop) -> None:
    centre = shop(QUEUE)
    caller, agent = talking(centre)
    centre.engine.kill()
    caller.sim.hang_up()
    centre.clock.advance(2)
    centre.engine.start()
    centre.clock.advance(12)
    assert agent.phone.state == "idle"
    assert agent.state in ("wrap_up", "ready")
    assert centre.simulator.switch.channels == {}
    (cdr,) = centre.cdrs()
    assert (cdr.call, cdr.outcome, cdr.agent) == (caller.uuid, "lost", "201")


def test_both_are_gone_when_the_next_engine_comes(shop: Shop) -> None:
    centre = shop(QUEUE)
    caller, agent = talking(centre)
    centre.engine.kill()
    caller.sim.hang_up()
    agent.phone.hang_up()
    centre.clock.advance(2)
    centre.engine.start()
    centre.clock.advance(20)
    assert agent.state in ("wrap_up", "ready")
    assert len(centre.cdrs()) == 1


def test_a_talk_whose_flow_is_lost_is_not_cut(home: Home, centre_of: Any) -> None:
    centre = centre_of(shop_home(home, QUEUE))
    caller, agent = talking(centre)
    centre.engine.kill()
    caller.sim.channel.set("il_state", "bm9uc2Vuc2U")
    centre.engine.start()
    centre.clock.advance(10)
    assert caller.sim.state == "talking"
    agent.phone.hang_up()
    caller.hears("We lost your place.")


def test_no_engine_ever_comes_back_and_the_switch_takes_the_callers(shop: Shop) -> None:
    centre = shop(QUEUE)
    first, agent = talking(centre)
    second = centre.caller().dials("8000").hears_music()
    centre.engine.kill()
    centre.clock.advance(30)
    assert second.sim.fell_back
    assert first.sim.state == "talking"
    agent.phone.hang_up()
    centre.clock.advance(8)
    assert first.sim.fell_back
    centre.engine.start()
    centre.clock.advance(12)
    assert {cdr.call for cdr in centre.cdrs()} == {first.uuid, second.uuid}


def test_the_switch_waits_for_an_engine_as_long_as_the_installation_says(home: Home, centre_of: Any) -> None:
    home = shop_home(home, QUEUE)
    home.write(
        "conf/engine.yaml",
        "grammar: 1\nlanguages: [en]\nswitch: {fallback: {silence: 60s}}\n"
        "recording:\n  policies:\n    service: {share: 100%, keep: 10d}\n",
    )
    centre = centre_of(home)
    caller = centre.caller().dials("8000").hears_music()
    centre.engine.kill()
    centre.clock.advance(50)
    assert not caller.sim.fell_back
    centre.clock.advance(25)
    assert caller.sim.fell_back
