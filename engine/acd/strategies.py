"""Who of the free agents is called first: each strategy gives an agent its rank in a queue.

A rank is a number made when the agent becomes free; lower is first, and tiers come before ranks. So a
decision never sorts anything. Two strategies look further: ``most_skilled`` at what the caller asked for, and only
then at the rank; ``random`` at the dice. ``ring_all`` rings everybody who is free and able at once, and the rank
only says in which order the switch is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.acd.board import By

NEVER = -1e9
"""Before whatever a clock says, also of what an engine was told that ran before this machine was started."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a strategy may know of an agent. Times are the clock's monotonic seconds."""

    idle_since: float  # when it last had anything to do; a missed call counts
    talked: float = 0.0  # seconds of talk since it logged in, of all queues
    calls: int = 0  # talks since it logged in, of all queues
    offered: float = NEVER  # when it was last offered a call of this queue
    place: int = 0  # in agents.yaml, 0 is the first


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to choose. ``rank`` gives the number, ``by`` says how the board uses it."""

    rank: Callable[[Record], float]
    by: By = By.RANK
    rings_all: bool = False


def longest_idle(record: Record) -> float:
    """The one first who has had nothing to do for longest."""
    return record.idle_since


def least_talk(record: Record) -> float:
    """The one first who has talked least since it logged in."""
    return record.talked


def fewest_calls(record: Record) -> float:
    """The one first who has had the fewest talks since it logged in."""
    return record.calls


def round_robin(record: Record) -> float:
    """One after the other: the one first who was offered a call of this queue longest ago, answered or not."""
    return record.offered


def top_down(record: Record) -> float:
    """As they stand in agents.yaml."""
    return record.place


AVAILABLE: Mapping[str, Strategy] = MappingProxyType(
    {
        "longest_idle": Strategy(longest_idle),
        "most_skilled": Strategy(longest_idle, By.SKILL),
        "least_talk": Strategy(least_talk),
        "fewest_calls": Strategy(fewest_calls),
        "round_robin": Strategy(round_robin),
        "top_down": Strategy(top_down),
        "random": Strategy(longest_idle, By.CHANCE),
        "ring_all": Strategy(longest_idle, rings_all=True),
    }
)
