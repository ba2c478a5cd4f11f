"""``uuid_bridge`` and what it leaves behind: talks, parked legs, and the two limbos.

A bridge has an originator (A) and an originatee (B): CHANNEL_BRIDGE and CHANNEL_UNBRIDGE are fired on A
only. A ends in CS_SOFT_EXECUTE, B in CS_EXCHANGE_MEDIA. ``+OK`` of uuid_bridge is no bridge: both legs
leave what they run at their next frames, and only some 40 ms later the two meet. In between either
may vanish; then the other one is where the switch leaves it, and nobody is told.

Source: switch_ivr_uuid_bridge (switch_ivr_bridge.c), and what FreeSWITCH 1.11 did when tried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.switch.simulator.running import Park, Running

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel

MEETING = 0.04  # seconds between both legs being free and the bridge


class Limbo(Running):
    """A leg that was promised a bridge and waits in CS_SOFT_EXECUTE. It fires nothing."""

    silent = True

    def __init__(self, channel: Channel, *, deaf: bool) -> None:
        super().__init__(channel, "limbo", "", "")
        self.deaf = deaf


class Leg(Running):
    """One side of a talk. Keys go to the other side; commands run here as anywhere."""

    silent = True

    def __init__(self, channel: Channel, bridge: Bridge) -> None:
        super().__init__(channel, "uuid_bridge", "", "")
        self.bridge = bridge

    def take_keys(self) -> None:
        channel = self.channel
        while channel.keys:
            digit = channel.take_key()
            if channel.digit_machine is not None and channel.digit_machine.feed(digit):
                continue
            self.bridge.other(channel).party.key_heard(digit)

    def abort(self) -> str | None:
        self.bridge.leave(self.channel)
        return None


class Bridge:
    """Two legs that are promised to each other, or talk."""

    def __init__(self, a: Channel, b: Channel) -> None:
        self.a = a
        self.b = b
        self.talking = False
        self.since = 0.0
        self._free: set[str] = set()

    def other(self, channel: Channel) -> Channel:
        return self.b if channel is self.a else self.a

    # -- before the bridge ------------------------------------------------------------------------

    def free(self, channel: Channel) -> None:
        """One leg has left what it ran."""
        channel.set_state("CS_HIBERNATE")
        channel.set_state("CS_RESET")
        other = self.other(channel)
        if other.hangup_cause:
            if channel is self.a:
                channel.set_state("CS_SOFT_EXECUTE")
                self._nobody_there(channel)
            return  # the originatee stays in CS_RESET, and nobody is told
        if channel is self.a:
            channel.set_state("CS_SOFT_EXECUTE")
        self._free.add(channel.uuid)
        channel.stack.append(Limbo(channel, deaf=True))
        if len(self._free) == 2:
            self.b.set_state("CS_SOFT_EXECUTE")
            self.a.clock.after(MEETING, self._meet)

    def _nobody_there(self, a: Channel) -> None:
        """The originatee is gone when the originator gets to the bridge."""
        if a.true("park_after_bridge"):
            park(a)
        else:
            a.hangup("DESTINATION_OUT_OF_ORDER")

    def _meet(self) -> None:
        a, b = self.a, self.b
        if a.promise is not self or b.promise is not self:
            return  # promised to somebody else meanwhile
        if a.hangup_cause or b.hangup_cause:
            if not a.hangup_cause:
                a.hangup("ORIGINATOR_CANCEL")
            return  # an originatee that is left stays in CS_SOFT_EXECUTE, and nobody is told
        for leg in (a, b):
            leg.stack.clear()
            leg.promise = None
            leg.bridge = self
        self.talking = True
        self.since = a.clock.monotonic()
        now = a.microseconds()
        a.set("uuid_bridge", None)
        a.fire("CHANNEL_EXECUTE", {"Application": "uuid_bridge", "Application-Data": b.uuid})
        b.fire("CHANNEL_EXECUTE", {"Application": "uuid_bridge", "Application-Data": a.uuid})
        a.profile.times.bridged = b.profile.times.bridged = now
        a.touched()
        b.touched()
        a.stack.append(Leg(a, self))
        a.fire("CHANNEL_BRIDGE", {"Bridge-A-Unique-ID": a.uuid, "Bridge-B-Unique-ID": b.uuid})
        b.set_state("CS_CONSUME_MEDIA")
        b.set_state("CS_EXCHANGE_MEDIA")
        b.stack.append(Leg(b, self))
        b.call_uuid = a.uuid
        b.set("call_uuid", a.uuid)
        for leg, other in ((a, b), (b, a)):
            leg.set("bridge_to", other.uuid)
            leg.set("last_bridge_to", other.uuid)
            for recording in leg.recordings.values():
                recording.talks(True)
            leg.party.bridged(other.uuid)
            if leg.pending or leg.keys:
                leg.wake()

    # -- the end of the talk ----------------------------------------------------------------------

    def leave(self, channel: Channel) -> None:
        """One leg leaves (hung up, transferred, bridged to another): tell the other one."""
        if not self.talking:
            return
        self.talking = False
        other = self.other(channel)
        for leg in (self.a, self.b):
            leg.bridge = None
            leg.set("bridge_to", None)
            for recording in leg.recordings.values():
                recording.talks(False)
        if channel.hangup_cause:
            other.set("last_bridge_hangup_cause", channel.hangup_cause)
            other.set("bridge_hangup_cause", channel.hangup_cause)
        channel.party.unbridged(other.uuid)
        other.party.unbridged(channel.uuid)
        if channel is self.a:
            self._release(other, channel.hangup_cause)
            self._unbridged()
        elif channel.hangup_cause:
            # B accounts for itself before A hears of it.
            self.a.clock.after(0.0, self._a_is_left, channel.hangup_cause)
        else:
            self._a_is_left("")

    def _a_is_left(self, cause: str) -> None:
        self._unbridged()
        self._release(self.a, cause)

    def _unbridged(self) -> None:
        a = self.a
        if not a.gone:
            a.fire("CHANNEL_UNBRIDGE", {"Bridge-A-Unique-ID": a.uuid, "Bridge-B-Unique-ID": self.b.uuid})

    def _release(self, leg: Channel, cause: str) -> None:
        """The leg that stays: parked, on with its plan, or hung up, as its variables say."""
        if not leg.ready:
            return  # it is on its own way already
        while leg.stack:
            leg.drop_top()
        leg.call_uuid = leg.uuid
        if leg.true("park_after_bridge"):
            park(leg)
        elif leg is self.a and not leg.true("hangup_after_bridge"):
            leg.set_state("CS_EXECUTE")
            leg.follow_plan()
        else:
            leg.hangup(cause or "NORMAL_CLEARING")


def park(channel: Channel) -> None:
    """Put a channel that runs nothing into CS_PARK."""
    channel.promise = None
    channel.enter(Park(channel, "park", "", ""), "CS_PARK")


def uuid_bridge(a: Channel, b: Channel) -> bool:
    """Promise two legs to each other. False when it can't be (neither has media, or A is hung up)."""
    if a.hangup_cause:
        return False
    if not a.media:
        if not b.media:
            return False
        a, b = b, a
    if not a.inbound and not a.hit_dialplan:
        a.flip_caller_id()
        a.hit_dialplan = True
    if not b.inbound:
        b.hit_dialplan = False
    bridge = Bridge(a, b)
    a.set("uuid_bridge", b.uuid)
    for leg, other in ((a, b), (b, a)):
        leg.set("bridge_channel", other.name)
        leg.set("bridge_uuid", other.uuid)
        leg.set("signal_bond", other.uuid)
    for leg in (b, a):
        leg.set("original_destination_number", leg.profile.destination_number)
        leg.set("original_caller_id_name", leg.profile.caller_id_name)
        leg.set("original_caller_id_number", leg.profile.caller_id_number)
    for leg, other, kind in ((b, a, "originator"), (a, b, "originatee")):
        leg.profile.index += 1
        leg.profile.times.profile_created = leg.microseconds()
        leg.other = other.profile.copy()
        leg.other_type = kind
        source = f"{leg.microseconds() // 1_000_000}:{leg.switch.new_uuid()}:uuid_br:{other.uuid}"
        leg.profile.transfer_source = source
        leg.set("transfer_history", source)
        leg.set("transfer_source", source)
    a.profile.callee_id_name, a.profile.callee_id_number = (
        b.profile.callee_id_name,
        b.profile.callee_id_number,
    )
    b.profile.caller_id_name, b.profile.caller_id_number = (
        a.profile.caller_id_name,
        a.profile.caller_id_number,
    )
    for leg in (a, b):
        leg.touched()
        leg.promise = bridge
        leg.interrupt("CS_HIBERNATE", _Freed(bridge, leg))
    return True


class _Freed:
    """Called when a leg has left what it ran: it goes on to its bridge, if that is still the one wanted."""

    def __init__(self, bridge: Bridge, leg: Channel) -> None:
        self.bridge = bridge
        self.leg = leg

    def __call__(self) -> None:
        if self.leg.promise is self.bridge:
            self.bridge.free(self.leg)
