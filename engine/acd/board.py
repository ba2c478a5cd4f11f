"""The board: who waits, who is free, and who takes whom.

The board is the one place where the state of all queues and agents meets, and the only thing that has to
be shared when one queue spans several nodes. So it is small, knows plain values only (ids, numbers,
names), takes no time and starts nothing. ``MemoryBoard`` is the implementation for one node; a shared one
must pass the same tests (``tests/acd/test_board.py``).

The rule that every board holds:

- A caller stands in one queue. Order in a queue: higher priority first, then the one that has waited longest.
- An agent serves several queues, each on a tier (1 is nearest). A free agent takes from the queues of its
  lowest tier that hold somebody it can serve; among those, the first in order.
- A caller takes, of the agents that are free and able, one of the lowest tier in that queue; among those the
  one of the lowest rank, which the queue's strategy decides (``engine.acd.strategies``).
- Able means: for each thing that the caller needs, the agent has at least that level.
- A match reserves both at once: the agent is no longer free and the caller is no longer offered to anyone
  else, but keeps its place until it is taken or put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Needs = tuple[tuple[str, int], ...]  # ("skill:waybill", 2), …, sorted: what an agent must have, and how much

SKILL = "skill:"
LANGUAGE = "language:"


def needs(skills: Mapping[str, int], language: str = "") -> Needs:
    """What a caller needs, in one form, so that equal needs compare equal. Levels below 1 ask nothing."""
    asked = [(SKILL + name, level) for name, level in skills.items() if level > 0]
    if language:
        asked.append((LANGUAGE + language, 1))
    return tuple(sorted(asked))


def has(skills: Mapping[str, int], languages: Iterable[str]) -> dict[str, int]:
    """What an agent has, in the words of :func:`needs`."""
    levels = {SKILL + name: level for name, level in skills.items() if level > 0}
    levels.update((LANGUAGE + language, 1) for language in languages)
    return levels


@dataclass(frozen=True, slots=True)
class Seat:
    """What is fixed about an agent while it is on the board: its queues with their tiers, what it has."""

    agent: str
    queues: Mapping[str, int]
    has: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A caller's place: ``joined`` is the clock's monotonic time at which its wait began (restored waits
    included); ``prefer`` an agent that takes it if free and able, whatever its rank."""

    call: str
    queue: str
    joined: float
    priority: int = 0
    needs: Needs = ()
    prefer: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """One reservation, with what the board saw when it made it (for the journal's "why")."""

    call: str
    agent: str
    queue: str
    position: int  # of the caller in its queue; those before it are offered, or need what the agent has not
    free: int  # agents of the queue that were free, this one included
    able: int  # of these, how many could have served the caller


class Board(Protocol):
    """The state of queues and agents. Unknown ids raise KeyError: the caller's bookkeeping is wrong."""

    def seat(self, seat: Seat) -> None:
        """Put an agent on the board, or change what is known of it. It is absent and not free at first."""

    def unseat(self, agent: str) -> None:
        """Take an agent off the board."""

    def present(self, agent: str, here: bool) -> None:
        """The agent logged in or out. Presence is what :meth:`staffed` asks for, not freedom."""

    def free(self, agent: str, ranks: Mapping[str, float]) -> None:
        """The agent can take a call; ``ranks`` gives its rank in each of its queues, lower is first."""

    def busy(self, agent: str) -> None:
        """The agent can't take a call. Harmless when it already could not."""

    def join(self, ticket: Ticket) -> None:
        """A caller starts to wait."""

    def leave(self, call: str) -> None:
        """A caller is taken or gave up: it has no place any more, offered or not."""

    def claim(self, call: str) -> None:
        """Reserve a waiting caller for an offer that was made elsewhere (before a restart)."""

    def put_back(self, call: str) -> None:
        """An offer failed: the caller waits again, in the place that it had all along."""

    def match_agent(self, agent: str) -> Match | None:
        """The caller that this free agent must take, both reserved; None when it can serve none of them."""

    def match_call(self, call: str) -> Match | None:
        """The agent that this waiting caller must go to, both reserved; None when nobody free is able."""

    def position(self, call: str) -> int:
        """The caller's place in its queue, 1 is next, those being offered included."""

    def waiting(self, queue: str) -> int:
        """How many wait in the queue, those being offered included."""

    def line(self, queue: str) -> Iterator[Ticket]:
        """Those who wait, in order, those being offered included."""

    def staffed(self, call: str) -> int:
        """How many agents are logged in who could serve this caller."""

    def free_agents(self) -> list[str]:
        """All who are free, longest seated in that state first."""
