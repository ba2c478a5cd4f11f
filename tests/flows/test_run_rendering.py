"""A prompt that is heard for the first time has to be rendered; what a fast caller presses meanwhile counts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.shop import Shop


def slow(centre: Any, seconds: float = 2.0) -> None:
    """Every prompt takes so long to be rendered."""
    prompts = centre.app.prompts
    render = prompts.utterance

    def utterance(*asked: Any) -> Any:
        centre.virtual.sleep(seconds)
        return render(*asked)

    prompts.utterance = utterance


FLOW = """
greet:
  - answer
  - {step}
one:
  - play: {{prompt: One., interrupt: false}}
  - hangup
end:
  - play: {{prompt: Nothing., interrupt: false}}
  - hangup
"""


@pytest.mark.parametrize(
    ("step", "keys", "heard"),
    [
        ("menu: {prompt: Press one., options: {1: one}, give_up: end}", "1", "One."),
        ("say: Hello.\n  - menu: {prompt: Press one., options: {1: one}, give_up: end}", "1", "One."),
        (
            "collect: {into: n, as: digits, length: 3, end: none, prompt: Type., give_up: end}\n  - go: one",
            "123",
            "One.",
        ),
    ],
)
def test_keys_that_are_pressed_while_a_prompt_is_rendered_count(
    shop: Shop, step: str, keys: str, heard: str
) -> None:
    centre = shop(FLOW.format(step=step))
    slow(centre)
    caller = centre.caller().dials("8000")
    centre.clock.advance("1s")
    caller.presses(keys).hears(heard)
    assert caller.ended == "NORMAL_CLEARING"


def test_keys_that_begin_a_number_are_kept_and_the_rest_is_waited_for(shop: Shop) -> None:
    step = "collect: {into: n, as: digits, length: 4, end: none, prompt: Type., give_up: end}\n  - go: one"
    centre = shop(FLOW.format(step=step))
    slow(centre)
    caller = centre.caller().dials("8000")
    centre.clock.advance("1s")
    caller.presses("12")
    centre.clock.advance("2s")
    caller.presses("34").hears("One.")
