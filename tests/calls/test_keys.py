"""The keys of a talk: what stands in the file, what is refused, what is bound."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.calls.keys import ACTIONS, KeyPlan, bind

LEG = "12345678-1234-1234-1234-123456789012"


def test_each_action_is_bound_to_its_keys_and_none_takes_it_off() -> None:
    plan = KeyPlan.model_validate({"hold": "*9", "conference": "none"})
    said = [command.body for command in bind(LEG, plan)]
    hold = "talk,*9,exec[i]:event,'Event-Subclass=il::key,Event-Name=CUSTOM,il_key=hold'"
    assert sum(line.startswith(hold) for line in said) == 1
    assert [line.split(",")[:2] for line in said] == [
        ["transfer", "~^[0-9*#]$"],
        ["consult", "~^[0-9*#]$"],
        ["talk", "*9"],
        ["talk", "*2"],
        ["talk", "*5"],
        ["talk", "*4"],
        ["talk"],
    ]  # whatever was bound or chosen before, the ordinary keys count
    assert said[3] == "talk,*2,exec[i]:digit_action_set_realm,transfer,self,self"
    assert not any("conference" in line for line in said)


def test_where_no_action_has_keys_nothing_is_bound() -> None:
    assert bind(LEG, KeyPlan.model_validate(dict.fromkeys(ACTIONS, "none"))) == []


def test_an_action_without_keys_needs_no_realm_for_its_target() -> None:
    said = [command.body for command in bind(LEG, KeyPlan.model_validate({"consult": "none"}))]
    assert [line for line in said if line.startswith("consult")] == []


@pytest.mark.parametrize("keys", ["1", "*", "*a", "12", "*12345", "##"])
def test_keys_that_an_agent_may_press_for_something_else_are_refused(keys: str) -> None:
    with pytest.raises(ValidationError):
        KeyPlan.model_validate({"hold": keys})


def test_two_actions_that_begin_alike_are_refused() -> None:
    with pytest.raises(ValidationError, match="begin alike"):
        KeyPlan.model_validate({"hold": "*2"})
    with pytest.raises(ValidationError, match="begin alike"):
        KeyPlan.model_validate({"hold": "*21"})
