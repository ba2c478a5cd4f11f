"""What travels on the channel: a call's state, and the values in it, as text and back."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from engine.calls.state import LIMIT, StateTooLarge, StateUnreadable, decode, encode
from engine.flows.packing import pack, unpack

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_a_state_comes_back_as_it_was_and_no_sign_of_it_means_anything_to_the_switch(
    state: dict[str, Any],
) -> None:
    try:
        text = encode(state)
    except StateTooLarge:
        return
    assert re.fullmatch(r"[A-Za-z0-9_.:=/+~-]+", text)
    assert len(text) <= LIMIT
    assert decode(text) == state


def test_a_state_that_is_too_large_is_refused_at_the_limit_and_not_before() -> None:
    plain = LIMIT - len("x:")
    assert len(encode({"x": "y" * plain})) == LIMIT
    with pytest.raises(StateTooLarge):
        encode({"x": "y" * (plain + 1)})
    packed = (LIMIT - len("_:")) * 3 // 4 - len(orjson.dumps({"x": " "}))
    assert LIMIT - 2 <= len(encode({"x": " " + "y" * packed})) <= LIMIT
    with pytest.raises(StateTooLarge):
        encode({"x": " " + "y" * (packed + 1)})


def test_what_every_step_keeps_stays_short_and_can_be_read_by_people() -> None:
    """The switch reads it byte by byte."""
    state = {
        "h": "3f9ac1d2e4b5",
        "f": "logistics/main",
        "b": "track",
        "s": 2,
        "v": 7,
        "l": "zh-CN",
        "e": "3a-1f",
    }
    assert encode(state) == "h:3f9ac1d2e4b5~f:logistics/main~b:track~s=2~v=7~l:zh-CN~e:3a-1f"


@given(st.text(max_size=40))
def test_what_is_no_state_is_unreadable_and_never_anything_else(text: str) -> None:
    try:
        assert isinstance(decode(text), dict)
    except StateUnreadable:
        pass


@pytest.mark.parametrize("text", ["", "!", "bnVsbA", "W10", "eyJh", "${system}", "eyJoIjoi" * 3])
def test_foreign_and_truncated_text_is_unreadable(text: str) -> None:
    with pytest.raises(StateUnreadable):
        decode(text)


@given(st.binary(max_size=60), st.integers(0, 80))
def test_a_state_cut_off_anywhere_is_unreadable_or_shorter_but_never_a_crash(junk: bytes, at: int) -> None:
    text = encode({"h": junk.hex(), "v": 1})
    try:
        decode(text[:at])
    except StateUnreadable:
        pass


ZONE = timezone(timedelta(hours=8))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.dates()
    | st.datetimes(timezones=st.sampled_from([None, ZONE]))
    | st.times()
    | st.integers(-(10**6), 10**6).map(lambda seconds: timedelta(seconds=seconds)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
def test_every_value_that_a_flow_can_have_comes_back_through_json(value: Any) -> None:
    back = unpack(orjson.loads(orjson.dumps(pack(value))))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("key", ["$n", "$t", "$d", "$c", "$s", "$m", "$", "$$n"])
@pytest.mark.parametrize("inner", ["1", "not a number", 5, None, {"$n": "2"}])
def test_a_mapping_that_looks_like_one_of_ours_stays_a_mapping(key: str, inner: Any) -> None:
    assert unpack(orjson.loads(orjson.dumps(pack({key: inner})))) == {key: inner}


class Shipment(BaseModel):
    number: str
    weight: Decimal
    due: date
    left: time
    seen: list[datetime]


def test_a_record_comes_back_as_its_fields() -> None:
    seen = [datetime(2026, 11, 23, 9, 0, tzinfo=ZONE)]
    shipment = Shipment(
        number="1", weight=Decimal("2.50"), due=date(2026, 11, 24), left=time(8, 30), seen=seen
    )
    assert unpack(orjson.loads(orjson.dumps(pack(shipment)))) == shipment.model_dump()


def test_what_no_flow_can_have_is_refused() -> None:
    for odd in (object(), b"bytes", {1: object()}):
        with pytest.raises(TypeError):
            pack(odd)
