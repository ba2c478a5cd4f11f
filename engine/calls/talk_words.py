"""What a talk is made of: the parties in it, and what its inbox holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from engine.calls.leg import Leg
from engine.calls.talking import Consultation, Engagement, Ring
from engine.errors import DialRefused, InsidelineError, QueueRefused, WrongState
from engine.types import RingKind, RingResult, TalkEnd

VERBS: Final = ("hold", "resume", "transfer", "consult", "complete", "conference", "back")
MISSED: Final = {
    RingKind.BUSY: "talk_busy",
    RingKind.REJECTED: "talk_busy",
    RingKind.NO_ANSWER: "talk_no_answer",
}
UNASKED: Final = {
    "closed": "talk_queue_closed",
    "full": "talk_queue_full",
    "no_agents": "talk_nobody_in",
    "too_long": "talk_no_answer",
    "overflow": "talk_no_answer",
}
"""What an agent hears whom a queue did not let in, or has sent out."""


@dataclass(slots=True)
class Party:
    """Somebody whom the caller talks with, or is about to."""

    leg: Leg
    agent: str = ""
    shown: str = ""
    ring: Ring | None = None  # of those whom the talk has rung itself, or was brought by a queue
    engaged: Engagement | None = None
    spoke: bool = False  # with the caller
    asked: Consultation | None = None  # of one who came from a queue, which looks after its agent
    flow: str = ""  # what runs on the other end, where nobody is there
    missed: RingKind | None = None  # how its phone was not answered
    since: float | None = None  # monotonic: when it answered

    @property
    def who(self) -> str:
        """What records say."""
        return self.agent or self.shown or self.leg.uuid


@dataclass(slots=True)
class Order:
    """Something that somebody wants. ``by``: ``key``, ``phone`` (a target was typed), or who gave the command."""

    verb: str
    target: str
    by: str
    done: Any
    error: InsidelineError | None = None


@dataclass(slots=True)
class Rang:
    """The ringing of a second has ended."""

    party: Party
    result: RingResult


@dataclass(slots=True)
class Typed:
    """A key of a target, pressed by ``leg``."""

    leg: Leg
    digit: str


@dataclass(slots=True)
class Joined:
    """An agent of a queue has answered who waits there. ``answer``: see :meth:`engine.calls.talking.Asker.join`."""

    ring: Ring
    done: Any
    answer: bool | None = None


@dataclass(slots=True)
class Unasked:
    """A queue has sent out who waited there to ask."""

    reason: str


@dataclass(slots=True)
class AskedOver:
    """The part of one who came from a queue is over."""

    by: TalkEnd


@dataclass(slots=True)
class Typing:
    """The target that an agent types after a key."""

    verb: str
    until: float
    digits: str = ""
    spoken: bool = field(default=False)


def words_for(error: InsidelineError) -> str:
    """What an agent hears of an order that could not be done."""
    if isinstance(error, QueueRefused):
        return UNASKED.get(error.reason, "talk_not_there")
    if isinstance(error, DialRefused):
        return "talk_not_there"
    return "talk_not_now" if isinstance(error, WrongState) else "talk_not_there"


__all__ = [
    "MISSED",
    "UNASKED",
    "VERBS",
    "AskedOver",
    "Joined",
    "Order",
    "Party",
    "Rang",
    "Typed",
    "Typing",
    "Unasked",
    "words_for",
]
