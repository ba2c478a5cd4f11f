"""The transfer step at work: whom it means, the ring, the talk, and the way on.

The engine dials the other side itself and bridges the two, so that the caller is never anywhere but in its hands:
nobody answers -> the caller is told by the flow; the talk is over -> the flow goes on. The leg carries the call's
id and the call's place names the leg, so that an engine that comes after this one finds both: a ring is taken up
as a ring, a talk as a talk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from engine.calls.ring import AgentRing, CallFloor
from engine.errors import DialRefused, NoSuchCall, NotFound, SwitchError
from engine.esl.commands import Dial, PhoneDial
from engine.flows import packing
from engine.flows.asking import told
from engine.flows.expressions import ExpressionError
from engine.flows.moves import Go, Move
from engine.flows.onward import Talked, take_onward
from engine.flows.queueing import wait_for_agent
from engine.flows.ringing import PARK_LIMIT, RINGBACK, ring_and_talk
from engine.flows.scope import UnknownName
from engine.types import AgentState, RingKind, TalkResult

if TYPE_CHECKING:
    from engine.calls.call import Resumption
    from engine.flows.run import Run
    from engine.flows.steps.transfer import Transfer

log = structlog.get_logger(__name__)

_WAYS = {RingKind.BUSY: "busy", RingKind.REJECTED: "busy", RingKind.NO_ANSWER: "no_answer"}
# What a switch says of a phone that it does not have.
_NOBODY = ("USER_NOT_REGISTERED", "SUBSCRIBER_ABSENT", "UNALLOCATED_NUMBER", "NO_ROUTE_DESTINATION")
_TALKS = (AgentState.OFFERED, AgentState.TALKING)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ring. ``shown`` is what records say of it."""

    dial: Dial
    shown: str
    caller: str  # the number that the other end sees
    agent: str = ""


class Unreachable(Exception):
    """The target can't be rung; ``way`` is the step's way for it."""

    def __init__(self, way: str, why: str) -> None:
        super().__init__(why)
        self.way = way


def transfer(run: Run, step: Transfer) -> Move:
    """Connect the caller with whom the step names."""
    return Transferring(run, step).go()


class Transferring:
    """One caller in one transfer step."""

    def __init__(self, run: Run, step: Transfer) -> None:
        self.run = run
        self.step = step
        self.call = run.call
        self.sound = ""  # the Event-UUID of what the caller hears meanwhile
        self.before = 0.0  # seconds of the talk under an earlier engine

    def go(self) -> Move:
        run, call = self.run, self.call
        resumption, run.resumption = run.resumption, None
        try:
            if resumption is not None and "Q" in run.queue_place:
                run.resumption = resumption
                return self._in_queue(str(run.queue_place["Q"]))
            if resumption is not None and run.queue_place:
                ring = self._take_up(resumption)
                if ring is None and "b" in run.queue_place:
                    return self._talk_ended_meanwhile()
                if ring is not None:
                    return self._see_through(ring)
            found = self._target()
            if isinstance(found, Go):
                return found
            return self._see_through(self._ring(found))
        except Unreachable as gone:
            return self._gave_up(gone.way, str(gone))
        except (UnknownName, ExpressionError) as error:
            return run.fail(self.step, str(error), self.step.failed)
        finally:
            if call.leg.gone is None:
                run.queue_place = {}

    # -- whom ---------------------------------------------------------------------------------------

    def _target(self) -> Target | Go:
        step, scope = self.step, self.run.scope
        if step.agent is not None:
            return self._agent(_text(step.agent.get(scope)))
        if step.extension is not None:
            return self._extension(_text(step.extension.get(scope)))
        assert step.to is not None
        return self._number(_text(step.to.get(scope)))

    def _agent(self, agent_id: str) -> Target:
        try:
            agent = self.run.services.acd.agent(agent_id)
        except NotFound:
            raise Unreachable("unknown", f"there is no agent {agent_id}") from None
        if agent.state in _TALKS:
            raise Unreachable("busy", f"{agent_id} talks already")
        return Target(PhoneDial(agent.phone), agent_id, self._shown_number(), agent.id)

    def _extension(self, extension: str) -> Target:
        if not extension.isdecimal() or not 2 <= len(extension) <= 10:
            raise Unreachable("unknown", "this is no extension")
        return Target(PhoneDial(extension), extension, self._shown_number())

    def _number(self, number: str) -> Target | Go:
        run, call, services = self.run, self.call, self.run.services
        # A number of ours leads to its flow or its phone at once: through a trunk it would come back as another call.
        match = services.route(number, call.number, call.origin) if services.route is not None else None
        if match is not None and match.kind == "flow":
            call.journal("transfer.flow", to=number, flow=match.flow)
            return Go(match.flow, match.params)
        if match is not None and match.kind == "extension":
            return self._extension(match.extension)
        if match is not None:
            raise Unreachable("refused", "the dialplan denies this caller that number")
        if services.outbound is None:
            raise Unreachable("refused", "nobody may be rung outside")
        try:
            allowed = services.outbound.dial(
                number,
                purpose="transfer",
                trunk=self.step.trunk or "",
                call=call.id,
                dialled=call.dialled,
                caller="" if call.hidden else call.number,
                private=run.deferred,
            )
        except DialRefused as refused:
            raise Unreachable("refused", str(refused)) from None
        return Target(allowed.dial, "" if run.deferred else allowed.number, allowed.caller)

    def _shown_number(self) -> str:
        """The caller's number for a phone of ours; what a stranger's phone calls itself goes no further than a
        number that is one."""
        number = self.call.number
        return number if number.removeprefix("+").isdigit() else ""

    # -- the ring -----------------------------------------------------------------------------------

    def _ring(self, target: Target) -> AgentRing:
        run, call, step = self.run, self.call, self.step
        call.answer()
        call.told = packing.pack(told(run, step.tell))
        try:
            ring = CallFloor(run.services.calls).dial(
                call.id,
                target.dial,
                seconds=step.ring,
                number=target.caller,
                name=(call.name or target.caller) if isinstance(target.dial, PhoneDial) else "",
                agent=target.agent,
            )
        except SwitchError as error:
            raise Unreachable("failed", str(error)) from None
        if step.music is not None:
            self.sound = call.start("endless_playback", run.services.music_for(step.music), lock=False)
        else:
            self.sound = call.start("playback", RINGBACK, lock=False)
        run.queue_place = {"o": target.shown, "g": target.agent, "m": self.sound}
        if isinstance(target.dial, PhoneDial):
            run.queue_place["x"] = 1
        run.checkpoint()
        run.flush()
        call.journal("transfer.rung", to=target.shown, agent=target.agent)
        return ring

    def _see_through(self, ring: AgentRing) -> Move:
        run, call = self.run, self.call
        end = ring_and_talk(call, run.clock, ring, self._connected)
        if isinstance(end, TalkResult):
            where = take_onward(run)
            if isinstance(where, Talked):
                return self._onward(self.before + end.seconds + where.result.seconds, str(where.result.by))
            if where is not None and where.kind == "flow":
                return Go(where.name)
            if where is not None and where.kind == "queue":
                self.run.standing = where.asked  # type: ignore[assignment]
                return self._in_queue(where.name)
            if where is not None:
                return self._gave_up("no_answer", "nobody is left of those who talked")
            return self._onward(self.before + end.seconds, str(end.by))
        self._stop_sound()
        if end.cause in _NOBODY and not self._is_ours():
            return self._gave_up("unknown", f"there is no phone {run.queue_place.get('o', '')}")
        return self._gave_up(_WAYS.get(end.kind, "failed"), f"{end.kind} {end.cause}".strip())

    def _is_ours(self) -> bool:
        """Is it somebody's phone in conf/agents.yaml, and only switched off? A phone that the switch knows besides
        was rung."""
        step, agents = self.step, self.run.services.acd.config.agents
        if step.to is not None and not self.run.queue_place.get("x"):
            return True  # outside
        rung = self.run.queue_place.get("o")
        return step.agent is not None or any(agent.number == rung for agent in agents.values())

    def _connected(self) -> None:
        run, call = self.run, self.call
        self.sound = ""  # the bridge ended it
        call.agent = str(run.queue_place.get("g", ""))
        call.transferred = str(run.queue_place.get("o", ""))
        if call.talk is not None:
            call.talk.shown_as(call.transferred)
        now = run.clock.now().timestamp()
        began = float(run.queue_place.get("b") or round(now, 1))
        self.before = max(0.0, now - began)
        call.talked += self.before
        run.queue_place = {"o": call.transferred, "g": call.agent, "b": began}
        run.checkpoint()
        run.flush()
        call.journal("transfer.talking", to=call.transferred)
        if run.recorded:
            run.services.recordings.talked(run.recorded, call.agent)

    def _in_queue(self, name: str) -> Move:
        """The one to whom the caller was transferred has sent it to a queue."""
        from engine.flows.steps.queue import Queue  # steps import their work, not the other way round
        from engine.flows.steps.queue import Waiting as QueueWaiting

        step = self.step
        queue = Queue.model_construct(
            name=name,
            skills={},
            waiting=QueueWaiting(),
            full=step.failed,
            too_long=step.failed,
            no_agents=step.failed,
            done=step.after,
            tell={},
        )
        self.run.queue_place = {**self.run.queue_place, "Q": name}
        return wait_for_agent(self.run, queue)

    def _stop_sound(self) -> None:
        if self.sound:
            self.call.stop_sound()
            self.call.wait_done(self.sound, PARK_LIMIT)
            self.sound = ""

    # -- after a restart of the engine ----------------------------------------------------------------

    def _take_up(self, resumption: Resumption) -> AgentRing | None:
        """The leg that an earlier engine dialled for this call, ringing or talking; None when it is gone."""
        run, call = self.run, self.call
        music = str(run.queue_place.get("m", ""))
        if music and not resumption.bridged_to:
            self.sound = call.leg.music = music
            call.leg.awaited.add(music)
        for leg, _ in resumption.agent_legs:
            if resumption.bridged_to in ("", leg):
                try:
                    return CallFloor(run.services.calls).adopt(call.id, leg)
                except NoSuchCall:
                    log.info("transfer.leg_gone", call=call.id, leg=leg)
        return None

    def _talk_ended_meanwhile(self) -> Move:
        """The other side hung up while no engine was there; nobody knows when, but it was not long ago."""
        place = self.run.queue_place
        self.call.agent, self.call.transferred = str(place.get("g", "")), str(place.get("o", ""))
        seconds = max(0.0, self.run.clock.now().timestamp() - float(place["b"]))
        self.call.talked += seconds
        return self._onward(seconds, "agent")

    # -- the way on ---------------------------------------------------------------------------------

    def _onward(self, seconds: float, by: str) -> Move:
        step, call = self.step, self.call
        call.journal("transfer.over", to=call.transferred, seconds=round(seconds, 1), by=by)
        if step.into is not None:
            record: dict[str, Any] = {"to": call.transferred, "seconds": round(seconds, 1), "by": by}
            self.run.bear(step.into, record)
        return Go(step.after, way="after") if step.after is not None else None

    def _gave_up(self, way: str, why: str) -> Move:
        step = self.step
        self.call.journal("transfer.missed", why=why, way=way)
        ways = {
            "busy": step.busy,
            "no_answer": step.no_answer,
            "refused": step.refused,
            "unknown": step.unknown,
        }
        target = ways.get(way)
        if way in ("failed", "refused", "unknown"):
            return self.run.fail(step, why, target or step.failed)
        return Go(target or step.failed, way=way)


def _text(value: Any) -> str:
    return str(value if value is not None else "").strip()
