"""What the ACD asks of the layer that holds the live calls.

The ACD decides who talks to whom and never sends a command to the switch. It asks a :class:`Floor` to
ring an agent's phone, and is told through the :class:`Ring` what became of it. ``engine.calls``
implements both; the tests of the ACD use a floor of their own.

One offer, as the ACD drives it, in a greenlet of its own::

    ring = floor.ring(call, agent, seconds=20, variables={})   # at once, the phone starts to ring
    if ring.wait().kind is RingKind.ANSWERED:                  # blocks until the ringing ends
        if ring.connect():                                     # blocks until CHANNEL_BRIDGE was seen
            over = ring.wait_over()                            # blocks until the talk is over
    ring.drop()                                                # always; harmless when the leg is gone

Between the answer and the bridge an agent may be told something and be asked to accept (:class:`Briefing`):
``ring.brief(…)``, and the caller who will talk to it: ``ring.announce(…)``.

``RingResult`` and ``TalkResult`` live in ``engine.types``, because ``engine.calls`` stands below ``acd``
and makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from engine.types import AgentView, Briefing, RingKind, RingResult, Sound, TalkEnd, TalkResult

__all__ = ["Brief", "Briefing", "Floor", "Ring", "RingKind", "RingResult", "Sound", "TalkEnd", "TalkResult"]

#: What is said before the two are connected: of the agent, the call, its queue and the seconds that it waited.
#: None: nothing. May take its time (a text may have to be spoken first), and never raises.
Brief = Callable[[AgentView, str, str, float], Briefing | None]


class Ring(Protocol):
    """One leg to one agent's phone, from the first ring to the end of the talk."""

    @property
    def leg(self) -> str:
        """The UUID of the agent's channel, chosen before the switch was asked."""

    def wait(self) -> RingResult:
        """Block until the ringing has ended. Called again it answers the same at once.

        The floor enforces the ring's time limit and answers NO_ANSWER. A lost event socket ends it as
        FAILED unless the leg is found again within the ring's time.
        """

    def cancel(self) -> None:
        """Stop ringing, from any greenlet, without waiting; ``wait()`` then answers CANCELLED.

        Harmless when the ringing has already ended: an answered leg stays answered (drop it).
        """

    def brief(self, briefing: Briefing) -> RingResult:
        """Tell the agent who answered, and ask it to accept where that is wanted; the caller hears its music on.

        ANSWERED when the two may be connected; NO_ANSWER when nobody accepted, REJECTED when the agent hung up,
        CANCELLED after a :meth:`cancel`.
        """

    def announce(self, sound: Sound) -> None:
        """Say to the caller, and to the agent with it, who is there now. Ends early when either is gone."""

    def caller_left(self) -> None:
        """The caller hung up after the answer: wakes an :meth:`announce`."""

    def connect(self) -> bool:
        """Bridge the caller with this answered leg; True once CHANNEL_BRIDGE was seen on either.

        False: one of the two is gone (``floor.caller_alive`` tells which) and nobody hangs in limbo. The
        floor answers the caller's channel first where it is not answered yet.
        """

    def wait_over(self) -> TalkResult:
        """Block until the talk is over. Called again it answers the same at once."""

    def drop(self) -> None:
        """Hang this leg up, from any greenlet, without waiting. Harmless when it is already gone."""


class Floor(Protocol):
    """The live calls, as far as the ACD needs them."""

    def ring(self, call_id: str, agent: AgentView, *, seconds: float, variables: Mapping[str, str]) -> Ring:
        """Start to ring ``agent.phone`` for the caller ``call_id``, for at most ``seconds``; returns at once.

        ``variables`` are set on the agent's leg (names of letters, digits and ``_``; values are text).
        Raises :class:`~engine.errors.SwitchError` when the switch can't be asked at all.
        """

    def adopt(self, call_id: str, leg: str) -> Ring:
        """Take an agent's leg that an earlier engine made, ringing, answered or bridged with the caller.

        On a ringing leg ``wait()`` goes on waiting; on an answered one it answers ANSWERED at once; on a
        bridged one ``wait_over()`` waits for the end of the talk.
        """

    def caller_alive(self, call_id: str) -> bool:
        """Whether the caller's channel still exists."""

    def leg_alive(self, leg: str) -> bool:
        """Whether that agent's channel still exists."""
