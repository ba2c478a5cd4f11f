"""The board: who waits, who is free, and who takes whom.

The board is the one place where the state of all queues and agents meets, and the only thing that has to
be shared when one queue spans several nodes. So it is small, knows plain values only (ids, numbers,
names), takes no time and starts nothing. ``MemoryBoard`` is the implementation for one node; a shared one
must pass the same tests (``tests/acd/test_board.py``).

The rule that every board holds:

- A caller stands in one queue. Its *turn* is the moment at which its wait began, less the head start that its
  priority gives it; order in a queue is by turn. So a caller ages while it waits, nobody's place ever has to be
  computed anew, and nobody starves: one can be overtaken only by those who come within its lack of head start.
- An agent serves several queues, each on a tier (1 is nearest). A free agent takes from the queues of its
  lowest tier that hold somebody it can serve; among those, the first by turn.
- A caller takes, of the agents that are free and able, one of the lowest tier in that queue; among those, as its
  queue's strategy says (:class:`By`): the one of the lowest rank, which the strategy has given it when it became
  free (``engine.acd.strategies``); the one who has most of what the caller asked for; or any, by chance.
- Able means: for each thing that the caller needs, the agent has at least that level; and it is of none of the sites
  that the call must be kept away from.
- A match reserves both at once: the agent is no longer free and the caller is no longer offered to anyone
  else, but keeps its place until it is taken or put back. More agents may be reserved for a caller who is
  reserved already (:meth:`Board.assign`: many phones ring for one caller).
- What a caller needs may change while it waits (:meth:`Board.change`); its turn may, too.
- Of callers with the same turn those go first who wait on the line, then those who came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

Needs = tuple[tuple[str, int], ...]  # ("skill:waybill", 2), …, sorted: what an agent must have, and how much

SKILL = "skill:"
LANGUAGE = "language:"
SITE = "site:"
AGENT = "agent:"
AWAY = "away:"  # away:north is had by whoever is not of site north
OR = "|"  # site:north|south is had by whoever has one of the two


class By(StrEnum):
    """How one of the able agents of the lowest tier is chosen for a caller."""

    RANK = "rank"
    SKILL = "skill"  # most levels of what the caller asked for (`Ticket.asked`), all together; then by rank
    CHANCE = "chance"


def needs(
    skills: Mapping[str, int], language: str = "", sites: Iterable[str] = (), away: Iterable[str] = ()
) -> Needs:
    """What a caller needs, in one form, so that equal needs compare equal. Levels below 1 ask nothing;
    one of the ``sites`` will do; nobody of the sites ``away`` will."""
    asked = [(SKILL + name, level) for name, level in skills.items() if level > 0]
    if language:
        asked.append((LANGUAGE + language, 1))
    if named := sorted(set(sites)):
        asked.append((SITE + OR.join(named), 1))
    asked += [(AWAY + site, 1) for site in set(away)]
    return tuple(sorted(asked))


def has(
    skills: Mapping[str, int], languages: Iterable[str], site: str = "", agent: str = ""
) -> dict[str, int]:
    """What an agent has, in the words of :func:`needs`."""
    levels = {SKILL + name: level for name, level in skills.items() if level > 0}
    levels.update((LANGUAGE + language, 1) for language in languages)
    if site:
        levels[SITE + site] = 1
    if agent:
        levels[AGENT + agent] = 1
    return levels


def alternatives(thing: str) -> tuple[str, ...]:
    """The things of which one is enough: itself, for most."""
    if OR not in thing:
        return (thing,)
    kind, colon, names = thing.partition(":")
    return tuple(kind + colon + name for name in names.split(OR))


def meets(having: Mapping[str, int], thing: str, level: int) -> bool:
    """Whether an agent has a thing at the level that is asked."""
    if thing.startswith(AWAY):
        return SITE + thing.removeprefix(AWAY) not in having
    return max(having.get(one, 0) for one in alternatives(thing)) >= level


def is_one_thing(thing: str) -> bool:
    """Whether it is something that an agent has by that very name, so that callers can be listed under it."""
    return OR not in thing and not thing.startswith(AWAY)


def lacks(having: Mapping[str, int], asked: Needs) -> dict[str, int]:
    """What is missing: each thing that an agent has not at the level that is asked, with that level."""
    return {thing: level for thing, level in asked if not meets(having, thing, level)}


@dataclass(frozen=True, slots=True)
class Seat:
    """What is fixed about an agent while it is on the board: its queues with their tiers, what it has."""

    agent: str
    queues: Mapping[str, int]
    has: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A caller's place: ``joined`` is the clock's monotonic time at which its wait began (restored waits
    included), ``head_start`` the seconds that its ``priority`` is worth; ``prefer`` an agent that takes it if free
    and able, whatever its tier and rank; ``asked`` what counts for :attr:`By.SKILL`, relaxed or not; ``ranked`` who
    comes after ``prefer`` and before all others, as plugins say (hook rank_agents). ``virtual``: nobody waits on
    the line, and whoever does and has the same turn goes first."""

    call: str
    queue: str
    joined: float
    priority: int = 0
    needs: Needs = ()
    prefer: str = ""
    head_start: float = 0.0
    asked: Needs = ()
    ranked: tuple[str, ...] = ()
    virtual: bool = False

    @property
    def turn(self) -> float:
        """What callers are ordered by; the lowest is first."""
        return self.joined - self.head_start


@dataclass(frozen=True, slots=True)
class Match:
    """One reservation, with what the board saw when it made it (for the journal's "why")."""

    call: str
    agent: str
    queue: str
    position: int  # of the caller in its queue; those before it are offered, or need what the agent has not
    free: int  # agents of the queue that were free, this one included
    able: int  # of these, how many could have served the caller
    tier: int = 1  # of the agent in this queue
    rank: float = 0.0  # that it was given when it became free


@dataclass(frozen=True, slots=True)
class Beside:
    """Who stood beside a match when it was made, a few of each: what :meth:`Board.beside` answers."""

    next: tuple[
        tuple[str, int, float], ...
    ] = ()  # agents that were free and able too: id, tier, rank; in order
    unfit: tuple[str, ...] = ()  # agents that were free but not able
    ahead: tuple[str, ...] = ()  # callers with an earlier turn


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

    def is_free(self, agent: str) -> bool:
        """Whether the agent can take a call, as far as the board knows."""

    def busy(self, agent: str) -> None:
        """The agent can't take a call. Harmless when it already could not."""

    def join(self, ticket: Ticket) -> None:
        """A caller starts to wait."""

    def change(self, ticket: Ticket) -> None:
        """A caller who waits (or is reserved) needs something else, or has another turn; its queue stays."""

    def leave(self, call: str) -> None:
        """A caller is taken or gave up: it has no place any more, offered or not."""

    def claim(self, call: str) -> None:
        """Reserve a waiting caller for an offer that was made elsewhere (before a restart)."""

    def put_back(self, call: str) -> None:
        """An offer failed: the caller waits again, in the place that it had all along."""

    def match_agent(self, agent: str) -> Match | None:
        """The caller that this free agent must take, both reserved; None when it can serve none of them."""

    def match_call(self, call: str, by: By = By.RANK) -> Match | None:
        """The agent that this waiting caller must go to, both reserved; None when nobody free is able."""

    def candidates(self, call: str, most: int = 1_000) -> list[str]:
        """Who is free and able to serve this caller (waiting or reserved), by tier and rank, at most so many."""

    def assign(self, call: str, agent: str) -> Match | None:
        """Reserve this very agent for this caller, who may be reserved already; None when it is not free and
        able."""

    def beside(self, match: Match, most: int = 3) -> Beside:
        """Who stood beside a match that was made just now, for the journal; at most so many of each."""

    def position(self, call: str) -> int:
        """The caller's place in its queue, 1 is next, those being offered included."""

    def waiting(self, queue: str) -> int:
        """How many wait in the queue, those being offered included."""

    def line(self, queue: str) -> Iterator[Ticket]:
        """Those who wait, in order, those being offered included."""

    def staffed(self, queue: str, needs: Needs) -> int:
        """How many agents are logged in who could serve a caller of that queue with those needs."""

    def free_agents(self) -> list[str]:
        """All who are free, longest seated in that state first."""
