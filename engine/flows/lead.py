"""From a call to its flow: what runs in each call's greenlet.

A new call gets the flow that the dialplan says; one that was taken over goes on in the flow set that it began
with. Whatever goes wrong on the way is heard by the caller as an apology, and written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from engine.calls import account
from engine.calls.call import Call, Resumption
from engine.calls.registry import FALLBACK_CONTEXT
from engine.clock import TimeUp
from engine.errors import HungUp, InsidelineError, StoreError
from engine.esl import commands
from engine.flows import identity
from engine.flows.desk import TalkDesk
from engine.flows.dialplan import Dialplan, Match
from engine.flows.extension import EXTENSION
from engine.flows.keeping import take_up_identity
from engine.flows.model import FlowSet
from engine.flows.run import Run
from engine.flows.services import Services
from engine.types import CallState

log = structlog.get_logger(__name__)

ADOPTED = "il_adopted"
"""The variable that counts the engines that have taken a call up."""
TIER_LIMIT = 1.0
"""Seconds that the caller hears nothing but ringing while a rule by tier asks who calls."""
PARK_LIMIT = 2.0
"""Seconds from telling the switch to park a call until it is taken for parked."""
TROUBLE = "system_trouble"
LOST_PLACE = "reception/lost_place"


class Lead:
    """Leads calls. ``flows`` and ``dialplan`` are swapped by one reference each when they are published."""

    def __init__(
        self, services: Services, flows: FlowSet, dialplan: Dialplan, *, max_adoptions: int = 5
    ) -> None:
        """``max_adoptions``: engines that may die with one call before the switch's fallback takes it, for it may
        be what kills them."""
        self._max_adoptions = max_adoptions
        self.services = services
        self.flows = flows
        self.dialplan = dialplan
        services.route = self.route
        services.current_flows = lambda: self.flows
        services.calls.desk = TalkDesk(services)
        services.acd.supervised_by(services.calls.supervision.call_back)

    def route(self, dialled: str, caller: str, trunk: str) -> Match | None:
        """What the dialplan says of a number of ours; None for one that it has no rule for."""
        if not self.dialplan.answers(dialled):
            return None
        return self.dialplan.match(to=dialled, caller=caller, at=self.services.local_now(), trunk=trunk)

    def publish(self, flows: FlowSet, dialplan: Dialplan) -> None:
        """New calls are led by these from now on; those that run keep the set that they began with."""
        self.flows, self.dialplan = flows, dialplan

    def __call__(self, call: Call) -> None:
        """Lead ``call`` to its end. Raises HungUp when the caller is gone."""
        if call.resumed is not None and not (call.callback and call.resumed.state is None):
            self._resume(call)
        elif call.callback:
            self._call_back(call)
        elif call.asks:
            self._begin_asked(call)
        else:
            self._begin(call)

    def _call_back(self, call: Call) -> None:
        """Lead a call that we made to keep a promise, in the flow of that promise."""
        services = self.services
        callbacks = services.records.callbacks if services.records is not None else None
        owed = None
        if callbacks is not None:
            owed = callbacks.of(call.id) or callbacks.load(call.callback)
        if owed is None:
            log.error("callback.unknown", call=call.id, callback=call.callback)
            call.hang_up()
            call.wait_gone()
            return
        call.note_answered()
        call.number, call.dialled = owed.number, owed.dialled
        call.language = owed.language or services.languages[0]
        call.first_flow = owed.flow
        call.journal(
            "call.back",
            callback=owed.id,
            number=owed.number,
            dialled=owed.dialled,
            flow=owed.flow,
            first=owed.call,
        )
        # An engine died with it before its first place was known: it begins once more, and that counts.
        if call.resumed is not None and self._too_often(call, call.resumed):
            return
        services.host.tell.call_started(call=call.view())
        run = Run(call, self.flows, services, language=call.language)
        told = {"id": owed.id, "call": owed.call, "queue": owed.queue, "data": dict(owed.data)}
        self._walk(run, lambda: run.start(owed.flow, {"callback": told}))

    def _begin_asked(self, call: Call) -> None:
        """Lead the call by which an agent hears a flow, with its caller on hold: as that caller would hear it."""
        services = self.services
        flow, caller = self._asked_for(call)
        call.first_flow = flow
        call.journal(
            "call.asked",
            number=call.number,
            dialled=call.dialled,
            flow=flow,
            by=call.promise["asked_by"],
            **{"for": call.promise["asked_for"]},
        )
        services.host.tell.call_started(call=call.view())
        language = caller.language if caller is not None else ""
        run = Run(call, self.flows, services, language=language or services.languages[0])
        run.recording_policy = "never"  # the caller's own call is what is recorded
        run.deferred = call.hidden
        self._walk(run, lambda: run.start(flow))

    def _asked_for(self, call: Call) -> tuple[str, Call | None]:
        """The flow that is heard, and the caller for whom; the call is made that caller's likeness."""
        flow, _, first = call.asks.partition("~")
        caller = self.services.calls.calls.get(first)
        by = caller.talk.first.who if caller is not None and caller.talk is not None else ""
        call.promise = {"asked_for": first, "asked_by": by}
        call.hidden = caller is None or caller.hidden
        call.number = "" if call.hidden or caller is None else caller.number
        call.name = "" if call.hidden or caller is None else caller.name
        return flow, caller

    def _begin(self, call: Call) -> None:
        services = self.services
        number = services.numbers.e164(call.number)
        flows = (
            self.flows
        )  # of one publication with the dialplan, whatever is published while it asks who calls
        match = self._match(call, number)
        # From the first ring on: where the dialplan defers who calls, nothing that is written knows it. Who is on a
        # list is turned away as whoever calls that number.
        deferred = match.deferred or (match.kind == "deny" and self._match(call, "").deferred)
        if deferred:
            identity.defer(call, number, services.numbers)
        else:
            call.number = number
        call.language = match.language or services.languages[0]
        call.first_flow = EXTENSION if match.kind == "extension" else match.flow
        call.journal(
            "call.arrived",
            number=call.number,
            dialled=call.dialled,
            origin=call.origin,
            flow=match.flow,
            rule=match.rule,
            why="" if deferred else match.why,
        )
        services.host.tell.call_started(call=call.view())
        run = Run(call, flows, services, language=call.language)
        run.recording_policy = match.record
        run.priority = match.priority
        run.lost_place = match.lost_place
        run.deferred = deferred
        match match.kind:
            case "flow":
                self._walk(run, lambda: run.start(match.flow, match.params))
            case "extension":
                self._walk(run, lambda: run.start(EXTENSION, {"extension": match.extension}))
            case _:
                self._walk(run, lambda: self._deny(call, match.say))

    def _match(self, call: Call, number: str) -> Match:
        services = self.services
        return self.dialplan.match(
            to=call.dialled,
            caller=number,
            tier=lambda: self._tier(number),
            at=services.local_now(),
            trunk=call.origin,
            calendars=services.calendars,
        )

    def _tier(self, number: str) -> str:
        """The tier of whoever has that number. A database that is away, or slow, makes nobody important: the call
        goes the way that everybody's goes."""
        services = self.services
        if services.party_of is None or not number:
            return ""
        try:
            with services.clock.timeout(TIER_LIMIT) as mine:
                party = services.party_of(number)
        except TimeUp as up:
            if up is not mine:
                raise
            log.warning("tier.not_known", reason=f"no answer within {TIER_LIMIT:g} s")
            return ""
        except InsidelineError as error:
            log.warning("tier.not_known", reason=str(error))
            return ""
        return party.tier if party is not None else ""

    def _deny(self, call: Call, say: str) -> None:
        """A caller on a list of the dialplan: told so where the list says how, then rejected."""
        call.journal("call.denied")
        if say:
            call.answer()
            said = self.services.prompts.utterance(say, {}, call.language, "")
            call.play(said.playback, said.seconds)
        call.hang_up("CALL_REJECTED")
        call.wait_gone()

    def _too_often(self, call: Call, resumption: Resumption) -> bool:
        """Count that an engine took the call up; a call that many engines died with is handed over."""
        call.adopted = _number(resumption.variables.get(ADOPTED)) + 1
        # At once, and not with the state, which a call that only waits does not write again: whatever this call
        # does to an engine, the next one can count.
        call.later(commands.uuid_setvar(call.id, ADOPTED, str(call.adopted)))
        call.flush()
        if call.adopted <= self._max_adoptions:
            return False
        log.error("call.adopted_too_often", call=call.id, adopted=call.adopted)
        call.journal("call.handed_over", reason="adopted too often")
        call.fault = "adopted too often"
        call.later(commands.uuid_transfer(call.id, FALLBACK_CONTEXT, "XML", FALLBACK_CONTEXT))
        call.flush()
        call.wait_gone(120.0)
        return True

    def _resume(self, call: Call) -> None:
        services = self.services
        resumption = call.resumed
        assert resumption is not None
        state: Mapping[str, Any] = self._place_of(call, resumption)
        account.take_up(
            call, resumption.variables.get(account.VARIABLE, ""), services.clock.now().timestamp()
        )
        call.hidden = bool(state.get("i"))
        call.number = "" if call.hidden else services.numbers.e164(call.number)
        call.name = "" if call.hidden else call.name
        if call.asks:
            self._asked_for(call)
        call.language = str(state.get("l") or services.languages[0])
        if self._too_often(call, resumption):
            return
        call.state = CallState.FLOW
        flows = self._flow_set(str(state.get("h", "")))
        run = Run(call, flows or self.flows, services, language=call.language)
        if flows is None:
            log.error("call.place_lost", call=call.id, flow_hash=state.get("h"))
            call.journal("call.place_lost", flow_hash=state.get("h", ""))
            run.lost_place = str(state.get("z", ""))
            take_up_identity(run, state)
            run.masked, run.for_now = bool(state.get("M")), state.get("M") == 2
            run.recording_policy = str(state.get("R", ""))
            run.recorded = call.recording = str(state.get("r", ""))
            self._walk(run, lambda: self._start_anew(run, resumption))
            return
        self._walk(run, lambda: run.resume(state, resumption))

    def _place_of(self, call: Call, resumption: Resumption) -> Mapping[str, Any]:
        """The state of a call, or as much of one as the dialplan knows when it could not be read."""
        if resumption.state is not None:
            return resumption.state
        services = self.services
        match = self._match(call, services.numbers.e164(call.number))
        return {"z": match.lost_place, "i": int(match.deferred), "l": match.language, "R": match.record}

    def _start_anew(self, run: Run, resumption: Resumption) -> None:
        """Lead a call whose place is lost, once nothing of its old flow is at work any more."""
        call = run.call
        if resumption.bridged_to:
            self._let_talk_end(call)
        else:
            # A collection of the old flow would hold up whatever comes behind it, and no break ends one.
            call.leg.parked = False
            call.later(commands.uuid_transfer_to_park(call.id))
            call.wait_parked(PARK_LIMIT)
        run.start(run.lost_place or LOST_PLACE)

    def _let_talk_end(self, call: Call) -> None:
        """Nobody may cut two people off because the flow around them is gone."""
        while call.leg.bridged:
            call.next_signal()

    def _flow_set(self, flow_hash: str) -> FlowSet | None:
        if not flow_hash:
            return None
        if flow_hash == self.flows.hash:
            return self.flows
        try:
            return self.services.flow_set(flow_hash)
        except (StoreError, ValueError) as error:
            log.error("flow_set.unreadable", flow_hash=flow_hash, error=str(error))
            return None

    def _walk(self, run: Run, walk: Any) -> None:
        call = run.call
        try:
            walk()
        except HungUp:
            raise
        except Exception as error:
            # A fault that no step had a way for. The caller hears of it, and so do we.
            call.fault = f"{type(error).__name__}: {error}"
            if isinstance(error, InsidelineError):
                log.error("flow.failed", call=call.id, step=call.step, error=str(error))
            else:
                log.exception("flow.crashed", call=call.id, step=call.step)
            call.journal("flow.failed", step=call.step, flow=call.flow, error=call.fault)
            self.services.host.tell.step_failed(call=call.view(), step=call.step, why=call.fault)
            self._apologise(run)
        if call.leg.gone is None:
            call.hang_up()
            call.wait_gone()

    def _apologise(self, run: Run) -> None:
        call = run.call
        call.answer()
        call.stop_sound()
        said = self.services.prompts.utterance(TROUBLE, {}, call.language, "")
        call.play(said.playback, said.seconds)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
