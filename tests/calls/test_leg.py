"""A leg: facts from signals, in whatever order and however often they come."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calls.leg import Leg
from engine.calls.signals import Answered, Bridged, Done, Gone, Key, Parked, Signal, Unbridged
from engine.clock import Empty, VirtualClock


@pytest.fixture(scope="module")
def clock() -> Iterator[VirtualClock]:
    made = VirtualClock()
    yield made
    made.close()


def told(leg: Leg) -> list[Signal]:
    found: list[Signal] = []
    while len(leg.inbox):
        found.append(leg.inbox.get(0))
    return found


def test_a_fact_holds_before_its_signal_is_read(clock: VirtualClock) -> None:
    leg = Leg("a", clock)
    leg.tell(Bridged("b"))
    assert (leg.peer, leg.bridged, leg.parked) == ("b", True, False)
    leg.tell(Parked())
    assert (leg.peer, leg.bridged, leg.parked) == ("", False, True)
    assert told(leg) == [Bridged("b"), Parked()]


def test_keys_are_kept_only_while_somebody_wants_them(clock: VirtualClock) -> None:
    leg = Leg("a", clock)
    leg.tell(Key("1"))
    leg.wants_keys = True
    leg.tell(Key("2"))
    assert told(leg) == [Key("2")]


def test_an_end_that_nobody_waits_for_is_not_told_and_each_is_told_once(clock: VirtualClock) -> None:
    leg = Leg("a", clock)
    leg.awaited.add("x")
    for event_uuid in ("y", "x", "x"):
        leg.tell(Done(event_uuid))
    assert told(leg) == [Done("x")]


SIGNALS = st.lists(
    st.sampled_from(
        [Answered(), Parked(), Bridged("b"), Bridged("c"), Unbridged("b"), Key("1"), Done("x"), Gone("A")]
    ),
    max_size=12,
)


@given(SIGNALS)
def test_nothing_follows_the_end_and_a_leg_is_never_parked_and_bridged(signals: list[Signal]) -> None:
    clock = VirtualClock()
    try:
        leg = Leg("a", clock)
        leg.wants_keys = True
        leg.awaited.add("x")
        for signal in signals:
            leg.tell(signal)
            assert not (leg.parked and leg.peer)
            assert leg.gone is None or (not leg.parked and not leg.peer)
        heard = told(leg)
        assert [signal for signal in heard if isinstance(signal, Gone)] == heard[-1:] * (Gone("A") in signals)
    finally:
        clock.close()


def test_a_mailbox_that_is_empty_says_so(clock: VirtualClock) -> None:
    with pytest.raises(Empty):
        Leg("a", clock).inbox.get(0)
