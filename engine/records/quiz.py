"""The short quiz behind what must be read: questions with numbered choices, one of them right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.errors import WrongState

MOST: Final = 9
"""Choices of a question: each one is a key of the phone."""


def check_quiz(id: str, quiz: Sequence[Mapping[str, Any]]) -> None:
    """:class:`WrongState` for what is no quiz: ``[{ask: …, choices: […, …], right: 1}]``."""
    for number, one in enumerate(quiz, 1):
        where = f"{id}: question {number} of the quiz"
        if set(one) != {"ask", "choices", "right"}:
            raise WrongState(f"{where} has ask, choices and right")
        choices = one["choices"]
        if not isinstance(choices, list) or not 2 <= len(choices) <= MOST:
            raise WrongState(f"{where} has 2 to {MOST} choices")
        right = one["right"]
        if isinstance(right, bool) or not isinstance(right, int) or not 1 <= right <= len(choices):
            raise WrongState(f"{where}: `right` is the number of the right choice, 1 to {len(choices)}")
        if not all(isinstance(text, str) and text.strip() for text in (one["ask"], *choices)):
            raise WrongState(f"{where} has an empty text")


def marked(quiz: Sequence[Mapping[str, Any]], answers: Sequence[int]) -> tuple[int, int]:
    """How many answers (numbers of choices, from 1) are right, and of how many questions. :class:`WrongState` when
    there are more or fewer answers than questions, or one is no choice."""
    if len(answers) != len(quiz):
        asks = "1 question" if len(quiz) == 1 else f"{len(quiz)} questions"
        raise WrongState(f"the quiz has {asks}, and not {len(answers)}")
    for number, (one, choice) in enumerate(zip(quiz, answers, strict=True), 1):
        if not 1 <= choice <= len(one["choices"]):
            raise WrongState(
                f"question {number} has the choices 1 to {len(one['choices'])}, and not {choice}"
            )
    return sum(one["right"] == given for one, given in zip(quiz, answers, strict=True)), len(quiz)
