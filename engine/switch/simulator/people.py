"""People at the far ends: callers, phones of agents, and what a phone is asked to do by itself.

All of it runs on the clock. What a person does is asked by plain methods that never block; what a test
waits for are methods with a ``timeout``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeVar

from engine.clock import Clock, Empty
from engine.errors import HungUp
from engine.switch.simulator.party import Party, Playback

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel
    from engine.switch.simulator.originate import Originate
    from engine.switch.simulator.switch import Switch

KEY_GAP = 0.2  # seconds from one key to the next, as a quick hand dials
SPEECH = 3.0  # seconds that somebody says after a beep who was told nothing else
_BREATH = 0.2  # seconds from the beep to the first word
_KEYS = frozenset("0123456789*#ABCD")

Outcome = Literal["answered", "rejected", "busy", "cancelled", "no_answer", "vanished", ""]


class Person(Party):
    """What a caller and somebody called have in common: ears, fingers, and a channel while a call lasts."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._clock = switch.clock
        self.channel: Channel | None = None
        self.uuid = ""
        self.ended: str | None = None  # the hang-up cause, once it is over
        self.was_answered = False
        self.bridged_to: str | None = None  # the UUID of the leg it talks with
        self.talks: list[str] = []  # UUIDs of all legs it talked with, in order
        self.keys_heard = ""  # what the other party pressed
        self._last_key = 0.0  # when the last of the keys that were given to be pressed is
        self.speech = SPEECH  # seconds that it says whenever it is asked to dictate; 0: it is silent
        self.contexts: list[str] = []  # dialplan contexts the call went through
        self.played: list[Playback] = []
        self._sounds: list[Playback] = []
        self._next = self._clock.queue()
        self._changed = self._clock.event()
        self._over = self._clock.event()
        self.on_playback: Callable[[Playback], None] | None = None
        self.on_asked: Callable[[float], None] | None = None  # the seconds that a key is waited for
        self.on_bridged: Callable[[str], None] | None = None
        self.on_unbridged: Callable[[], None] | None = None
        self.on_ended: Callable[[str], None] | None = None

    @property
    def clock(self) -> Clock:
        """The clock that it lives on."""
        return self._clock

    # -- what can be seen -------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """``ringing``, ``answered``, ``talking`` or ``ended``."""
        if self.ended is not None:
            return "ended"
        if self.bridged_to is not None:
            return "talking"
        return "answered" if self.was_answered else "ringing"

    @property
    def hearing(self) -> str | None:
        """The path of what is played to it now; None: silence, or a talk."""
        return self._sounds[-1].path if self._sounds else None

    def next_playback(self, timeout: float | None = None) -> Playback:
        """The next sound played to it, each exactly once, in order; waits for it.

        Raises :class:`~engine.clock.Empty` after ``timeout`` seconds, HungUp when the call is over and
        everything was taken.
        """
        if not len(self._next) and self.ended is not None:
            raise HungUp(self.ended)
        playback = self._next.get(timeout)
        if playback is None:
            self._next.put(None)
            raise HungUp(self.ended or "NORMAL_CLEARING")
        assert isinstance(playback, Playback)
        return playback

    def wait_ended(self, timeout: float | None = None) -> str | None:
        """Wait until its call is over; the hang-up cause, None when it still goes on."""
        self._over.wait(timeout)
        return self.ended

    def wait_state(self, state: str, timeout: float | None = None) -> bool:
        """Wait until ``state`` is this; False when it did not come to that in time (or can't any more)."""
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        while self.state != state:
            if self.ended is not None:
                return False
            self._changed.clear()
            left = None if deadline is None else deadline - self._clock.monotonic()
            if not self._changed.wait(left):
                return self.state == state
        return True

    def wait_bridged(self, timeout: float | None = None) -> bool:
        """Wait until it talks with somebody."""
        return self.wait_state("talking", timeout)

    # -- what it does -----------------------------------------------------------------------------

    def press(self, keys: str, *, gap: float = KEY_GAP) -> None:
        """Press keys one after the other, the first at once, or behind those that are still being pressed: a phone
        has one keypad. Raises HungUp when the call is over."""
        wrong = set(keys) - _KEYS
        if wrong:
            raise ValueError(f"no such keys on a phone: {''.join(sorted(wrong))}")
        channel = self._live()
        now = self._clock.monotonic()
        wait = self._last_key - now + gap if self._last_key > now else 0.0
        for index, key in enumerate(keys):
            self._clock.after(wait + index * gap, channel.press, key)
        self._last_key = now + wait + (len(keys) - 1) * gap

    def speak(self, seconds: float) -> None:
        """Say something now, though nobody talks with it; it is in what is being recorded."""
        self._speaks(True)
        self._clock.after(seconds, self._speaks, False)

    def _speaks(self, speaking: bool) -> None:
        if speaking == self.speaking:
            return
        self.speaking = speaking
        if self.channel is not None:
            for recording in list(self.channel.recordings.values()):
                recording.speaks(speaking)

    def hang_up(self, cause: str = "") -> None:
        """Put the receiver down. Harmless when the call is over.

        The cause is NORMAL_CLEARING, or ORIGINATOR_CANCEL of a caller who was not answered yet.
        """
        channel = self.channel
        if channel is not None and not channel.hangup_cause:
            given_up = channel.inbound and channel.answer_state != "answered"
            usual = "ORIGINATOR_CANCEL" if given_up else "NORMAL_CLEARING"
            channel.hangup(cause or usual, by_far_end=True)

    def _live(self) -> Channel:
        channel = self.channel
        if channel is None or channel.hangup_cause:
            raise HungUp(self.ended or (channel.hangup_cause if channel else "") or "NORMAL_CLEARING")
        return channel

    # -- what the channel tells it ----------------------------------------------------------------

    def answered(self) -> None:
        self.was_answered = True
        self._changed.set()

    def hears(self, playback: Playback) -> None:
        self.played.append(playback)
        self._sounds.append(playback)
        self._next.put(playback)
        if self.on_playback is not None:
            self.on_playback(playback)

    def heard(self, playback: Playback) -> None:
        if playback in self._sounds:
            self._sounds.remove(playback)

    def dictates(self) -> None:
        if self.speech > 0:
            self._clock.after(_BREATH, self.speak, self.speech)

    def asked(self, seconds: float) -> None:
        if self.on_asked is not None:
            self.on_asked(seconds)

    def bridged(self, other: str) -> None:
        self.bridged_to = other
        self.talks.append(other)
        self._changed.set()
        if self.on_bridged is not None:
            self.on_bridged(other)

    def unbridged(self, other: str) -> None:
        self.bridged_to = None
        self._changed.set()
        if self.on_unbridged is not None:
            self.on_unbridged()

    def key_heard(self, digit: str) -> None:
        self.keys_heard += digit

    def context(self, name: str) -> None:
        self.contexts.append(name)

    def over(self, cause: str) -> None:
        self.bridged_to = None
        self.ended = cause
        self._sounds.clear()
        self._next.put(None)
        self._changed.set()
        self._over.set()
        if self.on_ended is not None:
            self.on_ended(cause)


class SimCaller(Person):
    """Somebody who calls in."""

    def __init__(self, switch: Switch, number: str, caller: str, name: str) -> None:
        super().__init__(switch)
        self.number = number
        self.caller = caller
        self.name = name

    @property
    def fell_back(self) -> bool:
        """Whether the switch itself took the call, because no engine did."""
        return "fallback" in self.contexts


class SimRing(Person):
    """One call to a phone, or to somebody behind a gateway: it rings until something is done about it."""

    def __init__(self, switch: Switch, number: str) -> None:
        super().__init__(switch)
        self.number = number
        self.outcome: Outcome = ""
        self._originate: Originate | None = None

    @property
    def party(self) -> Party:
        """Itself: the channel tells it what happens."""
        return self

    @property
    def caller_id(self) -> tuple[str, str]:
        """Name and number on the phone's display."""
        channel = self.channel
        return (channel.profile.caller_id_name, channel.profile.caller_id_number) if channel else ("", "")

    def attach(self, channel: Channel, originate: Originate) -> None:
        self.channel = channel
        self.uuid = channel.uuid
        self._originate = originate

    def called(self) -> None:
        """An INVITE came."""
        raise NotImplementedError

    def rings(self) -> None:
        """Say 180."""
        if self._originate is not None:
            self._originate.rings()

    def answer(self) -> None:
        """Lift the receiver. Harmless when it does not ring any more."""
        if self.outcome or self._originate is None:
            return
        self.outcome = "answered"
        self._originate.answered()

    def reject(self, cause: str = "CALL_REJECTED") -> None:
        """Refuse (``USER_BUSY``: engaged)."""
        if self.outcome or self._originate is None:
            return
        self.outcome = "busy" if cause == "USER_BUSY" else "rejected"
        self._originate.refused(cause)

    def unreachable(self) -> None:
        """Nothing at all came back from the phone."""
        if not self.outcome and self._originate is not None:
            self.outcome = "vanished"
            self._originate.refused("NORMAL_TEMPORARY_FAILURE")

    def over(self, cause: str) -> None:
        if not self.outcome:
            self.outcome = "no_answer" if cause == "NO_ANSWER" else "cancelled"
        super().over(cause)


class PhoneRing(SimRing):
    """A ring of a registered phone."""

    def __init__(self, switch: Switch, phone: SimPhone) -> None:
        super().__init__(switch, phone.extension)
        self.phone = phone

    def called(self) -> None:
        self.phone.called(self)

    def bridged(self, other: str) -> None:
        super().bridged(other)
        self.phone.talk_begins(self)

    def over(self, cause: str) -> None:
        super().over(cause)
        self.phone.call_over(self)


class LineRing(SimRing):
    """A call that goes out through a gateway: rings after ``ring_after``, answered after ``answer_after``."""

    def __init__(self, switch: Switch, number: str, answer_after: float | None) -> None:
        super().__init__(switch, number)
        self._answer_after = answer_after

    def called(self) -> None:
        self._clock.after(0.05, self.rings)
        if self._answer_after is not None:
            self._clock.after(self._answer_after, self.answer)


P = TypeVar("P", bound=Person)
RINGS = 50  # calls to a phone that are over and can still be looked at


class Recent(list[P]):
    """Those who are there, and of those whose calls are over at least the ``most`` latest, at most twice as many: a
    long day must not keep them all."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._sweep_at = 2 * most

    def append(self, person: P) -> None:
        super().append(person)
        if len(self) < self._sweep_at:
            return
        over = [one for one in self if one.ended is not None]
        forgotten = {id(one) for one in over[: -self._most]}
        self[:] = [one for one in self if id(one) not in forgotten]
        self._sweep_at = len(self) + self._most


class SimPhone:
    """An agent's phone. By itself it only rings; ``auto`` makes it answer and hang up."""

    def __init__(self, switch: Switch, extension: str, port: int, *, history: int = RINGS) -> None:
        self._switch = switch
        self._clock = switch.clock
        self.extension = extension
        self._port = port
        self._vanished = False
        self._waiting = self._clock.queue()
        self.rings: list[PhoneRing] = Recent(history)  # the calls that it got
        self._history = history
        self.ring: PhoneRing | None = None  # the one that rings or is talked on
        self.line: SimCaller | None = None  # a call that it made itself
        self._answer_after: Callable[[], float | None] | None = None
        self._talk_for: Callable[[], float | None] | None = None
        self.do_not_disturb = False

    # -- registration -----------------------------------------------------------------------------

    @property
    def registered(self) -> bool:
        """Whether the switch knows it."""
        return self.extension in self._switch.registrations.known

    def register(self, expires: int = 3600) -> None:
        """Register; it answers again if it had vanished."""
        self._vanished = False
        self._switch.registrations.register(
            self.extension, ip="127.0.0.1", port=self._port, agent="simulator", expires=expires
        )

    def refresh(self) -> None:
        """Register again, as phones do before their time is over; nothing when it is logged off or has vanished."""
        if self.registered and not self._vanished:
            self.register()

    def unregister(self) -> None:
        """Log the phone off properly."""
        self._switch.registrations.unregister(self.extension)

    def vanish(self) -> None:
        """Pull the plug: registered, until the switch finds out, but answers nothing. A talk goes on silently
        until somebody ends it."""
        self._vanished = True
        self._switch.registrations.silent(self.extension)

    # -- by itself --------------------------------------------------------------------------------

    def auto(
        self,
        *,
        answer_after: float | Callable[[], float | None] | None = None,
        talk_for: float | Callable[[], float | None] | None = None,
    ) -> SimPhone:
        """Answer each call after so many seconds and hang up after a talk of so many (functions: drawn each time)."""
        self._answer_after = _drawn(answer_after)
        self._talk_for = _drawn(talk_for)
        return self

    # -- by hand ----------------------------------------------------------------------------------

    def wait_ring(self, timeout: float | None = None) -> PhoneRing | None:
        """The next call that rings here, each once; None when none came in time."""
        try:
            ring = self._waiting.get(timeout)
        except Empty:
            return None
        assert isinstance(ring, PhoneRing)
        return ring

    @property
    def state(self) -> str:
        """``idle``, ``ringing``, ``answered``, ``talking``."""
        return "idle" if self.ring is None else self.ring.state

    def answer(self) -> None:
        """Answer what rings."""
        if self.ring is not None:
            self.ring.answer()

    def reject(self, cause: str = "CALL_REJECTED") -> None:
        """Refuse what rings."""
        if self.ring is not None:
            self.ring.reject(cause)

    def hang_up(self) -> None:
        """End the call on this phone."""
        if self.ring is not None:
            self.ring.hang_up()
        if self.line is not None:
            self.line.hang_up()

    def press(self, keys: str, *, gap: float = KEY_GAP) -> None:
        """Press keys in the call on this phone."""
        if self.line is not None and self.line.ended is None:
            self.line.press(keys, gap=gap)
        elif self.ring is not None:
            self.ring.press(keys, gap=gap)
        else:
            raise HungUp

    def dial(self, number: str) -> SimCaller:
        """Call ``number`` from this phone (an agent logs in, say)."""
        line = SimCaller(self._switch, number, self.extension, self.extension)
        self.line = line
        line.channel = self._switch.arrive(
            line, number, caller=self.extension, profile="internal", context="internal"
        )
        line.uuid = line.channel.uuid
        return line

    # -- what its calls tell it -------------------------------------------------------------------

    def called(self, ring: PhoneRing) -> None:
        """An INVITE came."""
        self.rings.append(ring)
        if self._vanished:
            # No answer at all: the switch gives up after its transaction timer.
            self._clock.after(0.5, ring.unreachable)
            return
        if self.do_not_disturb or (self.ring is not None and self.ring.ended is None):
            self._clock.after(0.01, ring.reject, "USER_BUSY")
            return
        self.ring = ring
        self._clock.after(0.02, ring.rings)
        if len(self._waiting) >= self._history:
            self._waiting.get(0)  # nobody looks
        self._waiting.put(ring)
        if self._answer_after is not None:
            seconds = self._answer_after()
            if seconds is not None:
                self._clock.after(seconds, ring.answer)

    def talk_begins(self, ring: PhoneRing) -> None:
        """It talks with somebody now."""
        if self._talk_for is not None:
            seconds = self._talk_for()
            if seconds is not None:
                self._clock.after(seconds, self._talked, ring, len(ring.talks))

    def _talked(self, ring: PhoneRing, talk: int) -> None:
        if ring.bridged_to is not None and len(ring.talks) == talk:
            ring.hang_up()

    def call_over(self, ring: PhoneRing) -> None:
        """The call is over."""
        if self.ring is ring:
            self.ring = None


def _drawn(value: float | Callable[[], float | None] | None) -> Callable[[], float | None] | None:
    if value is None:
        return None
    if callable(value):
        return value
    fixed = value
    return lambda: fixed
