"""The survey behind a talk: one question, by a flow that others run."""

from __future__ import annotations

from typing import Any


def test_a_caller_who_is_asked_answers_by_a_key(centre: Any) -> None:
    centre.number("7001", "common/survey")
    caller = centre.caller().dials("7001")
    caller.hears("rate_service").presses("4")
    caller.hears("rate_thanks")
    assert caller.ended
    [rating] = centre.rows("ratings", question="service")
    assert rating["score"] == 4


def test_a_caller_who_has_no_answer_is_not_held(centre: Any) -> None:
    centre.number("7001", "common/survey")
    caller = centre.caller().dials("7001")
    caller.hears("rate_service").stays_silent()
    caller.hears("silent")
    caller.hears("rate_service").stays_silent()
    assert caller.ended
    assert centre.rows("ratings", question="service") == []
