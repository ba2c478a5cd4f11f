"""A supervisor's ear on an agent: listen, whisper, barge, and take the caller over.

The supervisor's phone is rung and runs the switch's ``eavesdrop`` on the agent's leg, which it follows through every
re-bridge to its end. How much the supervisor is heard are keys of that application, pressed on the phone itself or by
:meth:`Supervision.listen_how`: nobody (0), the caller (1), the agent (2), both (3). The key 9 is ours: it takes the
caller over. An engine that dies changes nothing for who listens; the journal has who listened to whom, from when to
when, and how.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import structlog

from engine.calls.leg import Leg
from engine.calls.signals import Gone, Key, Parked, Signal
from engine.errors import InsidelineError, NotFound, SwitchError, WrongState
from engine.esl import commands
from engine.esl.commands import PhoneDial
from engine.types import JournalEntry

if TYPE_CHECKING:
    from engine.calls.call import Call
    from engine.calls.registry import Calls

log = structlog.get_logger(__name__)

MODES: Final = {"listen": "0", "whisper_caller": "1", "whisper": "2", "barge": "3"}
_BY_KEY: Final = {key: mode for mode, key in MODES.items()}
TAKE_OVER: Final = "9"  # a key that the switch's eavesdrop leaves alone
RINGS_FOR: Final = 30.0
PARK_LIMIT: Final = 2.0
BACK_AFTER: Final = 2.0  # seconds that a supervisor has to hang up before the phone rings


@dataclass(slots=True)
class Ear:
    """One supervisor who listens (or is being rung for it)."""

    leg: Leg
    by: str
    agent: str
    phone: str
    call: str
    since: datetime
    mode: str = "listen"
    wanted: str = "listen"
    listens: bool = False


@dataclass(frozen=True, slots=True)
class EarView:
    """The same for lists."""

    by: str
    agent: str
    phone: str
    call: str
    mode: str
    since: datetime
    listens: bool  # False: the phone rings


class Supervision:
    """Everybody who listens on this switch."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._ears: dict[str, Ear] = {}  # by who listens

    def views(self) -> list[EarView]:
        """All of them."""
        return [
            EarView(ear.by, ear.agent, ear.phone, ear.call, ear.mode, ear.since, ear.listens)
            for ear in self._ears.values()
        ]

    def leg_of(self, agent: str) -> tuple[Call, Leg]:
        """The call that the agent talks in, and the agent's leg; :class:`WrongState` when there is none."""
        for call in self._calls:
            talk = call.talk
            if talk is None or talk.over or call.leg.gone is not None:
                continue
            for party in (talk.first, talk.second):
                if (
                    party is not None
                    and party.agent == agent
                    and party.leg.gone is None
                    and party.leg.answered
                ):
                    return call, party.leg
        raise WrongState(f"agent {agent} talks to nobody")

    def begin(self, by: str, agent: str, phone: str, mode: str = "listen") -> EarView:
        """Ring ``phone`` for the supervisor ``by``, to hear ``agent``. Who listens already changes the mode.

        Raises WrongState (the agent talks to nobody, the supervisor listens elsewhere), NotFound (no such mode),
        SwitchError.
        """
        self._key(mode)
        ear = self._ears.get(by)
        if ear is not None:
            if ear.agent != agent:
                raise WrongState(f"{by} listens to agent {ear.agent}")
            return self.listen_how(by, mode)
        if by == agent:
            raise WrongState("nobody listens to himself")
        call, target = self.leg_of(agent)
        leg = Leg(str(uuid4()), self._calls.clock, agent=by)
        ear = Ear(leg, by, agent, phone, call.id, self._calls.clock.now(), wanted=mode)
        leg.watch, leg.wants_keys = self._on_signal, True
        self._calls.legs[leg.uuid] = leg
        self._ears[by] = ear
        order = commands.Originate(
            uuid=leg.uuid,
            dial=PhoneDial(phone),
            timeout=round(RINGS_FOR),
            caller_id_name=agent,
            caller_id_number="",
            variables={
                "il_supervises": agent,
                "il_by": by,
                "eavesdrop_enable_dtmf": "true",
                "park_after_bridge": "true",
                "hangup_after_bridge": "false",
                # Who takes the caller over is bridged with it: the switch would tell the phone whose number that is.
                **({"ignore_display_updates": "true"} if call.hidden else {}),
            },
            app="eavesdrop",
            arg=target.uuid,
        )
        try:
            self._calls.require_line().bgapi(
                commands.originate(order), lambda said: self._originated(ear, said)
            )
        except SwitchError:
            self._forget(ear)
            raise
        self._note("supervise.rung", ear)
        return self.views()[-1]

    def call_back(self, by: str, agent: str, phone: str) -> None:
        """The same for a supervisor who asks for it from that very phone, and hangs up: it is rung a moment later.
        Raises what :meth:`begin` raises, at once."""
        self.leg_of(agent)
        if by == agent:
            raise WrongState("nobody listens to himself")
        self._calls.clock.after(
            BACK_AFTER, lambda: self._calls.clock.spawn(self._begin_late, by, agent, phone)
        )

    def _begin_late(self, by: str, agent: str, phone: str) -> None:
        try:
            self.begin(by, agent, phone)
        except InsidelineError as error:
            log.info("supervise.not_rung", by=by, agent=agent, why=str(error))

    def listen_how(self, by: str, mode: str) -> EarView:
        """Listen, whisper (to the agent), whisper_caller, barge. Raises NotFound, WrongState (does not listen)."""
        key = self._key(mode)
        ear = self._ear(by)
        ear.wanted = mode
        if ear.listens:
            self._calls.ask(commands.uuid_recv_dtmf(ear.leg.uuid, key), 5.0)
            self._became(ear, mode)
        return next(view for view in self.views() if view.by == by)

    def end(self, by: str) -> None:
        """Hang the supervisor's phone up. Raises WrongState."""
        self._calls.require_line().post(commands.uuid_kill(self._ear(by).leg.uuid))

    def take_over(self, by: str) -> str:
        """The caller talks to the supervisor who listens, and the agent is free; answers the call's id.

        Raises WrongState (does not listen, the agent asks somebody just now), SwitchError.
        """
        ear = self._ear(by)
        if not ear.listens:
            raise WrongState(f"{by} does not listen yet")
        call = self._calls.get(ear.call)
        if call.talk is None or call.talk.over or call.talk.first.agent != ear.agent:
            raise WrongState(f"agent {ear.agent} does not talk to that caller any more")
        leg, clock = ear.leg, self._calls.clock
        leg.parked = False
        self._calls.ask(commands.uuid_transfer_to_park(leg.uuid), 5.0)
        end = clock.monotonic() + PARK_LIMIT
        while not leg.parked and leg.gone is None and clock.monotonic() < end:
            clock.sleep(0.02)
        if leg.gone is not None:
            raise WrongState(f"{by} has hung up")
        self._note("supervise.took_over", ear)
        self._ears.pop(by, None)
        leg.watch, leg.owner = None, call.id
        # From here on it is one of the call's legs, for another engine, too.
        self._calls.require_line().post(
            commands.uuid_setvar(leg.uuid, "il_owner", call.id),
            commands.uuid_setvar(leg.uuid, "il_agent", by),
        )
        call.talk.hand_to(leg, by)
        return call.id

    def _take_by_key(self, ear: Ear) -> None:
        if self._ears.get(ear.by) is not ear:
            return  # pressed twice
        try:
            self.take_over(ear.by)
        except InsidelineError as error:
            self._note("supervise.refused", ear, why=str(error))

    # -- what happens ---------------------------------------------------------------------------------

    def _originated(self, ear: Ear, said: str) -> None:
        if said.startswith("-ERR"):
            if self._ears.get(ear.by) is ear:
                self._note("supervise.missed", ear, why=said[4:].strip())
            self._forget(ear)
            return
        ear.listens = True
        ear.leg.answered = True
        self._note("supervise.began", ear)
        if ear.wanted != "listen":
            self._calls.require_line().post(commands.uuid_recv_dtmf(ear.leg.uuid, MODES[ear.wanted]))
            self._became(ear, ear.wanted)

    def _on_signal(self, leg: Leg, signal: Signal) -> None:
        ear = next((one for one in self._ears.values() if one.leg is leg), None)
        if ear is None:
            return
        if isinstance(signal, Gone):
            if ear.listens:
                seconds = (self._calls.clock.now() - ear.since).total_seconds()
                self._note("supervise.ended", ear, seconds=round(seconds, 1))
            else:
                self._note("supervise.missed", ear, why=signal.cause)
            self._forget(ear)
        elif isinstance(signal, Key) and signal.digit in _BY_KEY and ear.listens:
            self._became(ear, _BY_KEY[signal.digit])
        elif isinstance(signal, Key) and signal.digit == TAKE_OVER and ear.listens:
            self._calls.clock.spawn(self._take_by_key, ear)
        elif isinstance(signal, Parked) and ear.listens and self._target_gone(ear):
            # There is nobody to hear any more, and no plan after the park.
            self._calls.require_line().post(commands.uuid_kill(leg.uuid))

    def _target_gone(self, ear: Ear) -> bool:
        try:
            self.leg_of(ear.agent)
        except WrongState:
            return True
        return False

    def _became(self, ear: Ear, mode: str) -> None:
        if ear.mode != mode:
            ear.mode = ear.wanted = mode
            self._note("supervise.mode", ear)

    def _forget(self, ear: Ear) -> None:
        if self._ears.get(ear.by) is ear:
            del self._ears[ear.by]
        ear.leg.watch = None
        self._calls.legs.pop(ear.leg.uuid, None)

    def _ear(self, by: str) -> Ear:
        ear = self._ears.get(by)
        if ear is None:
            raise WrongState(f"{by} listens to nobody")
        return ear

    def _key(self, mode: str) -> str:
        if mode not in MODES:
            raise NotFound(f"{mode!r} is no way to listen: {', '.join(MODES)}")
        return MODES[mode]

    def _note(self, kind: str, ear: Ear, **data: object) -> None:
        facts = {"by": ear.by, "mode": ear.mode, "phone": ear.phone, **data}
        self._calls.journal(
            JournalEntry(at=self._calls.clock.now(), kind=kind, call=ear.call, agent=ear.agent, data=facts)
        )


__all__ = ["MODES", "EarView", "Supervision"]
