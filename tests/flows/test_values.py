from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from engine.flows.scope import UnknownName
from engine.flows.values import Val, parse_value

SCOPE = {"n": 5, "order": {"total": Decimal("36.00"), "lines": ["a"]}}


def test_a_value_alone_in_braces_keeps_its_type() -> None:
    assert parse_value("{order.lines}").get(SCOPE) is SCOPE["order"]["lines"]  # type: ignore[index]
    assert parse_value("{n}").get(SCOPE) == 5


def test_a_value_within_text_is_formatted() -> None:
    def say(value: Any, form: str) -> str:
        return f"<{value}|{form}>"

    assert parse_value("no. {n:digits} of {order.total}").get(SCOPE, say) == "no. <5|digits> of <36.00|>"
    assert parse_value("no. {n:digits}").get(SCOPE) == "no. 5"
    assert parse_value("{n:digits}").get(SCOPE) == "5"


def test_an_equals_sign_begins_an_expression() -> None:
    assert parse_value("= n + 1").get(SCOPE) == 6
    assert parse_value("= order.total * 2").get(SCOPE) == Decimal("72.00")


def test_everything_else_is_the_text_that_was_typed() -> None:
    assert parse_value("3").get(SCOPE) == "3"
    assert parse_value("a {{b}}").get(SCOPE) == "a {b}"
    assert parse_value("").get(SCOPE) == ""


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(UnknownName):
        parse_value("{order.none}").get(SCOPE)


def test_a_value_tells_what_it_reads_and_where() -> None:
    assert [(use.path, use.offset) for use in parse_value("a {n} b {order.total:money}").uses] == [
        (("n",), 2),
        (("order", "total"), 8),
    ]
    assert [(use.path, use.offset) for use in parse_value("= 1 + n").uses] == [(("n",), 6)]
    assert parse_value("text").uses == ()


def test_a_field_of_values_refuses_what_is_none() -> None:
    class Shape(BaseModel):
        value: Val

    assert Shape(value="= n + 1").value.get(SCOPE) == 6  # type: ignore[arg-type]
    for wrong in ("= n +", "{n", "{N}", ["a"], None):
        with pytest.raises(ValidationError):
            Shape.model_validate({"value": wrong})
