"""The survey behind a talk: three questions, by a flow that others run."""

from __future__ import annotations

from typing import Any


def test_a_caller_answers_three_questions_by_keys(centre: Any, seed: Any) -> None:
    seed.party(kind="dealer", name="A", code="90000001", numbers=("+8613800000091",))
    centre.number("7001", "common/survey")
    caller = centre.caller(number="+8613800000091").dials("7001")
    caller.hears("rate_solution").presses("4")
    caller.hears("rate_attitude").presses("5")
    caller.hears("rate_effort").presses("2")
    caller.hears("rate_thanks")
    assert caller.ended
    found = {row["question"]: row["score"] for row in centre.rows("ratings")}
    assert found == {"solution": 4, "attitude": 5, "effort": 2}


def test_who_hangs_up_between_two_questions_has_answered_the_first(centre: Any) -> None:
    centre.number("7001", "common/survey")
    caller = centre.caller().dials("7001")
    caller.hears("rate_solution").presses("1")
    caller.hears("rate_attitude").hangs_up()
    [rating] = centre.rows("ratings")
    assert (rating["question"], rating["score"], rating["call"]) == ("solution", 1, caller.uuid)


def test_who_says_nothing_to_a_later_question_is_thanked(centre: Any) -> None:
    centre.number("7001", "common/survey")
    caller = centre.caller().dials("7001")
    caller.hears("rate_solution").presses("3")
    caller.hears("rate_attitude").stays_silent()
    caller.hears("silent").hears("rate_attitude").stays_silent()
    caller.hears("rate_thanks")


def test_a_caller_who_has_no_answer_is_not_held(centre: Any) -> None:
    centre.number("7001", "common/survey")
    caller = centre.caller().dials("7001")
    caller.hears("rate_solution").stays_silent()
    caller.hears("silent")
    caller.hears("rate_solution").stays_silent()
    assert caller.ended
    assert centre.rows("ratings") == []
