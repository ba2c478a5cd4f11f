"""A leg that the engine dials for a caller, from the first ring to the end of the talk: an agent's phone (what the
ACD's floor is made of), an extension, a number outside.

The engine chooses the leg's UUID, so that it can cancel the ringing before the switch has said anything,
and writes the caller's id on the leg, so that an engine after this one can tell whose it is.

Limbo (see ``docs/decisions``): a caller who hangs up in the moment of the bridge leaves the agent's leg in
CS_SOFT_EXECUTE, silent and without another event. So there is never more than one pending bridge per leg, and
a bridge that is not reported within a second is looked at and the legs are freed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import structlog

from engine.calls.call import Call
from engine.calls.leg import Leg
from engine.calls.outbound import Outbound
from engine.calls.registry import AGENT, OWNER, Calls, Expected
from engine.calls.resync import bridged_now, dump
from engine.calls.signals import Answered, Bridged, Done, Gone, Key
from engine.calls.talk_start import begin_talk, give_keys
from engine.clock import Empty
from engine.errors import DialRefused, NoSuchCall, SwitchError
from engine.esl import commands
from engine.esl.commands import Dial, GatewayDial, PhoneDial
from engine.types import AgentView, Briefing, RingKind, RingResult, Sound, TalkEnd, TalkResult

log = structlog.get_logger(__name__)

BRIDGE_WATCHDOG = 1.0
"""Seconds from ``uuid_bridge`` to CHANNEL_BRIDGE, after which the legs are looked at and freed."""

ANSWER_LIMIT = 1.0
"""Seconds from telling the caller's leg to answer until the bridge is tried all the same."""

ASKED = 2
"""How often somebody who answered is asked to accept."""

ACCEPT_WITHIN = 6.0
"""Seconds after the question until it counts as not accepted."""

BROKEN_WITHIN = 0.3
"""Seconds until a sound that was broken off must be over."""

BEGUN_WITHIN = 0.06
"""Seconds from sending a sound until the leg plays it (the switch looks once in a frame of 20 ms)."""

LATE_SOUND = 5.0
"""Seconds beyond the length of a sound in which its end must be heard of."""

LATE_REPLY = 3.0
"""Seconds beyond the ringing time before a leg that nothing was heard of is given up."""

_NONE: Mapping[str, str] = MappingProxyType({})

_KINDS = {
    "USER_NOT_REGISTERED": RingKind.UNREACHABLE,
    "SUBSCRIBER_ABSENT": RingKind.UNREACHABLE,
    "UNALLOCATED_NUMBER": RingKind.UNREACHABLE,
    "NORMAL_TEMPORARY_FAILURE": RingKind.UNREACHABLE,
    "NETWORK_OUT_OF_ORDER": RingKind.UNREACHABLE,
    "DESTINATION_OUT_OF_ORDER": RingKind.UNREACHABLE,
    "RECOVERY_ON_TIMER_EXPIRE": RingKind.UNREACHABLE,
    "GATEWAY_DOWN": RingKind.UNREACHABLE,
    "USER_BUSY": RingKind.BUSY,
    "CALL_REJECTED": RingKind.REJECTED,
    "NO_ANSWER": RingKind.NO_ANSWER,
    "NO_USER_RESPONSE": RingKind.NO_ANSWER,
    "ALLOTTED_TIMEOUT": RingKind.NO_ANSWER,
    "ORIGINATOR_CANCEL": RingKind.CANCELLED,
}


class AgentRing:
    """One leg to one phone (an ``engine.acd.floor.Ring``). Its waits belong to one greenlet."""

    def __init__(self, calls: Calls, call_id: str, leg: Leg, seconds: float) -> None:
        self._calls = calls
        self._call_id = call_id
        self._leg = leg
        self._seconds = seconds
        self._result: RingResult | None = None
        self._over: TalkResult | None = None
        self._cancelled = False
        self._briefed = False  # it is being told something: that can be cancelled, too
        self._bridged_at: float | None = None
        self._job: Any = None

    @property
    def leg(self) -> str:
        """The UUID of the channel that is dialled."""
        return self._leg.uuid

    @property
    def known(self) -> bool:
        """Whether the leg is still this engine's to hang up."""
        return self.leg in self._calls.legs

    @property
    def stopped(self) -> bool:
        """Whether the ringing was cancelled by us, and nobody had answered."""
        return self._result is not None and self._result.kind is RingKind.CANCELLED

    @property
    def adopted_talk(self) -> bool:
        """Whether an earlier engine had bridged the two already."""
        return self._bridged_at is not None and self._result is not None

    def originate(self, dial: Dial, variables: Mapping[str, str], *, number: str, name: str) -> None:
        """Ask the switch to ring; ``number`` and ``name`` are shown there."""
        origination = commands.Originate(
            uuid=self.leg,
            dial=dial,
            timeout=round(self._seconds),
            caller_id_number=number,
            caller_id_name=name,
            variables={
                OWNER: self._call_id,
                AGENT: self._leg.agent,
                "park_after_bridge": "true",
                "hangup_after_bridge": "false",
                **variables,
            },
        )
        self._job = self._calls.require_line().bgapi(commands.originate(origination), self._on_originated)

    def _on_originated(self, answer: str) -> None:
        if self._job is not None and self._job.lost:
            return  # the answer was lost with the connection: it may well ring, and a resync tells
        # A refusal comes here alone: without a channel there is no hang-up event.
        if answer.startswith("-ERR"):
            self._calls.legs.pop(self.leg, None)
            self._leg.tell(Gone(answer[4:].strip().split(" ", 1)[0] or "NORMAL_UNSPECIFIED"))

    def wait(self) -> RingResult:
        if self._result is None:
            self._result = self._wait()
            if self._result.kind is not RingKind.ANSWERED:
                self.drop()
        return self._result

    def _wait(self) -> RingResult:
        clock = self._calls.clock
        end = clock.monotonic() + self._seconds + LATE_REPLY
        leg = self._leg
        while not (leg.answered and leg.parked):
            if leg.gone is not None:
                kind = RingKind.CANCELLED if self._cancelled else _KINDS.get(leg.gone, RingKind.FAILED)
                return RingResult(kind, leg.gone)
            if self._cancelled:
                return RingResult(RingKind.CANCELLED, "ORIGINATOR_CANCEL")
            try:
                leg.inbox.get(end - clock.monotonic())
            except Empty:
                return RingResult(RingKind.NO_ANSWER, "NO_ANSWER")
        return RingResult(RingKind.ANSWERED)

    def cancel(self) -> None:
        if (self._result is None or self._briefed) and not self._cancelled:
            self._cancelled = True
            self._kill("ORIGINATOR_CANCEL")
            self._leg.inbox.put(None)  # wakes the waiting greenlet, whatever the switch says and when

    def brief(self, briefing: Briefing) -> RingResult:
        leg = self._leg
        self._briefed = True
        try:
            if briefing.accept is not None and not self._accepted(briefing.accept, briefing.key):
                if leg.gone is None and not self._cancelled:
                    return RingResult(RingKind.NO_ANSWER, "nobody accepted the call")
            elif briefing.whisper is not None:
                self._say(briefing.whisper)
        finally:
            self._briefed = False
        if self._cancelled:
            return RingResult(RingKind.CANCELLED, "ORIGINATOR_CANCEL")
        if leg.gone is not None:
            return RingResult(RingKind.REJECTED, leg.gone)
        return RingResult(RingKind.ANSWERED)

    def _accepted(self, question: Sound, key: str) -> bool:
        """Whether a person is there: a mailbox presses no key."""
        leg, clock = self._leg, self._calls.clock
        leg.wants_keys = True
        try:
            for _ in range(ASKED):
                if self._say(question, key):
                    return True
                end = clock.monotonic() + ACCEPT_WITHIN
                while leg.gone is None and not self._cancelled:
                    try:
                        signal = leg.inbox.get(end - clock.monotonic())
                    except Empty:
                        break
                    if isinstance(signal, Key) and signal.digit == key:
                        return True
            return False
        finally:
            leg.wants_keys = False

    def _say(self, sound: Sound, key: str = "", caller: Call | None = None) -> bool:
        """Play ``sound`` on this leg to its end, or to ``key`` (then True), or to the end of the leg or of the
        caller."""
        calls, leg, clock = self._calls, self._leg, self._calls.clock
        token = calls.new_event_uuid()
        leg.awaited.add(token)
        calls.require_line().post(
            commands.execute(leg.uuid, "playback", sound.playback, event_uuid=token, lock=True)
        )
        end = clock.monotonic() + sound.seconds + LATE_SOUND
        pressed = False
        try:
            while leg.gone is None and not self._cancelled and (caller is None or caller.leg.gone is None):
                try:
                    signal = leg.inbox.get(end - clock.monotonic())
                except Empty:
                    break
                if isinstance(signal, Done) and signal.event_uuid == token:
                    break
                if key and not pressed and isinstance(signal, Key) and signal.digit == key:
                    pressed = True
                    calls.require_line().post(commands.uuid_break(leg.uuid, all=True))
                    # What is sent while it still plays would wait until the bridge is some tenths of a second old.
                    end = clock.monotonic() + BROKEN_WITHIN
            return pressed
        finally:
            leg.awaited.discard(token)

    def announce(self, sound: Sound) -> None:
        call = self._calls.calls.get(self._call_id)
        if call is None or call.leg.gone is not None:
            return
        # Over the music, which goes on behind it; the end is heard of from the agent's leg.
        self._calls.require_line().post(commands.execute(call.id, "playback", sound.playback))
        self._say(sound, caller=call)

    def caller_left(self) -> None:
        self._leg.inbox.put(None)

    def connect(self) -> bool:
        calls, leg, clock = self._calls, self._leg, self._calls.clock
        call = calls.calls.get(self._call_id)
        if call is None or call.leg.gone is not None or leg.gone is not None:
            return False
        try:
            self._let_answer(call)
            # What the caller's leg has not begun when it is bridged would be heard in the talk, instead of the caller.
            if (begins := call.leg.spoken + BEGUN_WITHIN - clock.monotonic()) > 0:
                clock.sleep(begins)
            give_keys(calls, leg)
            calls.ask(commands.uuid_bridge(call.id, leg.uuid), 5.0)
        except SwitchError as error:
            log.info("bridge.refused", call=self._call_id, leg=leg.uuid, error=str(error))
            return self._free()
        end = clock.monotonic() + BRIDGE_WATCHDOG
        while leg.peer != call.id:
            if leg.gone is not None:
                return False
            if call.leg.gone is not None:
                return self._free()
            try:
                leg.inbox.get(end - clock.monotonic())
            except Empty:
                if bridged_now(calls, leg.uuid) == call.id:
                    # The two talk: only the word of it was lost.
                    calls.mend(leg, "a bridge was not told")
                    call.leg.tell(Bridged(leg.uuid))
                    leg.tell(Bridged(call.id))
                    continue
                log.warning("bridge.limbo", call=call.id, leg=leg.uuid)
                calls.mend(leg, "in limbo after a bridge")
                return self._free()
        self._bridged_at = clock.monotonic()
        call.agent_leg = leg.uuid
        begin_talk(calls, call, leg)
        return True

    def talks(self) -> None:
        """The leg was bridged with the caller by other means than :meth:`connect`: the talk counts from now on."""
        self._bridged_at = self._calls.clock.monotonic()

    def _let_answer(self, call: Call) -> None:
        """Bridging an unanswered caller destroys both legs, and an answer takes the switch a frame or two: a phone
        that answers by itself can be quicker."""
        calls, clock = self._calls, self._calls.clock
        if not (call.leg.answered or call.leg.answering):
            calls.require_line().post(commands.answer(call.id))
            call.leg.answering = True
        end = clock.monotonic() + ANSWER_LIMIT
        while not call.leg.answered and call.leg.gone is None and clock.monotonic() < end:
            channel = dump(calls, call.id)
            if channel is not None and channel.get("Answer-State") == "answered":
                call.leg.tell(Answered())
            else:
                clock.sleep(0.02)

    def _free(self) -> bool:
        """Take the agent's leg out of whatever the broken bridge left it in. Always False."""
        self.drop()
        return False

    def wait_over(self) -> TalkResult:
        if self._over is None:
            self._over = self._wait_over()
        return self._over

    def _wait_over(self) -> TalkResult:
        clock = self._calls.clock
        leg = self._leg
        began = self._bridged_at if self._bridged_at is not None else clock.monotonic()
        while leg.gone is None and leg.released is None and (leg.peer == self._call_id or leg.kept):
            leg.inbox.get()
        seconds = clock.monotonic() - began
        call = self._calls.calls.get(self._call_id)
        if leg.gone is None and leg.released is not None and call is not None and call.leg.gone is None:
            return TalkResult(leg.released, seconds)
        if leg.gone is None and call is not None and call.leg.gone is None:
            # The unbridging is known, not yet by whom: one of the two hang-ups is on its way.
            end = clock.monotonic() + 0.5
            while leg.gone is None and call.leg.gone is None and clock.monotonic() < end:
                try:
                    leg.inbox.get(end - clock.monotonic())
                except Empty:
                    break
        if leg.gone is not None:
            return TalkResult(TalkEnd.AGENT, seconds)
        if call is None or call.leg.gone is not None:
            return TalkResult(TalkEnd.CALLER, seconds)
        return TalkResult(TalkEnd.TRANSFER if call.leg.bridged else TalkEnd.LOST, seconds)

    def wait_parked_again(self) -> None:
        """Wait until the answered leg, which was sent somewhere else (a conference), is back from there, or gone."""
        leg = self._leg
        leg.parked = False
        while leg.gone is None and not leg.parked:
            leg.inbox.get()

    def drop(self) -> None:
        if self._leg.gone is None and self._leg.uuid in self._calls.legs:
            self._kill("NORMAL_CLEARING")

    def _kill(self, cause: str) -> None:
        try:
            self._calls.require_line().post(commands.uuid_kill(self.leg, cause))
        except SwitchError as error:
            # The socket is down: the resync finds the leg without an owner and frees it.
            log.warning("leg.not_killed", leg=self.leg, error=str(error))


class CallFloor:
    """The live calls as the ACD sees them (an ``engine.acd.floor.Floor``)."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.outbound: Outbound | None = None  # who may be rung over a trunk; None: nobody

    def ring(
        self, call_id: str, agent: AgentView, *, seconds: float, variables: Mapping[str, str]
    ) -> AgentRing:
        call: Call | Expected = self._calls.expected.get(call_id) or self._calls.get(call_id)
        # What a stranger's phone calls itself goes no further than a number that is one.
        number = call.number if call.number.removeprefix("+").isdigit() else ""
        name = call.name or number
        dial: Dial = PhoneDial(agent.phone)
        if agent.trunk:
            if self.outbound is None:
                raise DialRefused("no_trunk", "nobody may be rung outside")
            allowed = self.outbound.dial(
                agent.phone,
                purpose="agent",
                trunk=agent.trunk,
                call=call_id,
                dialled=call.dialled,
                caller=number,
                private=True,  # the agent's own number; the row names the call, whose rows name the agent
                often=True,
            )
            dial, number, name = allowed.dial, allowed.caller, ""
        return self.dial(
            call_id,
            dial,
            seconds=seconds,
            number=number,
            name=name,
            agent=agent.id,
            variables=variables,
        )

    def dial(
        self,
        call_id: str,
        dial: Dial,
        *,
        seconds: float,
        number: str = "",
        name: str = "",
        agent: str = "",
        variables: Mapping[str, str] = _NONE,
        leg_id: str = "",
    ) -> AgentRing:
        """Ring whoever is behind ``dial`` for the call ``call_id``, showing ``number`` and ``name``. A number outside
        comes from :mod:`engine.calls.outbound` and from nowhere else. ``leg_id`` is the UUID that the new channel gets;
        one is made when left out."""
        call = self._calls.calls.get(call_id)
        if call is not None and call.hidden:
            # Not even by what the switch tells a phone when two are bridged.
            # (Through a trunk the guard of outbound calls has chosen a number of ours.)
            number, name = number if isinstance(dial, GatewayDial) else "", "Anonymous"
            variables = {**variables, "ignore_display_updates": "true"}
        leg = Leg(leg_id or str(uuid4()), self._calls.clock, owner=call_id, agent=agent)
        ring = AgentRing(self._calls, call_id, leg, seconds)
        self._calls.legs[leg.uuid] = leg
        try:
            ring.originate(dial, variables, number=number, name=name)
        except SwitchError:
            self._calls.legs.pop(leg.uuid, None)
            raise
        return ring

    def adopt(self, call_id: str, leg: str) -> AgentRing:
        found = self._calls.legs.get(leg)
        if found is None:
            raise NoSuchCall(f"no leg {leg}")
        ring = AgentRing(self._calls, call_id, found, 30.0)
        if found.peer == call_id or found.kept:
            ring._result = RingResult(RingKind.ANSWERED)
            ring._bridged_at = self._calls.clock.monotonic()
            call = self._calls.calls.get(call_id)
            if call is not None and not found.kept:
                begin_talk(self._calls, call, found, new=False)
        return ring

    def leg_alive(self, leg: str) -> bool:
        found = self._calls.legs.get(leg)
        return found is not None and found.gone is None

    def caller_alive(self, call_id: str) -> bool:
        call = self._calls.calls.get(call_id)
        return call is not None and call.leg.gone is None


__all__ = ["AgentRing", "CallFloor"]
