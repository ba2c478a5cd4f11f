"""What a leg is told: the few things that the switch's events mean to a call.

The dispatcher turns each raw event into at most one of these and drops the event, so that nothing keeps
its sixteen kilobytes of headers alive.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """The leg was answered."""


@dataclass(frozen=True, slots=True)
class Parked:
    """The leg is parked: it waits for a command."""


@dataclass(frozen=True, slots=True)
class Bridged:
    """The leg talks to ``peer``."""

    peer: str


@dataclass(frozen=True, slots=True)
class Unbridged:
    """The talk with ``peer`` ended; the leg is being parked or hung up."""

    peer: str


@dataclass(frozen=True, slots=True)
class Done:
    """The application that was sent with ``event_uuid`` ended.

    ``digits`` is None when the collection timed out; ``lost`` when the result was lost with a connection
    and the step must be done again.
    """

    event_uuid: str
    response: str = ""
    digits: str | None = None
    terminator: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """The party pressed a key of the phone: one of ``0-9 * # A-D``."""

    digit: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The leg ended, with FreeSWITCH's hang-up cause."""

    cause: str


Signal = Answered | Parked | Bridged | Unbridged | Done | Key | Gone
