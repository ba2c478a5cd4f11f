from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from engine.schema import fields
from engine.schema.fields import Hours, Span, is_prompt_key


def read(kind: Any, text: object) -> Any:
    return TypeAdapter(kind).validate_python(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("5s", 5.0),
        ("10m", 600.0),
        ("2h", 7200.0),
        ("90d", 7776000.0),
        ("1.1s", 1.1),
        ("300ms", 0.3),
        ("0s", 0.0),
    ],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert read(fields.Duration, text) == seconds


@pytest.mark.parametrize(
    "text", ["5", "", "s", "-5s", "5 s", "5min", "1h30m", "٥s", "1e3s", "infs", "nan", ["5s"], True]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        read(fields.Duration, text)


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_any_whole_number_of_units_is_a_duration(number: int, unit: str) -> None:
    factor = {"ms": Decimal("0.001"), "s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    assert read(fields.Duration, f"{number}{unit}") == float(number * factor)


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=12))
def test_any_other_text_is_refused_and_never_crashes(text: str) -> None:
    for kind in (
        fields.Duration,
        fields.Length,
        fields.OpenHours,
        fields.ClockTime,
        fields.Day,
        fields.Number,
    ):
        try:
            read(kind, text)
        except ValidationError:
            continue


@pytest.mark.parametrize(
    ("text", "key"), [("1", "1"), ("0", "0"), ("star", "*"), ("*", "*"), ("hash", "#"), ("#", "#")]
)
def test_keys_of_the_phone_have_names(text: str, key: str) -> None:
    assert read(fields.Key, text) == key


@pytest.mark.parametrize("text", ["10", "A", "", "pound", "*1"])
def test_other_keys_there_are_not(text: str) -> None:
    with pytest.raises(ValidationError):
        read(fields.Key, text)


def test_lengths_hours_and_times_are_read() -> None:
    assert read(fields.Length, "8") == Span(8, 8)
    assert read(fields.Length, "8-14") == Span(8, 14)
    assert read(fields.OpenHours, "08:30-12:00") == Hours(510, 720)
    assert read(fields.OpenHours, "22:00-24:00") == Hours(1320, 1440)
    assert read(fields.ClockTime, "8:05") == time(8, 5)
    assert read(fields.Day, "2026-10-01") == date(2026, 10, 1)
    assert read(fields.Moment, "2026-11-22 14:00") == datetime(2026, 11, 22, 14, 0)  # noqa: DTZ001 - a local time
    assert read(fields.Share, "60%") == 0.6
    assert read(fields.Number, "1.10") == Decimal("1.10")
    assert read(fields.Flag, "no") is False


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (fields.Length, "14-8"),
        (fields.Length, "0"),
        (fields.OpenHours, "12:00-08:30"),
        (fields.OpenHours, "08:60-12:00"),
        (fields.OpenHours, "08:30-25:00"),
        (fields.Day, "2026-02-30"),
        (fields.Moment, "2026-11-22 24:00"),
        (fields.Share, "101%"),
        (fields.Number, "12e5"),
        (fields.Positive, "0"),
        (fields.Flag, "maybe"),
        (fields.Name, "_x"),
        (fields.Name, "Waybill"),
        (fields.FlowRef, "main"),
        (fields.Text, "  "),
    ],
)
def test_what_can_not_be_is_refused(kind: Any, text: str) -> None:
    with pytest.raises(ValidationError):
        read(kind, text)


def test_a_prompt_is_a_key_or_a_text() -> None:
    assert is_prompt_key("orders/enter_pin")
    assert not is_prompt_key("Press 1")
    assert not is_prompt_key("欢迎")
