"""``uuid_bridge`` and what it leaves behind: talks, parked legs, and the two limbos.

A bridge has an originator (A) and an originatee (B): CHANNEL_BRIDGE and CHANNEL_UNBRIDGE are fired on A
only. A ends in CS_SOFT_EXECUTE, B in CS_EXCHANGE_MEDIA. ``+OK`` of uuid_bridge is no bridge: both legs
leave what they run at their next frames, and only some 40 ms later the two meet. In between either
may vanish; then the other one is where the switch leaves it, and nobody is told.

What waits for B is done before the two meet (it looks at it in CS_RESET, before it goes to sleep). In the bridge
nothing is looked at for ten frames, and from then on one command a frame.

Source: switch_ivr_uuid_bridge (switch_ivr_bridge.c), and what FreeSWITCH 1.11 did when tried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.switch.simulator.running import Park, Running

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel

LEAD = 0.2  # seconds of a talk in which no command is looked at
MEETING = 0.04  # seconds between both legs being free and the bridge
PATIENCE = 20.0  # seconds that an originator waits for a leg that talks to another; then both are hung up


class Idle(Running):
    """A leg that runs nothing: promised a bridge that did not come, or parked twice.

    It fires nothing and looks at no command; what was sent is looked at when a transfer, a bridge or
    ``uuid_park`` takes it out of that.
    """

    silent = True
    listens = False

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel, "", "", "")


class Waiting(Idle):
    """An originator that looks for its originatee: nothing but the end of either gets it out of that."""

    deaf = True


class Leg(Running):
    """One side of a talk. Keys go to the other side; commands run here, one in a frame."""

    silent = True
    hasty = False

    def __init__(self, channel: Channel, bridge: Bridge) -> None:
        super().__init__(channel, "uuid_bridge", "", "")
        self.bridge = bridge

    @property
    def listens(self) -> bool:  # type: ignore[override]
        """Not in the first frames of a bridge."""
        return not self.bridge.talking or self.channel.clock.monotonic() - self.bridge.since >= LEAD - 1e-6

    def take_keys(self) -> None:
        channel = self.channel
        while channel.keys:
            digit = channel.take_key()
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
        self.on_over: Callable[[], None] | None = None  # instead of what usually becomes of A

    def other(self, channel: Channel) -> Channel:
        return self.b if channel is self.a else self.a

    # -- before the bridge ------------------------------------------------------------------------

    def free(self, channel: Channel) -> None:
        """One leg has left what it ran."""
        channel.set_state("CS_HIBERNATE")
        channel.set_state("CS_RESET")
        other = self.other(channel)
        if channel is self.b:
            channel.do_what_is_instant()
            # It sleeps until the originator wakes it; when there is none, for ever.
            channel.stack.append(Idle(channel))
            if not other.hangup_cause and other.uuid in self._free:
                self._both_are_free()
            else:
                self._free.add(channel.uuid)
            return
        channel.set_state("CS_SOFT_EXECUTE")
        if other.hangup_cause:
            self._nobody_there(channel)
            return
        channel.stack.append(Waiting(channel))
        if other.promise is not self:
            self._in_vain()
        elif other.uuid in self._free:
            self._both_are_free()
        else:
            self._free.add(channel.uuid)
            other.mourners.append(self._cancelled)

    def _both_are_free(self) -> None:
        self.b.set_state("CS_SOFT_EXECUTE")
        self.b.mourners.append(self._cancelled)
        self.a.clock.after(MEETING, self._meet)

    def _in_vain(self) -> None:
        """The originatee was promised to another: look for it until it ends, but not for ever."""
        self.b.mourners.append(self._cancelled)
        self.a.clock.after(PATIENCE, self._impatient)

    def _impatient(self) -> None:
        if self.a.promise is self and self.a.deaf:
            for leg in (self.a, self.b):
                leg.hangup("DESTINATION_OUT_OF_ORDER")

    def _nobody_there(self, a: Channel) -> None:
        """The originatee is gone when the originator gets to the bridge."""
        if a.true("park_after_bridge"):
            park(a)
        else:
            a.hangup("DESTINATION_OUT_OF_ORDER")

    def _cancelled(self) -> None:
        """The originatee is gone while the originator looks for it."""
        a = self.a
        if a.hangup_cause or self.talking or not a.deaf or a.wake_from_vain():
            return
        a.stack.clear()
        if a.true("uuid_bridge_continue_on_cancel"):
            a.set_state("CS_EXECUTE")
            a.follow_plan()
        elif a.true("uuid_bridge_park_on_cancel"):
            park(a)
        else:
            a.hangup("ORIGINATOR_CANCEL")

    def _meet(self) -> None:
        a, b = self.a, self.b
        if a.hangup_cause or b.hangup_cause:
            return  # an originatee that is left stays in CS_SOFT_EXECUTE, and nobody is told
        if a.promise is not self or not a.deaf:
            return  # promised to somebody else meanwhile
        if b.promise is not self:
            self._in_vain()
            return
        if not b.media:
            b.hangup("DESTINATION_OUT_OF_ORDER")
            a.hangup("ORIGINATOR_CANCEL")
            return
        for leg in (a, b):
            leg.stack.clear()
            leg.promise = None
        a.set("uuid_bridge", None)
        a.fire("CHANNEL_EXECUTE", {"Application": "uuid_bridge", "Application-Data": b.uuid})
        b.fire("CHANNEL_EXECUTE", {"Application": "uuid_bridge", "Application-Data": a.uuid})
        a.stack.append(Leg(a, self))
        self.begin()

    def begin(self) -> None:
        """The talk begins; A has its leg on its stack already, B runs nothing."""
        a, b = self.a, self.b
        a.bridge = b.bridge = self
        self.talking = True
        self.since = a.clock.monotonic()
        a.profile.times.bridged = b.profile.times.bridged = a.microseconds()
        a.touched()
        b.touched()
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
            if leg.keys:
                leg.wake()
            self.a.clock.after(LEAD, leg.wake)

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
        if leg is self.a and self.on_over is not None:
            self.on_over()
            return
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
    if channel.state == "CS_PARK":
        # It leaves the park and, its state being no other than before, never gets into it again.
        channel.stack.append(Idle(channel))
        return
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
    if not b.inbound:
        b.profile.logical_direction = "outbound"
    rival = b.promise
    rivals = rival is not None and rival.b is b and rival.a is not a and not rival.a.hangup_cause
    first_wins = rivals and b.switch.random.random() < 0.25  # whose thread is quicker
    for leg in (a, b):
        leg.touched()
        if leg is a or not first_wins:
            leg.promise = bridge
        if leg.broadcast:
            leg.stop_broadcast = True
        leg.interrupt("CS_HIBERNATE", _Freed(leg))
    return True


class _Freed:
    """Called when a leg has left what it ran: it goes on to the bridge that it is promised to."""

    def __init__(self, leg: Channel) -> None:
        self.leg = leg

    def __call__(self) -> None:
        if self.leg.promise is not None:
            self.leg.promise.free(self.leg)
