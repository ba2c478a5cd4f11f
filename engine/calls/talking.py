"""The words of a talk: whom it may turn to, what its commands are, and what the layers above do for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol

from engine.clock import Mailbox
from engine.esl.commands import Dial
from engine.types import RingKind, TalkEnd, TalkResult

if TYPE_CHECKING:
    from engine.calls.call import Call

Kind = Literal["agent", "extension", "number", "queue", "flow", "front"]


class Mode(StrEnum):
    """Who talks with whom."""

    TALKING = "talking"  # the caller and the first
    HELD = "held"  # the caller hears music, the first nothing
    RINGING = "ringing"  # the same, and the phone of a second rings
    QUEUED = "queued"  # the caller hears music; the first waits in a queue for somebody to ask
    CONSULTING = "consulting"  # the first and the second; the caller hears music
    ASIDE = "aside"  # the caller and the first; the second hears music
    THREE = "three"  # all of them, in a conference


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a call is to go to. ``dial`` is for those that are rung; ``shown`` is what records say."""

    kind: Kind
    name: str  # the agent's id, the extension, the queue, the flow, the number
    dial: Dial | None = None
    shown: str = ""
    caller: str = ""  # the number that the other end sees
    variables: Mapping[str, str] = field(default_factory=dict)  # of the leg that is dialled
    asked: Consultation | None = None  # of a queue: the place in it that the caller takes over

    @property
    def agent(self) -> str:
        return self.name if self.kind == "agent" else ""


FRONT = Target("front", "")
"""Back to the queue that the caller came from, as the next one: nobody is left of those who talked with it."""


@dataclass(frozen=True, slots=True)
class TalkOver:
    """News in the caller's mailbox: the talk is over that outlived the leg which it began with."""

    agent: str
    by: TalkEnd
    seconds: float


class Engagement(Protocol):
    """An agent taken for a talk (:class:`engine.acd.engaged.Engaged`)."""

    cancel: Callable[[], None] | None

    def answered(self) -> None: ...
    def over(self, *, wrap_up: bool, missed: RingKind | None = None) -> None: ...


class Ring(Protocol):
    """The leg of an agent who has answered (:class:`engine.calls.ring.AgentRing`)."""

    @property
    def leg(self) -> str: ...
    def connect(self) -> bool: ...
    def talks(self) -> None: ...
    def wait_over(self) -> TalkResult: ...
    def drop(self) -> None: ...
    def cancel(self) -> None: ...


class Asker(Protocol):
    """A talk whose agent waits in a queue, as its :class:`Consultation` sees it. Nothing here blocks but ``join``."""

    def join(self, ring: Ring) -> bool | None:
        """Somebody has answered: bring the two together. False: there is no bridge; None: nobody waits any more."""

    def unasked(self, reason: str) -> None:
        """The queue has sent it out, as a word of :class:`engine.acd.places.Leaving` says."""

    def asks_in(self, queue: str) -> None:
        """The place goes on in another queue."""

    def asked_over(self, by: TalkEnd) -> None:
        """The part of who was asked is over."""


class Consultation(Protocol):
    """A place in a queue in which an agent waits to ask somebody, and what comes of it
    (:class:`engine.flows.consulting.Consultation`)."""

    @property
    def queue(self) -> str: ...
    @property
    def began(self) -> float:
        """When it began: seconds since 1970."""

    def position(self) -> int:
        """1: the next one; 0: it does not wait any more."""

    def leave(self, reason: str) -> bool:
        """Give the place back; a phone that rings for it is silent. False when somebody has answered."""

    def hand_over(self, request: Any, news: Mailbox[Any]) -> Any:
        """The caller itself waits in the place from now on: an :class:`engine.acd.places.Place`, whose news come to
        ``news``. ``request`` is what the caller's flow would have asked for."""


class Desk(Protocol):
    """What a talk asks of the layers above it (:class:`engine.flows.desk.TalkDesk`)."""

    def find(self, call: Call, word: str) -> Target:
        """Who is meant by ``word``: ``8013`` (an agent, or a number), ``agent:8013``, ``extension:1002``,
        ``queue:logistics``, ``flow:logistics/main``, ``number:+8620…``. Raises NotFound, WrongState."""

    def dial(self, call: Call, target: Target) -> Target:
        """The same with its dial string; for a number outside it counts as dialled. Raises DialRefused, NotFound."""

    def engage(self, target: Target, call: Call) -> Engagement | None:
        """Take the agent; None for who is none. Raises WrongState (busy, out)."""

    def ask(
        self, call: Call, queue: str, by: str, asker: Asker, *, began: float | None = None, leg: str = ""
    ) -> Consultation:
        """Let the agent ``by`` wait in a queue to ask somebody about its caller, before those who have no caller on
        hold. ``began``: it has waited there since (an earlier engine let it in). ``leg``: the agent of that leg talks
        to it already. Raises QueueRefused (closed, full, nobody is there), NotFound."""

    def held(self, agent: str, on: bool) -> None:
        """The agent's caller is on hold, or back."""

    def words(self, key: str, call: Call, agent: str, values: Mapping[str, Any] | None = None) -> str:
        """The playback that tells an agent something; "" when there are no words for it."""

    def music(self, call: Call, queue: str = "") -> str:
        """The playback for who is on hold, or waits in ``queue``."""

    def recorded(self, call: Call, agent: str) -> None:
        """Somebody else talks with the caller from now on."""


__all__ = [
    "FRONT",
    "Asker",
    "Consultation",
    "Desk",
    "Engagement",
    "Kind",
    "Mode",
    "Ring",
    "TalkOver",
    "Target",
]
