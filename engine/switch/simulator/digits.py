"""``bind_digit_action``: keys that mean something, and reach neither the other party nor any event.

Only keys that come over the line are looked at; those of ``uuid_recv_dtmf`` are not.

The argument is ``realm,digits|~regex,action,argument[,target,event target]``. Of the realms one counts at a time: the
one that was bound first anew, or that ``digit_action_set_realm`` has chosen. The actions that the engine uses are
``exec[i]:event``, which fires an event with the headers of its argument, and ``exec[i]:digit_action_set_realm``; an
``exec[i]`` is run in the moment of the key, an ``exec`` in the next frame.
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
        self.realm = ""
        self._held = ""
        self._timer: Timer | None = None

    def bind(self, realm: str, digits: str, action: str, argument: str) -> None:
        bindings = self.bound.setdefault(realm, {})
        if digits not in bindings:
            self.realm = realm
        bindings[digits] = (action, argument)

    def choose(self, realm: str) -> None:
        """Let the bindings of ``realm`` count; of one that is unknown the switch only logs."""
        if realm in self.bound:
            self.realm = realm

    def clear(self, realm: str) -> None:
        if realm == "all":
            self.bound.clear()
        else:
            self.bound.pop(realm, None)
        if self.realm not in self.bound:
            self.realm = ""

    def feed(self, digit: str) -> bool:
        """Take a key that came over the line; False when it belongs to no bound sequence."""
        keys = self._held + digit
        candidates = self.bound.get(self.realm, {})
        exact = _exact(keys, candidates)
        if exact is not None:
            self._held = ""
            self._stop()
            self._channel.set("last_matching_digits", keys)
            if exact[0].startswith("exec[i]"):
                self._do(*exact)
            else:
                self._channel.clock.after(self._channel.next_frame(), self._do, *exact)
            return True
        if any(not bound.startswith("~") and bound.startswith(keys) for bound in candidates):
            self._held = keys
            self._stop()
            self._timer = self._channel.clock.after(GAP, self._release)
            return True
        if not self.bound:
            return False
        self._held = keys
        self._release()
        return True

    def _release(self) -> None:
        """What was held back is no sequence: it goes on, as if an application had sent it."""
        keys, self._held = self._held, ""
        self._stop()
        self._channel.queue_keys(keys, "APP")

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _do(self, action: str, argument: str) -> None:
        verb, _, app = action.partition(":")
        if verb in ("exec", "exec[i]") and app and self._channel.ready and self._channel.stack:
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


def digit_action_set_realm(channel: Channel, arg: str) -> str | None:
    """The application that lets the bindings of another realm count."""
    if channel.digit_machine is not None:
        channel.digit_machine.choose(arg.split(",")[0])
    return None


def clear_digit_action(channel: Channel, arg: str) -> str | None:
    """The application that unbinds a realm (``all``: everything)."""
    if channel.digit_machine is not None:
        channel.digit_machine.clear(arg.split(",")[0] or "all")
    return None
