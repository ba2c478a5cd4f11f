"""The sorted list under every queue, against Python's own sorting."""

from __future__ import annotations

import bisect
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.acd import ordered
from engine.acd.ordered import Ordered


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordered, "LOAD", 4)


@given(st.lists(st.integers(0, 200), unique=True), st.data())
def test_it_is_sorted_and_knows_every_place_whatever_is_added_and_removed(numbers, data) -> None:
    line: Ordered[tuple[int]] = Ordered()
    for number in numbers:
        line.add((number,))
    gone = set(data.draw(st.lists(st.sampled_from(numbers), unique=True))) if numbers else set()
    for number in sorted(gone, key=str):
        line.remove((number,))
    left = sorted(set(numbers) - gone)
    assert list(line) == [(number,) for number in left]
    assert len(line) == len(left)
    if left:
        assert line.first() == (left[0],)
    for number in range(-1, 202, 7):
        assert line.rank((number,)) == bisect.bisect_left(left, number)


def test_what_is_not_there_cannot_be_removed() -> None:
    line: Ordered[tuple[int]] = Ordered()
    with pytest.raises(KeyError):
        line.remove((1,))
    line.add((1,))
    line.add((3,))
    for absent in (0, 2, 4):
        with pytest.raises(KeyError):
            line.remove((absent,))
    assert list(line) == [(1,), (3,)]
    line.remove((1,))
    line.remove((3,))
    with pytest.raises(IndexError):
        line.first()


def test_a_long_line_is_emptied_from_the_front_in_order() -> None:
    numbers = list(range(5000))
    random.Random(1).shuffle(numbers)
    line: Ordered[tuple[int]] = Ordered()
    for number in numbers:
        line.add((number,))
    for number in range(5000):
        assert line.first() == (number,)
        line.remove((number,))
    assert len(line) == 0
