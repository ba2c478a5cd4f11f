"""Every kind of step has an example, and the conversation that it shows is had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.flows.examples import Example, example_of
from engine.flows.steps import STEPS
from engine.testing.examples import converse, example_home
from engine.testing.home import Home


def _example(word: str) -> Example:
    example, faults = example_of(STEPS[word])
    assert faults == []
    assert example is not None, f"{word} has no example"
    return example


@pytest.mark.parametrize("word", STEPS)
def test_the_conversation_of_a_steps_example_is_had(
    word: str, home: Home, centre_of: Callable[..., Any]
) -> None:
    example = _example(word)
    assert f"{word}" in example.flow or word == "return"
    converse(centre_of(example_home(home, example)), example)


@pytest.mark.parametrize("word", STEPS)
def test_an_example_shows_its_step_and_ends(word: str) -> None:
    example = _example(word)
    shown = example.flow + "".join(example.files.values())
    assert f"- {word}" in shown or f"{word}:" in shown
    assert example.talk[-1][0] == "ends"
