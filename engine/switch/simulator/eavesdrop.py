"""``eavesdrop UUID``: a supervisor on somebody's leg; the keys 0-3 choose who hears him."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.switch.simulator.running import Running

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel

MODES = {"0": "listen", "1": "whisper to the other party", "2": "whisper to the leg", "3": "barge"}


class Eavesdrop(Running):
    """Ends when the leg it listens to ends."""

    def start(self) -> None:
        channel = self.channel
        self.mode = "listen"
        target = channel.switch.channels.get(self.arg.strip())
        if target is None or target.hangup_cause:
            channel.finish(self)
            return
        self._target: Channel = target
        target.eavesdroppers.append(self)

    def take_keys(self) -> None:
        while self.channel.keys:
            digit = self.channel.take_key()
            self.mode = MODES.get(digit, self.mode)

    def target_gone(self) -> None:
        """The leg it listened to was hung up."""
        self.resume()

    def resume(self) -> None:
        channel = self.channel
        gone = bool(self._target.hangup_cause)
        if gone and channel.stack and channel.stack[-1] is self:
            channel.finish(self)

    def abort(self) -> str | None:
        if self in self._target.eavesdroppers:
            self._target.eavesdroppers.remove(self)
        return None
