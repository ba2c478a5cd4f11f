"""The words of a talk: whom it may turn to, what its commands are, and what the layers above do for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from engine.esl.commands import Dial
from engine.types import RingKind, TalkEnd

if TYPE_CHECKING:
    from engine.calls.call import Call

Kind = Literal["agent", "extension", "number", "queue", "flow", "front"]


class Mode(StrEnum):
    """Who talks with whom."""

    TALKING = "talking"  # the caller and the first
    HELD = "held"  # the caller hears music, the first nothing
    RINGING = "ringing"  # the same, and the phone of a second rings
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


class Desk(Protocol):
    """What a talk asks of the layers above it (:class:`engine.flows.desk.TalkDesk`)."""

    def find(self, call: Call, word: str) -> Target:
        """Who is meant by ``word``: ``8013`` (an agent, or a number), ``agent:8013``, ``extension:1002``,
        ``queue:logistics``, ``flow:logistics/main``, ``number:+8620…``. Raises NotFound, WrongState."""

    def dial(self, call: Call, target: Target) -> Target:
        """The same with its dial string; for a number outside it counts as dialled. Raises DialRefused, NotFound."""

    def engage(self, target: Target, call: Call) -> Engagement | None:
        """Take the agent; None for who is none. Raises WrongState (busy, out)."""

    def held(self, agent: str, on: bool) -> None:
        """The agent's caller is on hold, or back."""

    def words(self, key: str, call: Call, agent: str) -> str:
        """The playback that tells an agent something; "" when there are no words for it."""

    def music(self, call: Call) -> str:
        """The playback for who is on hold."""

    def recorded(self, call: Call, agent: str) -> None:
        """Somebody else talks with the caller from now on."""


__all__ = ["FRONT", "Desk", "Engagement", "Kind", "Mode", "TalkOver", "Target"]
