"""``bridge DIALSTRING``: call somebody and talk with him, as one application of the dialplan.

The caller stays in CS_EXECUTE. When nobody is reached the call ends with the cause, unless
``continue_on_fail`` says otherwise; after a talk ``park_after_bridge`` and ``hangup_after_bridge`` decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.switch.simulator.bridges import Bridge, Leg, park
from engine.switch.simulator.originate import Originate, read
from engine.switch.simulator.running import Running

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel


class BridgeApp(Leg):
    """From the first ring to the end of the talk."""

    silent = False

    def __init__(self, channel: Channel, app: str, arg: str, uuid: str) -> None:
        Running.__init__(self, channel, app, arg, uuid)
        self._originate: Originate | None = None
        self._over = False

    def start(self) -> None:
        channel = self.channel
        order = read(f"{self.arg} &park()")
        if order is None:
            self._failed("-ERR INVALID_URL")
            return
        order.caller_id_name = order.caller_id_name or channel.profile.caller_id_name
        order.caller_id_number = order.caller_id_number or channel.profile.caller_id_number
        self._originate = Originate(channel.switch, order, self._answered_or_not, join=self._join)
        self._originate.start()

    def _answered_or_not(self, text: str) -> None:
        if not text.startswith("+OK"):
            self._failed(text)

    def _failed(self, text: str) -> None:
        channel = self.channel
        cause = text.removeprefix("-ERR ").strip()
        self._originate = None
        self._over = True
        channel.set("originate_disposition", cause)
        channel.set("DIALSTATUS", cause)
        if not channel.ready:
            return
        if channel.true("continue_on_fail"):
            self.resume()
        else:
            channel.hangup(cause)

    def _join(self, other: Channel) -> None:
        channel = self.channel
        self._originate = None
        channel.set("originate_disposition", "SUCCESS")
        channel.set("DIALSTATUS", "SUCCESS")
        if not channel.ready:
            other.hangup("ORIGINATOR_CANCEL")
            return
        channel.answer()
        for leg, peer, kind in ((other, channel, "originator"), (channel, other, "originatee")):
            leg.other = peer.profile.copy()
            leg.other_type = kind
            leg.set("signal_bond", peer.uuid)
            leg.touched()
        self.bridge = Bridge(channel, other)
        self.bridge.on_over = self._talked
        self.bridge.begin()

    def take_keys(self) -> None:
        if self.channel.bridge is not None:
            super().take_keys()
        else:
            self.channel.take_key()

    def _talked(self) -> None:
        channel = self.channel
        self._over = True
        if channel.true("park_after_bridge"):
            channel.interrupt("CS_PARK", lambda: park(channel))
        elif channel.true("hangup_after_bridge"):
            channel.hangup("NORMAL_CLEARING")
        else:
            self.resume()

    def resume(self) -> None:
        channel = self.channel
        if self._over and channel.stack and channel.stack[-1] is self:
            channel.finish(self)

    def abort(self) -> str | None:
        if self._originate is not None:
            self._originate.cancel()
            self._originate = None
        elif not self._over:
            self.bridge.on_over = None
            self.bridge.leave(self.channel)
        return None
