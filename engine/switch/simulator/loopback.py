"""``loopback/NUMBER/CONTEXT``: two channels that are each other's far end (mod_loopback).

The first is the originate's, the second walks into the dialplan like a call from outside. The first is answered when
the second is; what is keyed at one is pressed at the other; each hangs up with the other. Only what ``loopback_export``
names goes along from the first's variables to the second's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.switch.simulator.party import Party

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel
    from engine.switch.simulator.originate import Originate
    from engine.switch.simulator.switch import Switch


class _Near(Party):
    """The far end of the first channel: the second."""

    def __init__(self) -> None:
        self.other: Channel | None = None

    def key_heard(self, digit: str) -> None:
        if self.other is not None:
            self.other.press(digit)

    def over(self, cause: str) -> None:
        if self.other is not None and not self.other.hangup_cause:
            self.other.hangup(cause)


class _Far(_Near):
    """The far end of the second channel: the first, which rings until this one is answered."""

    def __init__(self, originate: Originate) -> None:
        super().__init__()
        self._originate = originate

    def ringing(self) -> None:
        self._originate.rings()

    def answered(self) -> None:
        self._originate.answered()


class Loop:
    """Where an originate to a loopback leads (an ``engine.switch.simulator.switch.Callee``)."""

    def __init__(self, switch: Switch, number: str, context: str) -> None:
        self._switch = switch
        self._number = number
        self._context = context
        self._channel: Channel | None = None
        self._originate: Originate | None = None
        self.party = _Near()

    def attach(self, channel: Channel, originate: Originate) -> None:
        self._channel, self._originate = channel, originate

    def called(self) -> None:
        assert self._channel is not None
        assert self._originate is not None
        first, far = self._channel, _Far(self._originate)
        names = str(first.variables.get("loopback_export", "")).split(",")
        exported = {name: str(first.variables[name]) for name in names if name in first.variables}
        far.other = first
        self.party.other = self._switch.arrive(
            far,
            self._number,
            caller=first.profile.caller_id_number,
            name=first.profile.caller_id_name,
            channel_name=f"loopback/{self._number}-b",
            context=self._context,
            variables={"is_loopback": "1", "loopback_leg": "B", **exported},
        )


__all__ = ["Loop"]
