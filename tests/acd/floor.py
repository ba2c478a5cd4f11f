"""A floor for the tests of the ACD: callers and agents' phones that do what a test tells them."""

from __future__ import annotations

from collections.abc import Mapping

from engine.clock import Clock
from engine.errors import NoSuchCall, NotConnected
from engine.types import AgentView, Briefing, RingKind, RingResult, Sound, TalkEnd, TalkResult


class FakeRing:
    """One ringing phone. A test answers it, lets it ring, hangs it up."""

    def __init__(self, floor: FakeFloor, call_id: str, agent: str, leg: str, seconds: float) -> None:
        self.floor = floor
        self.call_id = call_id
        self.agent = agent
        self.leg = leg
        self.seconds = seconds
        self.variables: Mapping[str, str] = {}
        self.result: RingResult | None = None
        self.over: TalkResult | None = None
        self.bridged = False
        self.dropped = False
        self.cancelled = False
        self.bridges = True  # whether connect() makes a bridge
        self.deaf = False  # says nothing any more, as a floor with a fault would
        self.bridged_at = 0.0
        self.briefings: list[Briefing] = []
        self.announced: list[Sound] = []
        self._briefed = floor.clock.event()
        self._caller_left = floor.clock.event()
        self._rung = floor.clock.event()
        self._ended = floor.clock.event()

    # -- what the ACD does ------------------------------------------------------------------------

    def wait(self) -> RingResult:
        self._rung.wait(None if self.deaf else self.seconds)
        if self.result is None:
            self._end(RingKind.NO_ANSWER, "NO_ANSWER")
        assert self.result is not None
        return self.result

    def cancel(self) -> None:
        self.cancelled = True
        self._briefed.set()
        if not self.deaf:
            self._end(RingKind.CANCELLED, "ORIGINATOR_CANCEL")

    def brief(self, briefing: Briefing) -> RingResult:
        self.briefings.append(briefing)
        if not self._briefed.wait(30):
            return RingResult(RingKind.NO_ANSWER, "nobody accepted the call")
        return RingResult(RingKind.CANCELLED if self.cancelled else RingKind.ANSWERED)

    def announce(self, sound: Sound) -> None:
        self.announced.append(sound)
        self._caller_left.wait(sound.seconds)

    def caller_left(self) -> None:
        self._caller_left.set()

    def connect(self) -> bool:
        self.floor.clock.sleep(self.floor.bridge_time)
        if self.dropped or not self.bridges or self.call_id not in self.floor.callers:
            return False
        self.floor.check_bridge(self)
        self.bridged = True
        self.bridged_at = self.floor.clock.monotonic()
        return True

    def wait_over(self) -> TalkResult:
        self._ended.wait()
        assert self.over is not None
        return self.over

    def drop(self) -> None:
        self.dropped = True
        self.end_talk(TalkEnd.LOST)

    # -- what a test does -------------------------------------------------------------------------

    @property
    def rings(self) -> bool:
        return self.result is None and not self.dropped

    def answer(self) -> None:
        self._end(RingKind.ANSWERED, "")

    def accept(self) -> None:
        """What the agent is told is over, and it wants the call."""
        self._briefed.set()

    def fail(self, kind: RingKind, cause: str = "") -> None:
        self._end(kind, cause)

    def end_talk(self, by: TalkEnd) -> None:
        if self.bridged and self.over is None:
            self.bridged = False
            self.over = TalkResult(by, self.floor.clock.monotonic() - self.bridged_at)
            self._ended.set()

    def _end(self, kind: RingKind, cause: str) -> None:
        if self.result is None:
            self.result = RingResult(kind, cause)
            self._rung.set()


class FakeFloor:
    """The live calls. ``rings`` keeps every ring that the ACD asked for, in order."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.callers: set[str] = set()
        self.rings: list[FakeRing] = []
        self.dead_legs: set[str] = set()
        self.connected = True
        self.raises: Exception | None = None
        self.bridge_time = 0.0

    def ring(
        self, call_id: str, agent: AgentView, *, seconds: float, variables: Mapping[str, str]
    ) -> FakeRing:
        if self.raises is not None:
            raise self.raises
        if not self.connected:
            raise NotConnected("there is no event socket")
        if call_id not in self.callers:
            raise NoSuchCall(f"no call {call_id}")
        return self.add(call_id, agent.id, seconds, variables)

    def add(
        self, call_id: str, agent: str, seconds: float = 20.0, variables: Mapping[str, str] | None = None
    ) -> FakeRing:
        """A ring that is there, whoever made it; one phone never rings twice at once."""
        busy = [ring for ring in self.rings if ring.agent == agent and (ring.rings or ring.bridged)]
        assert not busy, f"the phone of {agent} rings or talks already"
        ring = FakeRing(self, call_id, agent, f"leg-{len(self.rings) + 1}", seconds)
        ring.variables = variables or {}
        self.rings.append(ring)
        return ring

    def adopt(self, call_id: str, leg: str) -> FakeRing:
        for ring in self.rings:
            if ring.leg == leg and ring.call_id == call_id:
                return ring
        raise NoSuchCall(f"no leg {leg}")

    def leg_alive(self, leg: str) -> bool:
        return leg not in self.dead_legs

    def caller_alive(self, call_id: str) -> bool:
        return call_id in self.callers

    def check_bridge(self, ring: FakeRing) -> None:
        for other in self.rings:
            if other is not ring and other.bridged:
                assert other.call_id != ring.call_id, "one call is bridged twice"
                assert other.agent != ring.agent, "one agent talks twice"

    def ringing(self, agent: str = "", call_id: str = "") -> FakeRing:
        """The one ring that rings now (for an agent, for a call)."""
        found = [
            ring
            for ring in self.rings
            if ring.rings and agent in ("", ring.agent) and call_id in ("", ring.call_id)
        ]
        assert len(found) == 1, f"{len(found)} phones ring"
        return found[0]

    def hang_up(self, call_id: str) -> None:
        """The caller hangs up."""
        self.callers.discard(call_id)
        for ring in self.rings:
            if ring.call_id == call_id:
                ring.end_talk(TalkEnd.CALLER)
