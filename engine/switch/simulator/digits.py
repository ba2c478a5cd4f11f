"""``bind_digit_action``: keys of a talk that mean something, and never reach the other party.

The argument is ``realm,digits|~regex,action,argument[,target,event target]``; the action that the
engine uses is ``exec:event``, which fires an event with the headers of its argument.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.clock import Timer

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel

GAP = 1.5  # seconds between two keys of one sequence


class DigitMachine:
    """The bound sequences of a channel, and the keys that may become one of them."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.bound: dict[str, dict[str, tuple[str, str]]] = {}
        self._held = ""
        self._timer: Timer | None = None

    def bind(self, realm: str, digits: str, action: str, argument: str) -> None:
        self.bound.setdefault(realm, {})[digits] = (action, argument)

    def clear(self, realm: str) -> None:
        if realm == "all":
            self.bound.clear()
        else:
            self.bound.pop(realm, None)

    def feed(self, digit: str) -> bool:
        """Take a key; False when it belongs to no bound sequence (it goes on to the other party)."""
        keys = self._held + digit
        candidates = {digits: deed for realm in self.bound.values() for digits, deed in realm.items()}
        exact = _exact(keys, candidates)
        if exact is not None:
            self._forget()
            self._do(*exact)
            return True
        if any(not bound.startswith("~") and bound.startswith(keys) for bound in candidates):
            self._held = keys
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._channel.clock.after(GAP, self._forget)
            return True
        self._forget()
        return False

    def _forget(self) -> None:
        self._held = ""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _do(self, action: str, argument: str) -> None:
        verb, _, app = action.partition(":")
        if verb in ("exec", "exec[i]") and app:
            self._channel.execute(app, argument)


def _exact(keys: str, candidates: dict[str, tuple[str, str]]) -> tuple[str, str] | None:
    for digits, deed in candidates.items():
        if digits.startswith("~"):
            if re.fullmatch(digits[1:], keys):
                return deed
        elif digits == keys:
            return deed
    return None


def split_commas(text: str) -> list[str]:
    """Fields at commas; apostrophes keep commas together and are dropped."""
    fields, field, quoted = [], "", False
    for char in text:
        if char == "'":
            quoted = not quoted
        elif char == "," and not quoted:
            fields.append(field)
            field = ""
        else:
            field += char
    return [*fields, field]


def bind_digit_action(channel: Channel, arg: str) -> str | None:
    """The application."""
    fields = split_commas(arg)
    if len(fields) >= 3:
        if channel.digit_machine is None:
            channel.digit_machine = DigitMachine(channel)
        channel.digit_machine.bind(fields[0], fields[1], fields[2], fields[3] if len(fields) > 3 else "")
    return None


def clear_digit_action(channel: Channel, arg: str) -> str | None:
    """The application that unbinds a realm (``all``: everything)."""
    if channel.digit_machine is not None:
        channel.digit_machine.clear(arg.split(",")[0] or "all")
    return None
