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

    def __init__(self, channel: Channel, *, deaf: bool) -> None:
        super().__init__(channel, "limbo", "", "")
        self.deaf = deaf


class Leg(Running):
    """One side of a talk. Keys go to the other side; commands run here as anywhere."""

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
            self._left_alone(channel, other)
            return
        if channel is self.a:
            channel.set_state("CS_SOFT_EXECUTE")
        self._free.add(channel.uuid)
        channel.stack.append(Limbo(channel, deaf=True))
        if len(self._free) == 2:
            self.b.set_state("CS_SOFT_EXECUTE")
            self.a.clock.after(MEETING, self._meet)

    def _left_alone(self, channel: Channel, gone: Channel) -> None:
        """The other leg vanished before the two met."""
        if channel is self.a:
            if gone.gone and channel.true("park_after_bridge"):
                park(channel)
            else:
                channel.hangup("DESTINATION_OUT_OF_ORDER")
            return
        channel.stack.clear()
        channel.set_state("CS_SOFT_EXECUTE")
        channel.stack.append(Limbo(channel, deaf=False))

    def _meet(self) -> None:
        a, b = self.a, self.b
        for leg in (a, b):
            if leg.promise is not self:
                return  # promised to somebody else meanwhile
        a_waits, b_waits = not a.hangup_cause, not b.hangup_cause
        if not a_waits or not b_waits:
            if a_waits:
                self._left_alone(a, b)
            elif b_waits:
                self._left_alone(b, a)
            return
        for leg in (a, b):
            leg.stack.clear()
            leg.promise = None
            leg.bridge = self
        self.talking = True
        self.since = self.a.clock.monotonic()
        now = a.microseconds()
        a.set("uuid_bridge", None)
        a.fire("CHANNEL_EXECUTE", {"Application": "uuid_bridge", "Application-Data": b.uuid})
        b.fire("CHANNEL_EXECUTE", {"Application": "uuid_bridge", "Application-Data": a.uuid})
        a.profile.times.bridged = b.profile.times.bridged = now
        a.touched()
        b.touched()
        a.stack.append(_silent(Leg(a, self)))
        a.fire("CHANNEL_BRIDGE", {"Bridge-A-Unique-ID": a.uuid, "Bridge-B-Unique-ID": b.uuid})
        b.set_state("CS_CONSUME_MEDIA")
        b.set_state("CS_EXCHANGE_MEDIA")
        b.stack.append(_silent(Leg(b, self)))
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
        self.a.fire(
            "CHANNEL_UNBRIDGE", {"Bridge-A-Unique-ID": self.a.uuid, "Bridge-B-Unique-ID": self.b.uuid}
        )
        channel.party.unbridged(other.uuid)
        other.party.unbridged(channel.uuid)
        if other.hangup_cause or other.redirect is not None:
            return  # it is on its own way already
        while other.stack:
            task = other.stack.pop()
            if not isinstance(task, Leg):
                task.abort()
        other.call_uuid = other.uuid
        if other.true("park_after_bridge"):
            park(other)
        elif other is self.a and not other.true("hangup_after_bridge"):
            other.set_state("CS_EXECUTE")
            other.follow_plan()
        else:
            other.hangup(channel.hangup_cause or "NORMAL_CLEARING")


def _silent(task: Running) -> Running:
    task.silent = True
    return task


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
        leg.interrupt(_freed(bridge, leg))
    return True


def _freed(bridge: Bridge, leg: Channel) -> _Freed:
    return _Freed(bridge, leg)


class _Freed:
    """Called when a leg has left what it ran: it goes on to its bridge, if that is still the one wanted."""

    def __init__(self, bridge: Bridge, leg: Channel) -> None:
        self.bridge = bridge
        self.leg = leg

    def __call__(self) -> None:
        if self.leg.promise is self.bridge:
            self.bridge.free(self.leg)
