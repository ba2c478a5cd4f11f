"""The queue step and recordings in a running flow: served, every way out, keys, announcements, who is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from engine.prompts.library import Prompts
from engine.testing.home import Home
from tests.flows.shop import Shop, shop_home

QUEUE = """
greet:
  - answer
  - queue:
      name: desk
      tell: {article: "4711"}
      waiting: {every: 30s, say: position, keys: {1: called_back}}
      longest: 5m
      into: served
      full: full
      too_long: too_long
      no_agents: no_agents
  - {journal: {event: note, data: {agent: "{served.agent}", by: "{served.by}", seconds: "{served.seconds}"}}}
  - play: Thank you.
  - hangup
full:
  - play: Full.
  - hangup
too_long:
  - play: Too long.
  - hangup
no_agents:
  - play: No agents.
  - hangup
called_back:
  - play: We call you back.
  - hangup
"""


def waits(centre: Any) -> Any:
    return centre.caller().dials("8000").hears_music()


def test_no_words_of_the_queue_are_heard_in_the_talk(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even those that were still being made when an agent answered."""
    centre = shop(QUEUE)
    agent = centre.agent("201")
    agent.pauses("meal")
    caller = waits(centre)
    made = Prompts.utterance

    def slowly(self: Prompts, prompt: str, *more: Any) -> Any:
        if prompt == "position":
            agent.phone.answer()
            centre.app.clock.sleep(2.0)
        return made(self, prompt, *more)

    monkeypatch.setattr(Prompts, "utterance", slowly)
    centre.clock.advance(10)
    agent.ready().is_offered(caller)
    centre.clock.advance(15)
    caller.talks_to(agent)
    assert len(caller.sim.played) == 1  # the music
    assert caller.sim.bridged_to == agent.phone.ring.uuid


def test_a_caller_is_served_and_the_flow_goes_on_when_the_agent_hangs_up(shop: Shop) -> None:
    centre = shop(QUEUE)
    caller = waits(centre)
    agent = centre.agent("201").is_offered(caller).sees(article="4711").answers()
    caller.talks_to(agent)
    centre.clock.advance("2m")
    agent.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended == "NORMAL_CLEARING"
    (note,) = centre.journal(caller, "flow.note")
    assert (note.data["agent"], note.data["by"]) == ("201", "agent")
    assert note.data["seconds"] == pytest.approx(120, abs=2)
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.queue, cdr.agent) == ("talked", "desk", "201")
    assert cdr.talked == pytest.approx(120, abs=2)
    assert cdr.waited < 5
    assert agent.state == "wrap_up"


def test_a_caller_who_hangs_up_in_the_talk_frees_the_agent(shop: Shop) -> None:
    centre = shop(QUEUE)
    caller = waits(centre)
    agent = centre.agent("201").is_offered(caller).answers()
    caller.talks_to(agent).hangs_up()
    assert agent.state == "wrap_up"
    assert agent.phone.state == "idle"
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.data["ended_by"]) == ("talked", "caller")


def test_a_caller_who_hangs_up_while_the_phone_rings_stops_it_and_counts_as_abandoned(shop: Shop) -> None:
    centre = shop(QUEUE)
    caller = waits(centre)
    agent = centre.agent("201").is_offered(caller)
    centre.clock.advance(3)
    caller.hangs_up()
    assert agent.phone.state == "idle"
    assert agent.state == "ready"
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.agent) == ("abandoned", "")
    assert cdr.waited == pytest.approx(3, abs=0.5)


def test_nobody_answers_and_the_next_agent_is_offered_the_call(shop: Shop) -> None:
    centre = shop(QUEUE)
    caller = waits(centre)
    centre.agent("201").is_offered(caller)
    centre.agent("202").is_offered(caller).answers()
    caller.talks_to(centre.agent("202"))


def test_without_agents_the_flow_goes_that_way(shop: Shop) -> None:
    centre = shop(QUEUE)
    for agent in ("201", "202"):
        centre.agent(agent).logs_out()
    caller = centre.caller().dials("8000")
    caller.hears("No agents.")


def test_whoever_waits_too_long_goes_that_way_and_the_music_ends(shop: Shop) -> None:
    centre = shop(QUEUE)
    for agent in ("201", "202"):
        centre.agent(agent).pauses("meal")
    caller = waits(centre)
    for _ in range(9):
        caller.hears("position", position=1)
    caller.hears("Too long.")
    music = next(
        sound
        for sound in caller.sim.played
        if centre.app.music in sound.path.removeprefix("file_string://").split("!")
    )
    assert music.ended is not None
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert cdr.waited == pytest.approx(300, abs=2)


def test_a_key_leads_out_of_the_queue_and_another_does_not(shop: Shop) -> None:
    centre = shop(QUEUE)
    for agent in ("201", "202"):
        centre.agent(agent).pauses("meal")
    caller = waits(centre)
    caller.presses("5")
    centre.clock.advance(2)
    assert caller.view.state == "queued"
    caller.presses("1")
    caller.hears("We call you back.")
    assert centre.app.acd.queue("desk").waiting == ()


def test_a_full_queue_sends_the_next_caller_away(home: Home, centre_of: Any) -> None:
    shop_home(home, QUEUE)
    home.write(
        "conf/queues.yaml", "grammar: 1\nqueues:\n  desk: {title: {en: Desk}, length: 1, longest: 10m}\n"
    )
    centre = centre_of(home)
    for agent in ("201", "202"):
        centre.agent(agent).pauses("meal")
    first = waits(centre)
    centre.caller().dials("8000").hears("Full.")
    assert first.view.state == "queued"


def test_the_position_is_told_to_each_and_moves_up(shop: Shop) -> None:
    centre = shop(QUEUE)
    centre.agent("202").logs_out()
    centre.agent("201").pauses("meal")
    first, second = waits(centre), waits(centre)
    second.hears("position", position=2)
    first.hangs_up()
    second.hears("position", position=1)


# -- recordings ------------------------------------------------------------------------------------------

RECORDED = """
greet:
  - answer
  - record: {policy: service, notice: recorded_notice}
  - play: This is said while it records.
  - pause_recording
  - play: This is not heard later.
  - pause_recording: off
  - collect: {into: pin, as: pin, prompt: Type it., give_up: end}
  - go: end
end:
  - hangup
"""


def test_a_call_is_recorded_behind_its_notice_and_masked_where_it_must_be(shop: Shop) -> None:
    centre = shop(RECORDED)
    caller = centre.caller().dials("8000")
    caller.hears("recorded_notice")
    assert caller.sim.channel.recordings == {}
    caller.hears("This is said while it records.")
    (recording,) = caller.sim.channel.recordings.values()
    assert not recording.masked
    caller.hears("This is not heard later.")
    centre.clock.advance(0.1)
    assert recording.masked
    caller.hears("Type it.")
    centre.clock.advance(0.1)
    assert recording.masked
    caller.presses("471199#")
    assert caller.ended
    row = centre.one("recordings")
    assert row["policy"] == "service"
    assert row["ended"] is not None
    (cdr,) = centre.cdrs()
    assert cdr.recording == row["id"]
    centre.nowhere("471199")


def test_the_dialplan_forbids_what_the_flow_wants_to_record(home: Home, centre_of: Any) -> None:
    shop_home(home, RECORDED).number("8001", "shop/main", "record: never")
    centre = centre_of(home)
    caller = centre.caller().dials("8001")
    caller.hears("This is said while it records.")
    assert caller.sim.channel.recordings == {}
    caller.hangs_up()
    assert centre.rows("recordings") == []


def test_one_recording_runs_on_through_the_talk(shop: Shop) -> None:
    centre = shop(QUEUE.replace("  - queue:\n", "  - record: service\n  - queue:\n"))
    caller = waits(centre)
    agent = centre.agent("201").is_offered(caller).answers()
    caller.talks_to(agent)
    centre.clock.advance(5)
    agent.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    row = centre.one("recordings")
    assert (row["agent"], row["call"]) == ("201", caller.uuid)
    assert row["seconds"] > 5


SPENT = """
greet:
  - answer
  - queue: {name: desk, full: sorry, too_long: sorry, no_agents: sorry}
  - hangup
sorry: [hangup]
"""
LEFT = """
on_hangup:
  - {journal: {event: left, data: {agents: "{call.agents}", waited: "{call.waited}", talked: "{call.talked}"}}}
"""


def test_a_flow_knows_after_a_hang_up_who_talked_and_for_how_long(home: Home, centre_of: Any) -> None:
    home = shop_home(home, SPENT)
    home.flow("shop/main", SPENT, head=LEFT)
    centre = centre_of(home)
    caller = waits(centre)
    agent = centre.agent("201").is_offered(caller)
    centre.clock.advance("4s")
    agent.answers()
    caller.talks_to(agent)
    centre.clock.advance("2m")
    caller.hangs_up()
    (left,) = centre.journal(caller, "flow.left")
    assert left.data["agents"] == ["201"]
    assert left.data["talked"] == pytest.approx(120, abs=2)
    assert left.data["waited"] == pytest.approx(4, abs=2)
