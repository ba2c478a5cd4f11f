"""The conference step at work: into the room, the people who are invited, and out again.

The room is the switch's own (mod_conference). A caller is moved there by a transfer whose plan goes on with a park: so
whatever ends the stay (the key, the time, a kick, the end of the room) leaves the caller parked, and the flow goes on.
An engine that dies changes nothing for those who talk; the next one finds them in the room.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog

from engine.calls.ring import AgentRing, CallFloor
from engine.calls.signals import Key, Parked
from engine.errors import DialRefused, HungUp, NoSuchCall, NotFound, SwitchError
from engine.esl import commands
from engine.esl.commands import Dial, PhoneDial
from engine.flows.expressions import ExpressionError
from engine.flows.moves import Go, Move
from engine.flows.ringing import PARK_LIMIT
from engine.flows.scope import UnknownName
from engine.types import CallState, RingKind

if TYPE_CHECKING:
    from engine.flows.run import Run
    from engine.flows.steps.conference import Conference

log = structlog.get_logger(__name__)

ENTER_LIMIT = 3.0
"""Seconds until the switch lists a caller in the room."""
RINGS_FOR = 30.0


def confer(run: Run, step: Conference) -> Move:
    """Let the caller talk in the room."""
    return Conferring(run, step).go()


def room_name(department: str, name: str) -> str:
    """The switch's name of a room: the department's own, so that no two desks meet by accident."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) is None:
        name = sha256(name.encode()).hexdigest()[:16]
    return f"{department}.{name}"[:64]


class Conferring:
    """One caller in one conference step."""

    def __init__(self, run: Run, step: Conference) -> None:
        self.run = run
        self.step = step
        self.call = run.call
        self.rings: list[AgentRing] = []
        self.room = ""

    def go(self) -> Move:
        run, call, step = self.run, self.call, self.step
        resumption, run.resumption = run.resumption, None
        try:
            name = str(step.room.get(run.scope) or "").strip()
            invited = [str(one.get(run.scope) or "").strip() for one in step.invite]
        except (UnknownName, ExpressionError) as error:
            return run.fail(step, str(error), step.failed)
        if not name:
            return run.fail(step, "the conference has no name", step.failed)
        self.room = room_name(run.department, name)
        began = run.clock.now().timestamp()
        try:
            if resumption is not None and "c" in run.queue_place:
                began = float(run.queue_place["c"])
                for leg, _ in resumption.agent_legs:
                    self._take_up(leg)
                if not self._inside():
                    return self._onward(began)
                call.leg.parked = False  # a member's channel looks like one that is parked for the first time
            else:
                call.answer()
                run.queue_place = {"c": round(began, 1)}
                run.checkpoint()
                if not self._enter():
                    return run.fail(step, "the switch let nobody into the room", step.failed)
                call.journal("conference.entered", room=self.room, name=name)
                for number in invited:
                    self._invite(number)
            call.become(CallState.TALKING)
            self._stay(began)
        except HungUp:
            call.talked += max(0.0, run.clock.now().timestamp() - began)
            raise
        except SwitchError as error:
            return run.fail(step, str(error), step.failed)
        finally:
            call.listen_for_keys(False)
            if call.leg.gone is not None:
                for ring in self.rings:
                    ring.cancel()
                    ring.drop()
            else:
                run.queue_place = {}
        return self._onward(began)

    # -- the room -----------------------------------------------------------------------------------

    def _enter(self) -> bool:
        call = self.call
        flags = ("moderator", "endconf") if self.step.moderator else ()
        call.flush()
        call.leg.parked = False
        call.ask(commands.uuid_transfer_to_conference(call.id, self.room, flags=flags))
        end = self.run.clock.monotonic() + ENTER_LIMIT
        while self.run.clock.monotonic() < end:
            if self._inside():
                return True
            call.rest(0.1)
        return False

    def _inside(self) -> bool:
        try:
            return self.call.id in self.call.ask(commands.conference(self.room, "list"))
        except SwitchError:
            return False  # no such room (any more)

    def _stay(self, began: float) -> None:
        """Until the key, the time, a kick, or the end of the room."""
        call, step, clock = self.call, self.step, self.run.clock
        call.listen_for_keys(True)
        left = None if step.longest is None else began + step.longest - clock.now().timestamp()
        end = None if left is None else clock.monotonic() + left
        while not call.leg.parked:
            signal = call.next_signal(None if end is None else max(0.0, end - clock.monotonic()))
            if isinstance(signal, Parked):
                return
            pressed = isinstance(signal, Key) and step.leave in call.take_keys()
            if pressed or signal is None:
                call.ask(commands.uuid_transfer_to_park(call.id))
                call.wait_parked(PARK_LIMIT)
                return

    def _onward(self, began: float) -> Move:
        run, call, step = self.run, self.call, self.step
        seconds = max(0.0, run.clock.now().timestamp() - began)
        call.talked += seconds
        call.become(CallState.FLOW)
        call.journal("conference.left", room=self.room, seconds=round(seconds, 1))
        for ring in self.rings:
            ring.cancel()  # who still rings; who is in the room stays
        if step.into is not None:
            run.bear(step.into, {"room": self.room, "seconds": round(seconds, 1)})
        return Go(step.after, way="after") if step.after is not None else None

    # -- who is invited -----------------------------------------------------------------------------

    def _invite(self, number: str) -> None:
        """Ring somebody for the room; one who can't be rung is journalled, and the others talk."""
        call, run = self.call, self.run
        try:
            dial, agent, shown = self._dial(number)
            ring = CallFloor(run.services.calls).dial(
                call.id, dial, seconds=RINGS_FOR, number=shown, name=call.name, agent=agent
            )
        except (DialRefused, SwitchError, NotFound) as error:
            call.journal("conference.not_invited", room=self.room, why=str(error))
            return
        self.rings.append(ring)
        call.journal("conference.invited", room=self.room, agent=agent)
        run.clock.spawn(self._follow, ring)

    def _dial(self, number: str) -> tuple[Dial, str, str]:
        run, call, services = self.run, self.call, self.run.services
        mine = call.number if call.number.removeprefix("+").isdigit() else ""
        match = services.route(number, call.number, call.origin) if services.route is not None else None
        if match is not None and match.kind == "extension":
            return PhoneDial(match.extension), "", mine
        try:
            agent = services.acd.agent(number)
        except NotFound:
            if services.outbound is None:
                raise
            allowed = services.outbound.dial(
                number,
                purpose="conference",
                call=call.id,
                dialled=call.dialled,
                caller="" if call.hidden else call.number,
                private=run.deferred,
            )
            return allowed.dial, "", allowed.caller
        return PhoneDial(agent.phone), agent.id, mine

    def _take_up(self, leg: str) -> None:
        try:
            ring = CallFloor(self.run.services.calls).adopt(self.call.id, leg)
        except NoSuchCall:
            return
        self.rings.append(ring)
        self.run.clock.spawn(self._follow, ring)

    def _follow(self, ring: AgentRing) -> None:
        calls = self.run.services.calls
        try:
            if ring.wait().kind is not RingKind.ANSWERED:
                return
            # "mintwo": when one of two is left, the room ends, and nobody sits there alone.
            move = commands.uuid_transfer_to_conference(ring.leg, self.room, flags=("mintwo",))
            calls.ask(move, 5.0)
            ring.wait_parked_again()
        except SwitchError as error:
            log.info("conference.not_joined", call=self.call.id, leg=ring.leg, error=str(error))
        finally:
            ring.drop()
