"""A caller's place in a queue: what was asked, and the news that the queue step listens to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from engine.clock import Mailbox
from engine.types import AgentView, TalkEnd

if TYPE_CHECKING:
    from engine.acd.board import Needs, Ticket
    from engine.acd.floor import Ring
    from engine.acd.offers import Offer
    from engine.acd.rules import Goal, Wanted
    from engine.acd.timeline import Timeline


class Brought(StrEnum):
    """How it went to call who keeps a place, with an agent on the line."""

    HERE = "here"  # the channel is there and may be bridged
    NOT_REACHED = "not_reached"
    AGENT_GONE = "agent_gone"  # the agent hung up meanwhile: the next one


@dataclass(frozen=True, slots=True)
class Request:
    """What a call asks of a queue. Where a value is None, the queue's own configuration decides.

    ``since`` is how many seconds the caller has waited already (before a restart, in another queue);
    ``resumed`` says that it stood in this queue before the engine was restarted, so that no limit on
    length sends it away. ``no_agents=False`` waits on even if nobody who could help is logged in.
    ``tell`` is what the agent's desk is told; it never holds anything private.

    ``ready`` is for a caller who does not wait on the line (a call back that keeps its place): it is asked in the
    offer's greenlet when an agent is reserved, before that agent's phone rings, and blocks until the channel
    ``call_id`` is there (True) or could not be brought (False: the place ends as ``Left(not_reached)``, the agent is
    free again). It may be asked again, by another offer, also while it is still busy: it must join what it began.

    ``bring`` is the same with the agent on the line first: it is asked when the reserved agent has answered (its view,
    and the UUID of its leg), and says how it went. A request with one of the two is :attr:`virtual`.

    ``asks`` is the agent who waits here to ask somebody, with the caller on hold; ``join`` then takes the place of the
    bridge with the caller: it is given the ring that was answered, blocks, and says whether the two talk (None: nobody
    waits any more).
    """

    call_id: str
    number: str
    queue: str
    skills: Mapping[str, int] = field(default_factory=dict)
    priority: int = 0
    since: float = 0.0
    agent: str = ""  # preferred, if free and able
    ranked: tuple[str, ...] = ()  # who comes next, the first one first, if free and able
    tell: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""
    longest: float | None = None  # seconds of waiting, those in `since` included
    max_length: int | None = None  # callers waiting; 0: only if an agent is free
    no_agents: bool = True
    resumed: bool = False
    here: float | None = (
        None  # seconds of `since` spent in this queue; None: all of them if resumed, else none
    )
    tier: str = ""  # of the caller, in the words of queues.yaml
    site: str = ""  # the caller's own
    away: tuple[str, ...] = ()  # sites whose agents must not have this call
    last_agent: str = ""  # who talked to this caller last, where the queue is sticky
    ready: Callable[[AgentView], bool] | None = None
    bring: Callable[[AgentView, str], Brought] | None = None
    news: Mailbox[Any] | None = None  # where the news go; None: a queue of the place's own
    asks: str = ""
    join: Callable[[Ring], bool | None] | None = None

    @property
    def virtual(self) -> bool:
        """Nobody waits on the line: whoever keeps this place is called when its turn comes."""
        return self.ready is not None or self.bring is not None


class Leaving(StrEnum):
    """Why a caller left a queue without an agent."""

    FULL = "full"
    TOO_LONG = "too_long"
    NO_AGENTS = "no_agents"
    CLOSED = "closed"
    CALLER = "caller"  # hung up
    KEY = "key"  # pressed a key that leads out of the queue
    OVERFLOW = "overflow"
    MOVED = "moved"  # to another queue: no news of leaving, the place goes on there
    NOT_REACHED = "not_reached"  # was to be called back, and could not be
    WITHDRAWN = "withdrawn"  # a call back that is not owed any more, or that its caller took over on the line
    BACK = "back"  # who waited here to ask somebody is with its caller again, or gone
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Connecting:
    """An agent answered and is being bridged: stop announcing, take no more keys."""

    agent: AgentView


@dataclass(frozen=True, slots=True)
class Talking:
    """The two are bridged. ``leg`` is the agent's channel; ``resumed`` after an adoption."""

    agent: AgentView
    leg: str
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Over:
    """The talk is over after ``seconds``; the last news of a place."""

    agent_id: str
    by: TalkEnd
    seconds: float


@dataclass(frozen=True, slots=True)
class Left:
    """The caller was sent out of the queue (``Place.leave`` is no news); the last news of a place. ``to`` is where an
    overflow leads: a flow, a voicemail box or a number."""

    reason: Leaving
    to: Goal | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The caller waits in another queue now, with the wait that it has."""

    queue: str


@dataclass(frozen=True, slots=True)
class Unconnected:
    """Who answered is gone before the bridge was made: the caller waits on."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The caller has another priority now, which its request says."""


News = Connecting | Talking | Over | Left | Moved | Unconnected | Raised


class Stage(StrEnum):
    """Where a place is in its short life."""

    WAITING = "waiting"
    OFFERED = "offered"  # an agent's phone rings
    CONNECTING = "connecting"
    TALKING = "talking"
    DONE = "done"


class Place:
    """One caller's place, from ``Acd.enter`` to :class:`Over` or :class:`Left`.

    ``news`` is a queue of :data:`News`; a failed offer is no news, the caller just goes on waiting.
    """

    __slots__ = (
        "_leave",
        "_position",
        "_wait",
        "expired",
        "here",
        "joined",
        "loosest",
        "news",
        "offers",
        "request",
        "stage",
        "sticky",
        "ticket",
        "timeline",
        "told_stay",
        "wanted",
    )

    def __init__(
        self,
        request: Request,
        ticket: Ticket,
        news: Mailbox[News],
        wanted: Wanted,
        *,
        leave: Callable[[Place, Leaving], bool],
        position: Callable[[Place], int],
        wait: Callable[[Place], float | None],
    ) -> None:
        self.request = request
        self.ticket = ticket
        self.joined = ticket.joined  # monotonic; the wait counts from here
        self.here = ticket.joined  # monotonic; since when it waits in this queue
        self.wanted = wanted  # what is wanted of an agent by now
        self.loosest: Needs = ticket.needs  # and what of it will be left at last
        self.news = news
        self.stage = Stage.WAITING
        self.offers: list[Offer] = []  # phones that ring for it; the one talked to, later
        self.expired: Leaving | None = None  # what happens when the offer that is out now fails
        self.timeline: Timeline | None = None
        self.sticky = ""  # why it waits for `ticket.prefer` alone: "owner", "last"
        self.told_stay = False  # that it could not overflow is in the journal
        self._leave = leave
        self._position = position
        self._wait = wait

    @property
    def offer(self) -> Offer | None:
        """The offer that is out (the first, of many phones), or the talk."""
        return self.offers[0] if self.offers else None

    def position(self) -> int:
        """The caller's place in its queue, 1 is next; 0 when it does not wait any more."""
        return self._position(self)

    def expected_wait(self) -> float | None:
        """Seconds that this caller will probably still wait; None when there is no honest figure."""
        return self._wait(self)

    def leave(self, reason: Leaving | str = Leaving.CALLER) -> bool:
        """The caller leaves (it hung up, or pressed a key): a ring for it stops at once.

        True is the whole answer: no :class:`Left` comes as news, which might be read where the caller is by
        then. False when it is too late, because an agent has answered or the place is done already.
        """
        return self._leave(self, Leaving(reason))
