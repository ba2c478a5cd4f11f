"""When a shipment will arrive: a window, and what it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from engine.api import Digits, Record

from .adapters import Shipment

#: lane: from how long shipments on the same way took; promise: from the promised time alone.
Basis = Literal["lane", "promise"]
BASES: Final[tuple[str, ...]] = get_args(Basis)

ENOUGH: Final = 5
"""So many shipments make a window; with fewer the promised time is told."""
WIDTH: Final = timedelta(hours=6)
"""How long before the promised time a shipment may come."""


class Window(Record):
    """A shipment will arrive between ``earliest`` and ``latest``."""

    number: Digits
    earliest: datetime
    latest: datetime
    basis: Basis
    shipments: int  # of how many shipments it was made; 0 for the promised time


def window(shipment: Shipment, took: Sequence[int], now: datetime) -> Window | None:
    """The window of a shipment that is on its way; ``took`` as WaybillSystem.took gives it. None when nobody can tell:
    something stands in its way, another carrier has it, or its time is over already.

    Of what took place four of five times: from the time that the fastest fifth needed to that of the slowest tenth.
    """
    if shipment.state == "delivered" or shipment.problem != "none" or shipment.handed_to:
        return None
    if shipment.collected is not None and len(took) >= ENOUGH:
        hours = sorted(took)
        earliest = shipment.collected + timedelta(hours=_share(hours, 20))
        latest = shipment.collected + timedelta(hours=_share(hours, 90) + 1)  # `took` counts whole hours
        if latest > now:
            return Window(
                number=shipment.number,
                earliest=max(earliest, now),
                latest=latest,
                basis="lane",
                shipments=len(hours),
            )
    if shipment.due > now:
        return Window(
            number=shipment.number,
            earliest=max(now, shipment.due - WIDTH),
            latest=shipment.due,
            basis="promise",
            shipments=0,
        )
    return None


def _share(ordered: Sequence[int], percent: int) -> int:
    """The least value that so many percent don't exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def verdict(earliest: datetime, latest: datetime, came: datetime | None, now: datetime) -> tuple[str, int]:
    """How a window compares with the truth: ``(word, hours)``: in_time, early or late by so many hours (rounded up),
    open (neither came nor is its time over)."""
    if came is None:
        if now <= latest:
            return "open", 0
        return "late", _hours(now - latest)
    if came < earliest:
        return "early", _hours(earliest - came)
    return ("late", _hours(came - latest)) if came > latest else ("in_time", 0)


def _hours(length: timedelta) -> int:
    return -int(-length.total_seconds() // 3600)
