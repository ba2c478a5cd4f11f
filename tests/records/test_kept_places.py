"""Calls back that keep their place: the turn comes, an agent is reserved, the caller is dialled, the two talk."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.acd.evidence import about_call
from engine.acd.rules import MOST_PRIORITY
from engine.testing.home import Home
from engine.types import CallView
from tests.records.conftest import desk_home
from tests.records.test_callbacks import said

WAITING = """
ask:
  - answer
  - queue:
      name: desk
      waiting: {keys: {1: call_me}}
      full: sorry
      too_long: sorry
      no_agents: sorry
  - hangup
call_me:
  - callback: {queue: desk, keep_place: true, failed: sorry}
  - play: owed
  - hangup
sorry:
  - play: sorry
  - hangup
"""
NUMBER = "+8613800000009"


@pytest.fixture
def kept(desk: Any) -> Any:
    """``kept()``: a centre whose callers may press 1 in the queue; both its agents are on a break."""

    def make(blocks: str = WAITING) -> Any:
        centre = desk(blocks)
        for agent in ("201", "202"):
            centre.agent(agent).pauses("meal")
        return centre

    return make


def promised(centre: Any, number: str = NUMBER, after: float = 60.0) -> Any:
    """A caller who waits, presses 1 and hangs up; its row."""
    caller = centre.caller(number=number).dials("8000")
    centre.clock.advance(after)
    caller.presses("1")
    caller.hears("owed")
    caller.hangs_up()
    centre.clock.advance(1)
    return centre.one("callbacks", number=number)


def dialled(centre: Any, nth: int, within: float = 60.0) -> Any:
    """The nth call that goes out."""
    end = centre.virtual.monotonic() + within
    while len(centre.simulator.lines) < nth:
        assert centre.virtual.monotonic() < end, f"call {nth} did not go out within {within} s"
        centre.virtual.sleep(0.1)
    return centre.simulator.lines[nth - 1]


def test_the_agent_is_reserved_then_the_caller_is_dialled_and_they_talk(kept: Any) -> None:
    centre = kept()
    centre.simulator.line_answers = lambda number: None
    row = promised(centre)
    assert row["state"] == "owed"
    assert centre.simulator.lines == []
    [waiting] = centre.app.acd.queue("desk").waiting
    assert (waiting.number, waiting.virtual, waiting.position) == (NUMBER, True, 1)
    agent = centre.agent("201").ready()
    ring = agent.phone.wait_ring(5.0)
    assert ring is not None
    assert centre.simulator.lines == []  # the caller is dialled when the agent is there
    agent.answers()
    line = dialled(centre, 1)
    assert (line.number, agent.state) == (NUMBER, "offered")
    assert centre.app.acd.agent("201").calling_back == NUMBER
    line.answer()
    assert said(centre, line) == "callback_connecting"
    centre.clock.advance(10)
    assert agent.state == "talking"
    [call] = centre.calls()
    assert call.id == waiting.call
    agent.hangs_up()
    centre.clock.advance(2)
    assert centre.one("callbacks")["state"] == "done"
    cdr = next(row for row in centre.cdrs() if row.data["direction"] == "out")
    assert (cdr.outcome, cdr.agent, cdr.data["owed_by"], cdr.data["tries"]) == (
        "talked",
        "201",
        row["call"],
        1,
    )
    assert cdr.data["waited_virtual"] > 60
    entered = [row for row in centre.journal() if row.kind == "queue.entered" and row.data["virtual"]]
    assert [row.call for row in entered] == [call.id]


def brought(centre: Any, agent: Any) -> None:
    """The agent is ready, is rung and answers."""
    agent.ready()
    assert agent.phone.wait_ring(10.0) is not None
    agent.answers()


def over(centre: Any) -> None:
    """The agent hangs up, and everything is written."""
    centre.agent("201").hangs_up()
    centre.clock.advance(2)


def test_who_waits_on_the_line_longer_goes_first_and_the_position_counts_who_waits_at_home(kept: Any) -> None:
    centre = kept()
    centre.simulator.line_answers = lambda number: None
    first = centre.caller(number="+8613800000001").dials("8000")
    centre.clock.advance(5)
    promised(centre, after=10.0)
    later = centre.caller(number="+8613800000002").dials("8000")
    centre.clock.advance(1)
    waiting = centre.app.acd.queue("desk").waiting
    assert [(one.number[-1], one.virtual) for one in waiting] == [("1", False), ("9", True), ("2", False)]
    agent = centre.agent("201")
    brought(centre, agent)
    first.talks_to(agent)
    assert centre.simulator.lines == []
    agent.hangs_up()
    centre.clock.advance(1)
    brought(centre, agent)
    line = dialled(centre, 1)
    assert later.view.queue == "desk"
    line.answer()
    centre.clock.advance(10)
    assert agent.state == "talking"


@pytest.mark.parametrize(("cause", "after"), [("USER_BUSY", 300), ("NO_ANSWER", 900)])
def test_an_attempt_that_fails_frees_the_agent_and_the_place_comes_back_as_it_was(
    kept: Any, cause: str, after: int
) -> None:
    centre = kept()
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    [before] = centre.app.acd.queue("desk").waiting
    agent = centre.agent("201")
    brought(centre, agent)
    dialled(centre, 1).reject(cause)
    centre.clock.advance(2)
    assert agent.state == "ready"
    assert centre.app.acd.queue("desk").waiting == ()
    row = centre.one("callbacks")
    assert (row["state"], row["tries"]) == ("owed", 1)
    agent.pauses("meal")
    centre.clock.advance(after - 10)
    assert centre.app.acd.queue("desk").waiting == ()
    centre.clock.advance(70)
    [again] = centre.app.acd.queue("desk").waiting
    assert abs((again.since - before.since).total_seconds()) < 1
    brought(centre, agent)
    dialled(centre, 2).answer()
    centre.clock.advance(10)
    assert agent.state == "talking"
    over(centre)
    assert centre.one("callbacks")["state"] == "done"


def test_a_place_that_is_kept_keeps_whom_its_queue_sticks_to(home: Any, centre_of: Any) -> None:
    home = desk_home(home, WAITING)
    home.write(
        "conf/queues.yaml",
        "grammar: 1\nqueues:\n  desk: {title: {en: Desk}, strategy: top_down, wrap_up: 0s, sticky: 20s}\n",
    )
    centre = centre_of(home)
    centre.simulator.line_answers = lambda number: None
    centre.agent("201").pauses("meal")
    first = centre.caller(number=NUMBER).dials("8000")
    agent = centre.agent("202").is_offered(first).answers()
    first.talks_to(agent)
    agent.hangs_up()
    first.hangs_up()
    agent.pauses("meal")
    centre.clock.advance(5)
    promised(centre)
    (place,) = centre.app.acd._dispatch.places()
    assert place.request.virtual
    assert (place.request.last_agent, place.ticket.prefer) == ("202", "202")


@pytest.mark.parametrize("moment", ["nobody free", "agent rung", "caller rung"])
def test_a_place_whose_time_is_over_ends_and_explain_says_so(kept: Any, moment: str) -> None:
    """Nobody is dialled any more; who rings already is not cut off, but is the last one."""
    centre = kept(WAITING.replace("keep_place: true,", "keep_place: true, window: 5m,"))
    centre.simulator.line_answers = lambda number: None
    row = promised(centre)
    [waiting] = centre.app.acd.queue("desk").waiting
    centre.clock.advance(285)
    agent = centre.agent("201")
    if moment != "nobody free":
        agent.ready()
        ring = agent.phone.wait_ring(5.0)
        assert ring is not None
        if moment == "caller rung":
            agent.answers()
            line = dialled(centre, 1)
            centre.clock.advance(30)
            assert centre.one("callbacks")["state"] == "dialling"
            line.reject("NO_ANSWER")
    centre.clock.advance(30)
    attempts = 1 if moment == "caller rung" else 0
    assert (agent.state, agent.phone.state) == ("paused" if moment == "nobody free" else "ready", "idle")
    over = centre.one("callbacks")
    assert (over["state"], over["tries"]) == ("expired", attempts)
    assert centre.app.acd.queue("desk").waiting == ()
    assert len(centre.simulator.lines) == attempts
    assert [
        one.kind for one in centre.journal() if one.kind in ("callback.put_aside", "callback.expired")
    ] == ["callback.expired"]
    told = centre.app.store.read(lambda session: about_call(session, row["call"], centre.clock.now()), 5.0)
    assert told.outcome == f"was not called back: the time for it was over, after {attempts} attempts"
    assert f"is to be called back [callback {row['id']}]" in [one.text for one in told.moments]
    at_home = centre.app.store.read(
        lambda session: about_call(session, waiting.call, centre.clock.now()), 5.0
    )
    assert any("is not on the line, and will be called back" in one.text for one in at_home.moments)
    if moment != "caller rung":
        assert "its time over" in at_home.outcome


def test_who_declines_is_called_no_more(kept: Any) -> None:
    centre = kept()
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    brought(centre, centre.agent("201"))
    dialled(centre, 1).reject("CALL_REJECTED")
    centre.clock.advance(2)
    row = centre.one("callbacks")
    assert (row["state"], row["why"]) == ("failed", "rejected")
    assert centre.agent("201").state == "ready"


@pytest.mark.parametrize("how", ["hangs_up", "logs_out"])
def test_an_agent_who_goes_while_it_rings_ends_the_ringing_and_it_is_no_attempt(kept: Any, how: str) -> None:
    centre = kept()
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    agent = centre.agent("201")
    brought(centre, agent)
    line = dialled(centre, 1)
    if how == "hangs_up":
        agent.hangs_up()
    else:
        centre.app.acd.logout("201")
    centre.clock.advance(2)
    assert line.ended is not None
    row = centre.one("callbacks")
    assert (row["state"], row["tries"]) == ("owed", 0)
    [waiting] = centre.app.acd.queue("desk").waiting
    assert waiting.number == NUMBER
    brought(centre, centre.agent("202"))
    dialled(centre, 2).answer()
    centre.clock.advance(10)
    assert centre.agent("202").state == "talking"


def test_who_is_cancelled_leaves_the_queue_and_nobody_is_dialled(kept: Any) -> None:
    centre = kept()
    row = promised(centre)
    from engine.records import callbacks

    centre.app.records.work(lambda session: callbacks.cancel(session, row["id"], "test"))
    centre.clock.advance(1)
    assert centre.app.acd.queue("desk").waiting == ()
    centre.agent("201").ready()
    centre.agent("201").is_not_offered()


def test_who_calls_in_again_takes_its_place_on_the_line(kept: Any) -> None:
    centre = kept()
    promised(centre)
    other = centre.caller(number="+8613800000002").dials("8000")
    centre.clock.advance(5)
    again = centre.caller(number=NUMBER).dials("8000")
    again.hears("callback_kept", position=1)
    again.presses("1")
    centre.clock.advance(2)
    waiting = centre.app.acd.queue("desk").waiting
    assert [(one.number, one.virtual) for one in waiting] == [(NUMBER, False), ("+8613800000002", False)]
    assert centre.one("callbacks")["state"] == "taken_over"
    agent = centre.agent("201")
    brought(centre, agent)
    again.talks_to(agent)
    assert other.view.queue == "desk"
    assert centre.simulator.lines == []


def test_who_calls_in_again_may_keep_the_call_back(kept: Any) -> None:
    centre = kept()
    promised(centre)
    again = centre.caller(number=NUMBER).dials("8000")
    again.hears("callback_kept", position=1)
    again.presses("2")
    again.hears("callback_stays")
    centre.clock.advance(3)
    assert again.ended
    [waiting] = centre.app.acd.queue("desk").waiting
    assert waiting.virtual
    assert centre.one("callbacks")["state"] == "owed"


def test_the_caller_may_be_rung_first(kept: Any) -> None:
    centre = kept(WAITING.replace("keep_place: true", "keep_place: true, first: caller"))
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    agent = centre.agent("201").ready()
    line = dialled(centre, 1)
    assert agent.state == "offered"
    line.answer()
    assert said(centre, line) == "callback_connecting"
    assert agent.phone.wait_ring(20.0) is not None
    agent.answers()
    centre.clock.advance(3)
    assert agent.state == "talking"


def test_after_its_queue_has_closed_nobody_is_called_until_it_opens(kept: Any) -> None:
    centre = kept()
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    centre.app.acd.close_queue("desk", "fire drill")
    centre.clock.advance("20m")
    assert centre.app.acd.queue("desk").waiting == ()
    agent = centre.agent("201").ready()
    centre.clock.advance("2m")
    assert (agent.state, centre.simulator.lines) == ("ready", [])
    centre.app.acd.open_queue("desk")
    assert agent.phone.wait_ring(70.0) is not None
    agent.answers()
    dialled(centre, 1).answer()


def test_plugins_hear_once_of_who_keeps_a_place_and_of_whose_offers_are_missed_by_number(
    kept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre = kept()
    told: list[tuple[str, str]] = []
    tell = centre.app.installation.host.tell
    for event in ("call_queued", "offer_missed"):

        def note(event: str = event, *, call: CallView, **facts: Any) -> None:
            told.append((event, call.number))

        monkeypatch.setattr(tell, event, note, raising=False)
    promised(centre)
    agent = centre.agent("201").ready()
    assert agent.phone.wait_ring(10.0) is not None
    agent.phone.reject()
    centre.clock.advance(1)
    assert told == [("call_queued", NUMBER), ("offer_missed", NUMBER)]


# -- the engine dies ------------------------------------------------------------------------------------


def again(centre: Any) -> None:
    """kill -9, and the next engine."""
    centre.engine.kill()
    centre.engine.start()
    centre.clock.advance(2)


def finishes(centre: Any, lines: int) -> None:
    """It is called once more, and everything ends well, with so many calls dialled in all."""
    line = dialled(centre, lines, 200.0)
    line.answer()
    centre.clock.advance(12)
    talking = [agent for agent in ("201", "202") if centre.agent(agent).state == "talking"]
    assert len(talking) == 1
    centre.agent(talking[0]).hangs_up()
    centre.clock.advance("30m")
    assert len(centre.simulator.lines) == lines
    assert centre.one("callbacks")["state"] == "done"


def test_killed_while_it_waits_it_stands_again_with_its_old_time(kept: Any) -> None:
    centre = kept()
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    [before] = centre.app.acd.queue("desk").waiting
    again(centre)
    [after] = centre.app.acd.queue("desk").waiting
    assert abs((after.since - before.since).total_seconds()) < 1
    assert after.call == before.call  # who asks why it waits is told of one wait
    kinds = [row.kind for row in centre.journal() if row.call == after.call and row.kind.startswith("queue.")]
    assert kinds == ["queue.entered", "queue.resumed"]
    brought(centre, centre.agent("201"))
    finishes(centre, 1)


def test_killed_after_a_supervisor_moved_it_it_stands_where_it_was_moved_to(
    home: Home, centre_of: Any
) -> None:
    centre = centre_of(
        desk_home(home, WAITING)
        .write(
            "conf/queues.yaml",
            "grammar: 1\nqueues: {desk: {title: {en: Desk}}, second: {title: {en: Second}}}\n",
        )
        .write(
            "conf/agents.yaml",
            "grammar: 1\nagents:\n"
            "  201: {name: One, phone: 1001, languages: [en], queues: [desk, second], login: auto}\n"
            "  202: {name: Two, phone: 1002, languages: [en], queues: [desk, second], login: auto}\n",
        )
    )
    for agent in ("201", "202"):
        centre.agent(agent).pauses("meal")
    promised(centre, "+8613800000007")
    promised(centre, "+8613800000008")
    promised(centre, "+8613800000009")
    acd = centre.app.acd
    calls = [one.call for one in acd.queue("desk").waiting]
    assert acd.to_front(acd.waits_as(calls[1][:8])).position == 1
    acd.move(acd.waits_as(calls[0]), "second")
    centre.clock.advance(1)
    again(centre)

    def waiting(queue: str) -> list[tuple[str, int]]:
        return [(one.number[-1], one.priority) for one in centre.app.acd.queue(queue).waiting]

    assert waiting("desk") == [("8", MOST_PRIORITY), ("9", 0)]
    assert waiting("second") == [("7", 0)]


def test_killed_when_the_agent_is_reserved_nobody_was_dialled_and_it_is_done_again(kept: Any) -> None:
    centre = kept()
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    agent = centre.agent("201").ready()
    assert agent.phone.wait_ring(10.0) is not None
    again(centre)
    assert centre.simulator.lines == []
    agent = centre.agent("201").ready()
    agent.answers()
    finishes(centre, 1)


def test_killed_while_it_rings_the_ringing_ends_and_it_is_dialled_later(kept: Any) -> None:
    centre = kept()
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    brought(centre, centre.agent("201"))
    line = dialled(centre, 1)
    again(centre)
    assert line.ended is not None
    centre.clock.advance(70)
    brought(centre, centre.agent("201"))
    finishes(centre, 2)


def test_answered_while_no_engine_was_there_it_is_led_all_the_same(kept: Any) -> None:
    centre = kept()
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    brought(centre, centre.agent("201"))
    line = dialled(centre, 1)
    centre.engine.kill()
    line.answer()
    centre.engine.start()
    assert said(centre, line) == "callback_connecting"
    centre.clock.advance(12)
    assert centre.agent("201").state == "talking"
    over(centre)
    assert centre.one("callbacks")["state"] == "done"
    assert len(centre.simulator.lines) == 1


def test_killed_in_the_greeting_the_two_are_connected_by_the_next_engine(kept: Any) -> None:
    centre = kept()
    centre.simulator.line_answers = lambda number: None
    promised(centre)
    brought(centre, centre.agent("201"))
    line = dialled(centre, 1)
    line.answer()
    assert said(centre, line) == "callback_connecting"
    again(centre)
    centre.clock.advance(12)
    assert centre.agent("201").state == "talking"
    over(centre)
    assert centre.one("callbacks")["state"] == "done"
    assert len(centre.simulator.lines) == 1


def test_killed_in_the_talk_it_goes_on_and_is_done(kept: Any) -> None:
    centre = kept()
    promised(centre)
    brought(centre, centre.agent("201"))
    centre.clock.advance(12)
    assert centre.agent("201").state == "talking"
    again(centre)
    assert centre.agent("201").state == "talking"
    over(centre)
    assert centre.one("callbacks")["state"] == "done"


def test_who_is_owed_a_call_when_the_queue_closes_is_told(home: Home, centre_of: Any) -> None:
    made = desk_home(home, WAITING, "groups:\n  lead: {ways: [{phone: 1002}]}\n")
    agents = made.folder / "conf" / "agents.yaml"
    text = agents.read_text(encoding="utf-8")
    agents.write_text(text.replace("agents:\n", "rules: {tell: lead}\nagents:\n", 1), encoding="utf-8")
    centre = centre_of(made)
    for agent in ("201", "202"):
        centre.agent(agent).pauses("meal")
    promised(centre)
    centre.app.acd.close_queue("desk", "fire", by="lead")
    centre.clock.advance(2)
    (row,) = centre.journal(kind="queue.owes")
    assert (row.queue, row.data["owed"]) == ("desk", 1)
    (notice,) = centre.rows("notices")
    assert (notice["group"], notice["prompt"]) == ("lead", "callbacks_owed")
    assert json.loads(notice["values"])["count"] == 1
    # Again on the same evening (another reason, a restart): it was said.
    centre.app.acd.open_queue("desk")
    centre.app.acd.close_queue("desk", "storm")
    centre.clock.advance(2)
    assert len(centre.rows("notices")) == 1


def test_a_queue_that_closes_owing_nobody_says_nothing(kept: Any) -> None:
    centre = kept()
    centre.app.acd.close_queue("desk", "fire")
    centre.clock.advance(2)
    assert centre.journal(kind="queue.closed")
    assert not centre.journal(kind="queue.owes")
