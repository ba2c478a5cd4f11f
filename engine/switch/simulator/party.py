"""What a channel tells the person (or script) at its other end."""

from __future__ import annotations

from dataclasses import dataclass

from engine.switch.simulator.machine import Machine


@dataclass(slots=True)
class Playback:
    """One sound played to one person. Times are the clock's monotonic seconds.

    ``seconds`` is what was really heard (an interrupted prompt is shorter than its file).
    """

    path: str
    at: float
    ended: float | None = None
    broken: bool = False  # ended before its end: a key, a break, a bridge, a hang-up
    waits_for_keys: bool = False  # part of a digit collection
    seconds: float = 0.0


class Party:
    """The far end of a channel. Every method may be called in the hub and must not block."""

    speaking = False  # says something, though nobody talks with it: a message after a beep

    fax: Machine = Machine()  # what answers a fax

    def dictates(self) -> None:
        """The switch records what it says now (``record``)."""

    def ringing(self) -> None:
        """The other side was told that it rings."""

    def answered(self) -> None:
        """The channel was answered."""

    def hears(self, playback: Playback) -> None:
        """A sound began."""

    def heard(self, playback: Playback) -> None:
        """A sound ended."""

    def asked(self, seconds: float) -> None:
        """The switch now waits for keys in silence (the prompt is over), and gives up after ``seconds``."""

    def bridged(self, other: str) -> None:
        """Talks with the channel ``other`` now."""

    def unbridged(self, other: str) -> None:
        """Does not talk with ``other`` any more."""

    def key_heard(self, digit: str) -> None:
        """The other party pressed a key."""

    def context(self, name: str) -> None:
        """The call entered a dialplan context."""

    def over(self, cause: str) -> None:
        """The channel is gone."""
