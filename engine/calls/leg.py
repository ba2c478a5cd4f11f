"""One channel of the switch, as the engine knows it.

A leg holds facts only (answered, parked, bridged with whom, gone and why), kept up to date by the
dispatcher, and a mailbox for the one greenlet that acts for it: a call's own greenlet for the caller's
leg, an offer's greenlet for an agent's leg. Facts are set before the signal is delivered, so whoever wakes
up sees the present and not the past.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.calls.signals import Answered, Bridged, Done, Gone, Key, Parked, Signal, Unbridged
from engine.clock import Clock, Mailbox
from engine.types import TalkEnd


class Leg:
    """A channel. ``owner`` is the id of the call that an agent's leg was made for, "" for a caller's; ``agent`` is
    that agent."""

    __slots__ = (
        "agent",
        "answered",
        "answering",
        "awaited",
        "early",
        "gone",
        "inbox",
        "kept",
        "music",
        "owner",
        "parked",
        "peer",
        "released",
        "spoken",
        "uuid",
        "wants_keys",
        "watch",
    )

    def __init__(self, uuid: str, clock: Clock, *, owner: str = "", agent: str = "") -> None:
        self.uuid = uuid
        self.owner = owner
        self.agent = agent
        self.answered = False
        self.answering = False  # it was told to answer; the switch does so within a frame or two
        self.parked = False
        self.peer = ""  # the leg that this one talks to
        self.gone: str | None = None  # the hang-up cause, once ended
        self.awaited: set[str] = set()  # Event-UUIDs whose end somebody waits for
        self.music = ""  # of the awaited ones, that of music without the lock: it ends only when it is broken
        self.wants_keys = False
        self.spoken = -1.0  # monotonic: when something was sent to be heard over its music
        self.early: tuple[tuple[str, str], ...] = ()  # keys of a talk, pressed before we knew that it began
        self.kept = (
            False  # it belongs to a talk, though it is not bridged with the caller now: see calls.talk
        )
        self.released: TalkEnd | None = None  # how its part in that talk ended, when no hang-up ended it
        self.watch: Callable[[Leg, Signal], None] | None = (
            None  # who is told of each signal before the mailbox
        )
        self.inbox: Mailbox[Any] = clock.queue()

    @property
    def bridged(self) -> bool:
        """True while this leg talks to another."""
        return bool(self.peer)

    def tell(self, signal: Signal) -> None:
        """Take ``signal`` for a fact, and deliver it to whoever acts for this leg."""
        if self.gone is not None:
            return
        match signal:
            case Answered():
                self.answered = True
            case Parked():
                self.parked = True
                self.peer = ""
            case Bridged(peer):
                self.parked = False
                self.peer = peer
            case Unbridged():
                self.peer = ""
            case Gone(cause):
                self.gone = cause
                self.parked = False
                self.peer = ""
            case Done(event_uuid):
                if event_uuid not in self.awaited:
                    return
                self.awaited.discard(event_uuid)
            case Key():
                if not self.wants_keys:
                    return
        if self.watch is not None:
            self.watch(self, signal)
        self.inbox.put(signal)
