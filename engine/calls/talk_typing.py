"""The target that an agent types after a key of a talk (``*5 8013 #``), key by key: see :mod:`engine.calls.keys`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.calls import keys
from engine.calls.leg import Leg
from engine.calls.talk_orders import consult, transfer
from engine.calls.talk_words import Order, Typing
from engine.calls.talking import Mode
from engine.errors import InsidelineError

if TYPE_CHECKING:
    from engine.calls.talk import Talk

PATIENCE: Final = 8.0  # seconds for the first key of a target, and between two


class TargetKeys:
    """What one agent types. ``early``: keys of a target have come since its word did."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._typing: Typing | None = None
        self._changed: Leg | None = None  # whose keys are those of a target now
        self.early = False

    @property
    def until(self) -> float | None:
        """Monotonic: when the next key must have come; None: none is waited for."""
        return self._typing.until if self._typing is not None else None

    def keys_are_changed(self, leg: Leg) -> None:
        """The switch gave ``leg`` the keys of a target, in the moment of a key."""
        self._changed = leg

    def stop(self) -> None:
        """No target is typed any more."""
        self._typing = None

    def begin(self, verb: str) -> None:
        """From now on keys are those of a target."""
        talk = self._talk
        self._typing = Typing(verb, talk.clock.monotonic() + PATIENCE)
        if talk.mode is Mode.TALKING:
            talk.moves.part(talk.first.leg)
            talk.enter(Mode.HELD, by="key")
        if self.early:
            self._typing.spoken = True  # who types at once need not be asked
        else:
            talk.say("talk_whom")

    def typed(self, leg: Leg, digit: str) -> None:
        """A key that came by the realm of a target."""
        self._changed = leg
        self.heard(leg, digit)

    def heard(self, leg: Leg, digit: str) -> None:
        """A key of the agent."""
        talk, typing = self._talk, self._typing
        if typing is None or leg is not talk.first.leg:
            return
        if not typing.spoken:
            typing.spoken = True
            talk.moves.hush(leg)
        typing.until = talk.clock.monotonic() + PATIENCE
        if digit != "#":
            typing.digits += digit
            for action, bound in talk.calls.keys.bound().items():
                if typing.digits.endswith(bound):  # thought better of it
                    self._typing = None
                    talk.tell(Order(action, "", "key", talk.clock.event()))
            return
        self._typing = None
        order = Order(typing.verb, typing.digits, "phone", talk.clock.event())
        try:
            (transfer if typing.verb == "transfer" else consult)(talk, order)
        except InsidelineError as error:
            if talk.first.leg.kept:
                talk.reunite(by="phone")
            talk.failed(order, error)

    def look(self) -> None:
        """Who types nothing (more) talks to the caller again."""
        talk = self._talk
        if self._typing is not None and talk.clock.monotonic() >= self._typing.until:
            self._typing = None
            if talk.mode is Mode.HELD:
                talk.reunite(by="silence")

    def give_keys_back(self) -> None:
        """The first has its ordinary keys again, when no target is typed (any more)."""
        leg = self._changed
        if leg is None or self._typing is not None:
            return
        self._changed = None
        if leg.gone is None:
            self._talk.calls.require_line().post(keys.give_back(leg.uuid))


__all__ = ["TargetKeys"]
