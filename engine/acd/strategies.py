"""Who of the free agents is called first: each strategy gives an agent its rank in a queue.

A rank is a number made when the agent becomes free; lower is first, and tiers come before ranks. So a
decision never sorts anything. A strategy that must look at the caller too (most skilled) or at everybody
at once (ring all) will need more than a rank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Record:
    """What a strategy may know of an agent. Times are the clock's monotonic seconds."""

    idle_since: float  # when it last had anything to do; a missed call counts


Strategy = Callable[[Record], float]


def longest_idle(record: Record) -> float:
    """The one first who has had nothing to do for longest."""
    return record.idle_since


AVAILABLE: Mapping[str, Strategy] = MappingProxyType({"longest_idle": longest_idle})

# Names that files may not use yet, so that a reader of the fault knows that they are no misspelling.
PLANNED = frozenset(
    {"most_skilled", "least_talk", "fewest_calls", "round_robin", "top_down", "random", "ring_all"}
)
