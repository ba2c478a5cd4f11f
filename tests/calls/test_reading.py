"""What a caller typed, as what it should be: nothing is guessed, and no keys crash it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.flows.reading import read
from engine.flows.steps.collect import Collect

FORMS = ["digits", "number", "money", "date", "month", "time", "phone", "code", "pin"]


def collect(form: str, **more: Any) -> Collect:
    return Collect.model_validate({"into": "x", "as": form, "prompt": "Type it.", "give_up": "end", **more})


def value(step: Collect, typed: str, **scope: Any) -> Any:
    given_ = read(step, typed, scope)
    return None if given_ is None else given_.value


@given(st.sampled_from(FORMS), st.text("0123456789*#", max_size=20))
def test_any_keys_are_a_value_of_the_form_or_none_at_all(form: str, typed: str) -> None:
    found = value(collect(form), typed)
    kinds = {"number": Decimal, "money": Decimal, "date": date, "month": date, "time": time}
    assert found is None or isinstance(found, kinds.get(form, str))
    if form in ("digits", "phone", "code", "pin") and found is not None:
        assert found == typed


@given(st.dates(min_value=date(1000, 1, 1)))
def test_every_day_can_be_typed(day: date) -> None:
    assert value(collect("date"), day.strftime("%Y%m%d")) == day
    assert value(collect("month"), day.strftime("%Y%m")) == day.replace(day=1)


@given(st.integers(0, 999_999_999), st.integers(0, 99))
def test_every_amount_can_be_typed(whole: int, cents: int) -> None:
    assert value(collect("money"), f"{whole}*{cents:02d}") == Decimal(whole) + Decimal(cents) / 100


@pytest.mark.parametrize("typed", ["20260230", "00000101", "20261301", "2026110", "202611235", ""])
def test_a_day_that_is_none_is_refused(typed: str) -> None:
    assert value(collect("date"), typed) is None


@pytest.mark.parametrize("typed", ["²", "١٢", "1 2", "+5", "-5", "1e5", "1_0"])
def test_digits_are_the_keys_of_a_phone_and_nothing_else(typed: str) -> None:
    for form in ("digits", "number", "money"):
        assert value(collect(form), typed) is None


@pytest.mark.parametrize(
    ("form", "bounds", "typed", "good"),
    [
        ("date", {"not_before": "2026-11-23"}, "20261123", True),
        ("date", {"not_before": "2026-11-23"}, "20261122", False),
        ("date", {"not_after": "{day}"}, "20261123", True),
        ("date", {"not_after": "{day}"}, "20261124", False),
        ("date", {"not_after": "{moment}"}, "20261124", False),
        ("month", {"not_before": "2026-11-23"}, "202611", True),
        ("month", {"not_before": "2026-11-23"}, "202610", False),
        ("time", {"not_before": "{moment}"}, "0930", True),
        ("time", {"not_before": "{moment}"}, "0929", False),
        ("time", {"not_after": "17:30"}, "1731", False),
    ],
)
def test_bounds_are_text_days_or_moments(form: str, bounds: dict[str, str], typed: str, good: bool) -> None:
    scope = {"day": date(2026, 11, 23), "moment": datetime(2026, 11, 23, 9, 30, tzinfo=UTC)}
    assert (value(collect(form, **bounds), typed, **scope) is not None) is good
