"""Ordinary conversations with the experts' line, at each of whose commands three engines die: one question, one draft,
one ticket for each of them."""

from __future__ import annotations

from typing import Any

import pytest

from engine.flows.run import Run
from engine.testing.killer import Killer


def test_whenever_an_engine_dies_there_is_one_question(
    centre: Any, seed: Any, first_line: Any, only: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Killer(centre) as killer:
        _answered_by_the_standard(centre, first_line)
        _talk_and_marks(centre, first_line, only)
        _dictated(centre, first_line)
        _told(centre, seed, first_line)
        _closed_three_ways(centre, seed)
        _called_back(centre, seed, monkeypatch)
    assert killer.spared("expert") == []


def _answered_by_the_standard(centre: Any, first_line: Any) -> None:
    caller = first_line.named().presses("3")
    caller.hears_next()
    caller.hears("knowledge_solved").presses("1")
    caller.hears("expert/glad")
    caller.hears("expert/another_question").hangs_up()
    [row] = centre.rows("expert.questions")
    assert (row.staff, row.topic, row.disposition, row.answer) == ("60101", "credit", "heard", "3501")


def _talk_and_marks(centre: Any, first_line: Any, only: Any) -> None:
    expert = only("8034")
    caller = first_line.waits("systems", "60201", holding=True)
    expert.is_offered(caller).answers()
    centre.clock.advance("20s")
    expert.hangs_up()
    for name, mark in zip(("solution", "attitude", "effort"), "543", strict=True):
        caller.hears(f"expert/rate_{name}").presses(mark)
    caller.hears("rate_thanks")
    caller.hears("expert/another_question").hangs_up()
    row = centre.one("expert.questions", staff="60201")
    assert (row.expert, row.holding, row.solution, row.attitude, row.effort) == ("8034", True, 5, 4, 3)


def _dictated(centre: Any, first_line: Any) -> None:
    """The answer did not help, nobody is there, and the question is left in own words."""
    for one in ("8031", "8032", "8033", "8034", "8035", "8036"):
        centre.agent(one).logs_out()
    caller = first_line.asks("credit", "60301")
    caller.hears("expert/customer_on_hold").presses("2")
    caller.hears("connecting")
    caller.hears("expert/no_expert")
    caller.hears("expert/later").presses("1")
    caller.says("5s").hears("expert/say_question").hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("expert/no_call_back")
    caller.hangs_up()
    row = centre.one("expert.questions", staff="60301")
    assert (row.heard, bool(row.clip), row.holding) == ("3501", True, False)


def _told(centre: Any, seed: Any, first_line: Any) -> None:
    seed.questions(
        call="gap", asked=centre.virtual.now(), staff="60102", topic="credit", draft="3501", disposition="gap"
    )
    caller = first_line.opened().presses("60102#")
    caller.hears("expert/welcome")
    caller.hears("expert/news_entry")
    caller.hears("expert/which_topic").hangs_up()
    assert centre.one("expert.questions", call="gap").told is not None


def _closed_three_ways(centre: Any, seed: Any) -> None:
    centre.agent("8035").ready()
    for key, more in (("1", "3501#"), ("2", ""), ("3", "")):
        seed.questions(
            call=f"talk {key}",
            asked=centre.virtual.now(),
            topic="credit",
            expert="8035",
            last_expert="8035",
            staff="60101",
        )
        caller = centre.caller(number="1035", origin="internal").dials("*26")
        caller.hears("expert/question_is")
        caller.hears("expert/how_closed").presses(key)
        if more:
            caller.hears("expert/enter_answer").presses(more)
            caller.hears("expert/answer_is")
            caller.hears("expert/this_answer").presses("1")
            caller.hears("expert/closed_with_answer")
        elif key == "2":
            caller.says("4s").hears("expert/say_gap").hears_beep()
            caller.hears("expert/closed_as_gap")
        else:
            caller.hears("expert/closed_with_ticket")
        caller.hangs_up()
    closed = {
        row.call: row.disposition for row in centre.rows("expert.questions") if row.call.startswith("talk ")
    }
    assert closed == {"talk 1": "answer", "talk 2": "gap", "talk 3": "ticket"}
    assert len([one for one in centre.rows("knowledge") if one["state"] == "draft"]) == 1
    assert len([one for one in centre.rows("tickets") if one["department"] == "expert"]) == 1


def _called_back(centre: Any, seed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine that calls back begins the flow with what it was told; here the caller dials."""
    seed.questions(call="first", asked=centre.virtual.now(), topic="claims", staff="60401")
    centre.number("8999", "expert/callback_expert")
    told = {"skill": "claims", "staff": "60401", "name": "蒋春燕", "branch": "x", "topic": "理赔"}
    callback = {"id": "x", "call": "first", "queue": "expert", "data": told}
    start = Run.start
    monkeypatch.setattr(Run, "start", lambda run, flow, params=None: start(run, flow, {"callback": callback}))
    caller = centre.caller().dials("8999")
    caller.hears("expert/calling_back").presses("1")
    caller.hears("expert/no_expert").hangs_up()
    assert centre.one("expert.questions", call="first").called_back == caller.uuid
    caller = centre.caller().dials("8999")
    caller.hears("expert/calling_back").presses("2")
    caller.hears("bye")
    row = centre.one("expert.questions", call="first")
    assert (row.disposition, row.closed_by) == ("none", "caller")
