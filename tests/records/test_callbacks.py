"""Calls that we owe: promised on the phone, dialled by the engine, on the simulator."""

from __future__ import annotations

from typing import Any

import pytest

from engine.flows.lead import Lead
from tests.records.conftest import desk_home

CALL_ME = """
ask:
  - answer
  - callback: {queue: desk, number: "{caller.number}", data: {about: a lamp}, into: promise, failed: sorry}
  - play: owed
  - hangup
sorry:
  - play: sorry
  - hangup
"""


def promised(centre: Any, number: str = "+8613800000009") -> Any:
    """A caller who was promised a call, while nobody is at the desk; the row."""
    for agent in ("201", "202"):
        if centre.agent(agent).state != "logged_out":
            centre.agent(agent).pauses("meal")
    caller = centre.caller(number=number).dials("8000")
    caller.hears("owed")
    caller.hangs_up()
    return centre.one("callbacks", number=number)


def dialled(centre: Any, within: float = 60.0) -> Any:
    """The next call that goes out, as the one who is called has it."""
    known = len(centre.simulator.lines)
    end = centre.virtual.monotonic() + within
    while centre.virtual.monotonic() < end:
        if len(centre.simulator.lines) > known:
            return centre.simulator.lines[-1]
        centre.virtual.sleep(0.5)
    raise AssertionError(f"nobody was called within {within} s")


def said(centre: Any, line: Any) -> str:
    """The next words on the line."""
    while True:
        playback = line.next_playback(30.0)
        heard = centre.describe(playback.path)
        if heard is not None:
            return heard.key or heard.text


def test_when_an_agent_is_free_the_caller_is_called_back_and_talks(desk: Any) -> None:
    centre = desk(CALL_ME)
    first = promised(centre)
    assert (first["state"], first["queue"]) == ("owed", "desk")
    agent = centre.agent("201").ready()
    line = dialled(centre)
    assert line.number == "+8613800000009"
    assert said(centre, line) == "callback_greeting"
    line.press("1")
    ring = agent.phone.wait_ring(30.0)
    assert ring is not None
    [call] = centre.calls()
    assert call.number == "+8613800000009"
    assert call.told["about"] == {"about": "a lamp"}
    agent.answers()
    centre.clock.advance(5)
    agent.hangs_up()
    centre.clock.advance(2)
    assert centre.one("callbacks")["state"] == "done"
    row = next(row for row in centre.cdrs() if row.data["direction"] == "out")
    assert (row.outcome, row.agent, row.number) == ("talked", "201", "+8613800000009")
    kinds = {entry.kind for entry in centre.journal()}
    assert {"callback.owed", "callback.dialled", "callback.answered", "callback.done"} <= kinds


def test_nobody_is_called_while_nobody_is_free_until_the_promised_time(desk: Any) -> None:
    centre = desk(CALL_ME)
    promised(centre)
    centre.clock.advance("20m")
    assert centre.simulator.lines == []
    line = dialled(centre, 700.0)  # half an hour after the promise: the agents are at work, though not free
    assert said(centre, line) == "callback_greeting"


def test_who_is_engaged_is_tried_again_later_and_given_up_after_three_tries(desk: Any) -> None:
    centre = desk(CALL_ME)
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    centre.agent("201").ready()
    for _ in range(3):
        line = dialled(centre, 400.0)
        centre.virtual.sleep(1.0)
        line.reject("USER_BUSY")
        centre.virtual.sleep(1.0)
    centre.clock.advance("30m")
    assert len(centre.simulator.lines) == 3
    row = centre.one("callbacks")
    assert (row["state"], row["why"], row["tries"]) == ("failed", "busy", 3)
    missed = [row for row in centre.cdrs() if row.data["direction"] == "out"]
    assert [row.outcome for row in missed] == ["unanswered"] * 3
    assert {row.cause for row in missed} == {"USER_BUSY"}


def test_a_machine_that_presses_no_key_is_not_put_through(desk: Any) -> None:
    centre = desk(CALL_ME)
    promised(centre)
    agent = centre.agent("201").ready()
    line = dialled(centre)
    assert said(centre, line) == "callback_greeting"
    line.wait_ended(60.0)
    centre.clock.advance(1)
    row = centre.one("callbacks")
    assert (row["state"], row["why"], row["tries"]) == ("owed", "unheard", 1)
    agent.is_not_offered()


def test_who_needs_it_no_more_presses_two(desk: Any) -> None:
    centre = desk(CALL_ME)
    promised(centre)
    centre.agent("201").ready()
    line = dialled(centre)
    assert said(centre, line) == "callback_greeting"
    line.press("2")
    assert said(centre, line) == "bye"
    line.wait_ended(30.0)
    centre.clock.advance(1)
    assert centre.one("callbacks")["state"] == "declined"


OWN = """\
greet:
  - menu: {prompt: callback_greeting, options: {1: wait, 2: bye}, attempts: 1, give_up: bye}
wait:
  - queue: {name: desk, full: bye, too_long: bye, no_agents: bye}
  - go: bye
bye:
  - play: bye
  - hangup
"""


def test_a_flow_of_the_departments_own_may_end_in_one_block_whatever_came_of_the_call(
    home: Any, centre_of: Any
) -> None:
    made = desk_home(home, CALL_ME.replace("into: promise", "tries: 4, into: promise"))
    made.flow("help/callback_desk", OWN, head="params: [callback]")
    centre = centre_of(made)
    promised(centre)
    centre.agent("201").ready()
    states = []
    for key in ("", "hangs up", "1", "2"):
        line = dialled(centre, 1200.0)
        assert said(centre, line) == "callback_greeting"
        if key == "1":
            centre.agent("201").logs_out()
            centre.agent("202").logs_out()
        if key == "hangs up":
            line.hang_up()
        elif key:
            line.press(key)
            assert said(centre, line) == "bye"
            centre.engine.kill()  # what it came to is not forgotten
            centre.engine.start()
        line.wait_ended(60.0)
        centre.clock.advance(2)
        states.append((centre.one("callbacks")["state"], centre.one("callbacks")["why"]))
        if key == "1":
            centre.agent("201").ready()
    assert states == [("owed", "unheard"), ("owed", "hung_up"), ("owed", "nobody"), ("declined", "")]


def test_a_number_that_may_not_be_called_is_refused_at_once(desk: Any) -> None:
    centre = desk(CALL_ME)
    for number in ("+8616800000000", "+442079460000", ""):
        caller = centre.caller(number=number).dials("8000")
        caller.hears("sorry")
        caller.hangs_up()
    assert centre.rows("callbacks") == []


def test_a_number_is_owed_one_call_by_a_queue_at_a_time(desk: Any) -> None:
    centre = desk(CALL_ME)
    first, again = promised(centre), promised(centre)
    assert first["id"] == again["id"]


def test_what_is_owed_survives_the_engine_and_is_dialled_once(desk: Any) -> None:
    centre = desk(CALL_ME)
    promised(centre)
    centre.engine.kill()
    centre.engine.start()
    agent = centre.agent("201").ready()
    line = dialled(centre)
    assert said(centre, line) == "callback_greeting"
    centre.engine.kill()
    centre.engine.start()
    centre.clock.advance(2)
    [call] = centre.calls()
    assert (call.number, call.flow) == ("+8613800000009", "help/callback_desk")
    line.press("1")
    assert agent.phone.wait_ring(30.0) is not None
    agent.answers()
    agent.hangs_up()
    centre.clock.advance("5m")
    assert len(centre.simulator.lines) == 1
    assert centre.one("callbacks")["state"] == "done"


def test_a_call_back_with_which_the_engine_died_at_once_begins_again_and_that_counts(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre = desk(CALL_ME)
    promised(centre)
    centre.agent("201").ready()
    with monkeypatch.context() as patched:  # an engine that gets no further than to the first step
        patched.setattr(Lead, "_walk", lambda self, run, walk: run.call.wait_gone())
        line = dialled(centre)
        centre.clock.advance(3)
        centre.engine.kill()
    centre.engine.start()
    assert said(centre, line) == "callback_greeting"
    line.hang_up()
    centre.clock.advance(2)
    row = next(row for row in centre.cdrs() if row.data["direction"] == "out")
    assert (row.adopted, row.number) == (1, "+8613800000009")


def test_one_who_hangs_up_while_no_engine_is_there_has_a_cdr_and_is_called_again(desk: Any) -> None:
    centre = desk(CALL_ME)
    owed = promised(centre)
    centre.agent("201").ready()
    line = dialled(centre)
    assert said(centre, line) == "callback_greeting"
    centre.clock.advance(1)
    (call,) = centre.calls()
    centre.engine.kill()
    line.hang_up()
    centre.engine.start()
    centre.clock.advance(2)
    (cdr,) = [cdr for cdr in centre.cdrs() if cdr.call == call.id]
    assert (cdr.outcome, cdr.number, cdr.dialled, cdr.flow) == (
        "lost", "+8613800000009", "8000", "help/callback_desk",
    )  # fmt: skip
    assert cdr.data == {"direction": "out", "callback": owed["id"]}
    assert centre.one("callbacks")["state"] == "owed"


def test_a_leg_that_rings_when_the_engine_dies_is_hung_up_and_dialled_again(desk: Any) -> None:
    centre = desk(CALL_ME)
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    centre.agent("201").ready()
    first = dialled(centre)
    centre.virtual.sleep(1.0)
    centre.engine.kill()
    centre.engine.start()
    centre.agent("201").ready()
    second = dialled(centre, 200.0)
    assert first.ended is not None
    centre.virtual.sleep(1.0)
    second.answer()
    assert said(centre, second) == "callback_greeting"
