"""One call on its way through a flow: the interpreter.

A :class:`Run` holds where the call is (flow, block, step, visit) and the names that were born on the way. It
walks: runs a step's handler, takes its :class:`Move`, goes on. Before a step that waits for the caller or for the
world it puts its place on the call's own channel (:meth:`Run.checkpoint`), so that another engine can take the
call up at that step.

What goes wrong in a step goes that step's own way where it has one. Where it has none, the caller hears an
apology, the journal gets the fault, and the call ends: nothing is skipped in silence.
"""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog

from engine.calls.call import Call, Resumption
from engine.clock import Clock
from engine.errors import HungUp, InsidelineError
from engine.esl import commands
from engine.esl.commands import Digits
from engine.flows import keeping, private
from engine.flows.consulting import Consultation
from engine.flows.expressions import Use
from engine.flows.extension import EXTENSION, extension_flow
from engine.flows.keeping import Frame
from engine.flows.leaving import leave_word
from engine.flows.model import Flow, FlowSet, Step
from engine.flows.moves import End, Enter, Go, Leave, Move
from engine.flows.names import Names
from engine.flows.private import Handed, Lost, Mark
from engine.flows.services import Services
from engine.flows.step import Ask
from engine.prompts.library import Utterance
from engine.types import PartyView

log = structlog.get_logger(__name__)

SILENCE: Final = "silence_stream://1"
HUNG_UP: Final = "flow.hung_up"
"""The row of the journal behind which a flow does its ``on_hangup``."""
MAX_DEPTH: Final = 16
"""Flows that may run within one another."""


class FlowFault(InsidelineError):
    """A flow that can't go on: the message says where and why."""


class Run:
    """One call's walk. Everything here runs in the call's own greenlet."""

    def __init__(self, call: Call, flows: FlowSet, services: Services, *, language: str) -> None:
        self.call = call
        self.flows = flows
        self.services = services
        self.frames: list[Frame] = []
        self.visits = 0
        self.steps = 0
        self.failure = ""
        self.refusal: Mapping[str, Any] = {}
        self.typed_ahead = ""  # keys pressed in a prompt, for the next step that asks
        self.stray = ""  # the key that may still come to end digits that were complete without it
        self.recording_policy = ""  # what the dialplan says of recording
        self.lost_place = ""  # where the dialplan wants this call when its flow set is gone
        self.deferred = False  # who calls is not to be written down
        self.discarded = False  # nor ever to be known
        self.party: PartyView | None = None  # who calls, once the flow has found out
        self.priority = 0  # what the dialplan says of the caller's place in queues
        self.queue_place: dict[str, Any] = {}  # of the queue step under way: since, agent, leg
        self.awaited = ""
        self.midway: dict[
            str, Any
        ] = {}  # how far the step under way has come, for who takes the call up in it
        self.resumption: Resumption | None = None  # for the one step that a call is taken up in
        self.standing: Consultation | None = None  # a place in a queue that the caller takes over
        self.recorded = ""  # the id of the call's recording
        self.masked = False
        self.for_now = False  # masked only while something is said or typed
        self.stored = False  # names are in the store, because the channel could not carry them
        self._last: Step | None = None  # the step of ``on_hangup`` under way
        self.set_language(language)

    # -- the walk -----------------------------------------------------------------------------------

    def start(self, flow: str, params: Mapping[str, Any] | None = None) -> None:
        """Lead the call from the start of ``flow`` to its end."""
        self._enter(flow, params or {})
        self._walk()

    def resume(self, state: Mapping[str, Any], resumption: Resumption) -> None:
        """Take the call up at the step where an earlier engine left it."""
        keeping.take_up(self, state, resumption)
        frame = self.frame
        self._show(frame, frame.flow.step(frame.block, frame.index))
        private.regain(self)
        self.call.journal("call.resumed", flow=frame.flow.name, block=frame.block, step=frame.index)
        self._walk()

    def _walk(self) -> None:
        try:
            while self.frames:
                self._step()
        except HungUp as gone:
            self.after_hang_up(gone.cause)
            raise

    def _step(self) -> None:
        frame = self.frame
        steps = frame.flow.blocks[frame.block].steps
        if frame.index >= len(steps):
            raise FlowFault(f"{frame.flow.name}: block {frame.block} ended without a way on")
        step = steps[frame.index]
        self.steps += 1
        if self.steps > self.services.max_steps:
            raise FlowFault(f"{frame.flow.name}: more than {self.services.max_steps} steps in one call")
        self._show(frame, step)
        if frame.flow.on_hangup:
            leave_word(self)
        try:
            if step.when is not None and not step.when.truth(self.scope):
                frame.index += 1
                return
            self.visits += 1
            move = step.run(self)
        except Lost as lost:
            frame, move = self._without(lost)
        self.resumption = None
        self.awaited, self.midway = "", {}
        if self.for_now:
            # What an earlier engine began to say, or to ask, is over.
            self.for_now = False
            self.mask(False)
        self._follow(frame, move)

    def _without(self, lost: Lost) -> tuple[Frame, Move]:
        """The way on without something private that could not be asked for again: that of the query which failed,
        in the flow that asked it."""
        if lost.home is not None:
            name, block, index = lost.home
            while len(self.frames) > 1 and self.frame.flow.name != name:
                self.frames.pop()
            if self.frame.flow.name == name:
                asked = self.frame.flow.step(block, index)
                return self.frame, self.fail(asked, str(lost), getattr(asked, "failed"))  # noqa: B009
        raise FlowFault(str(lost))

    def _follow(self, frame: Frame, move: Move) -> None:
        match move:
            case None:
                frame.index += 1
            case Go(target, params):
                self.go(target, params)
            case Enter(flow, params):
                if len(self.frames) >= MAX_DEPTH:
                    raise FlowFault(f"{flow}: flows run more than {MAX_DEPTH} deep")
                self._enter(flow, params)
            case Leave(outcome, values):
                self._leave(outcome, values)
            case End():
                self.frames.clear()

    def _enter(self, flow: str, params: Mapping[str, Any]) -> None:
        found = self.flow_named(flow)
        marks = dict(params.marks) if isinstance(params, Handed) else {}
        self.frames.append(Frame(found, found.start, 0, dict(params), marks))
        self._journal_block()

    def _leave(self, outcome: str, values: Mapping[str, Any]) -> None:
        left = self.frames.pop()
        if not self.frames:
            return
        frame = self.frame
        if left.flow.on_hangup:
            self._journal_block()  # whoever looks for the steps of a hang-up sees that this flow is over
        step = frame.flow.blocks[frame.block].steps[frame.index]
        self._follow(frame, step.returned(self, outcome, values))

    def go(self, target: str, params: Mapping[str, Any] | None = None) -> None:
        """Go on at a block, or (with a slash) in another flow for good."""
        if "/" in target:
            self.frames.pop()
            self._enter(target, params or {})
            return
        frame = self.frame
        frame.block, frame.index = target, 0
        self._journal_block()

    def after_hang_up(self, cause: str, *, written: Iterable[str] = ()) -> None:
        """Run the ``on_hangup`` steps of the flow, and of those around it: they need no caller. ``written`` is what an
        engine that died here had put into the journal; every other step does once what it does."""
        before = Counter(written)
        self.call.cause = cause
        if any(frame.flow.on_hangup for frame in self.frames):
            self.call.journal(HUNG_UP, cause=cause)
        while self.frames:
            flow = self.frame.flow
            for step in flow.on_hangup:
                self._last = step
                try:
                    if step.when is not None and not step.when.truth(self.scope):
                        continue
                    if step.kind == "journal":
                        row = f"flow.{getattr(step, 'event')}"  # noqa: B009
                        if before[row]:
                            before[row] -= 1
                            continue
                    step.run(self)
                except HungUp:
                    log.warning("flow.on_hangup_needs_caller", flow=flow.name, step=step.kind)
                except Exception:
                    log.exception("flow.on_hangup_failed", flow=flow.name, step=step.kind)
            self.frames.pop()

    # -- where it is --------------------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    @property
    def clock(self) -> Clock:
        return self.services.clock

    @property
    def step_key(self) -> str:
        """Call, step and visit: what makes a deed of this step at this visit one deed."""
        frame = self.frame
        if self._last is not None:  # behind the hang-up each is done once, by whichever engine
            return f"{self.call.id}:{frame.flow.name}:{self._last.key}:gone"
        step = frame.flow.step(frame.block, frame.index)
        return f"{self.call.id}:{frame.flow.name}:{step.key}:{self.visits}"

    def flow_named(self, name: str) -> Flow:
        flow = extension_flow() if name == EXTENSION else self.flows.get(name)
        if flow is None:
            raise FlowFault(f"there is no flow {name} in the set {self.flows.hash}")
        return flow

    def _show(self, frame: Frame, step: Step) -> None:
        call = self.call
        call.flow, call.revision, call.flow_hash = frame.flow.name, frame.flow.revision, self.flows.hash
        call.block, call.step = frame.block, step.label

    def _journal_block(self) -> None:
        frame = self.frame
        self.call.journal("flow.block", flow=frame.flow.name, block=frame.block)

    def checkpoint(self, awaited: str = "") -> None:
        """Put the call's place on its channel, with the next thing that is sent.

        ``awaited`` is the Event-UUID that the step is about to wait for.
        """
        self.awaited = awaited
        keeping.keep(self)

    # -- names --------------------------------------------------------------------------------------

    @property
    def scope(self) -> Mapping[str, Any]:
        """The names that expressions and texts may read."""
        return Names(self)

    def bear(self, name: str, value: Any, mark: Mark | None = None, *, secret: bool = False) -> None:
        """Give ``name`` its value in the present flow; ``mark`` says how private it is."""
        frame = self.frame
        frame.names[name] = value
        if secret:
            mark = Mark(private.SECRET)
        if mark is not None:
            frame.marks[name] = mark
        else:
            frame.marks.pop(name, None)

    def forget(self, name: str) -> None:
        """There is no such name any more."""
        self.frame.names.pop(name, None)
        self.frame.marks.pop(name, None)

    def local_now(self) -> datetime:
        """Now, in the centre's time zone."""
        return self.clock.now().astimezone(ZoneInfo(self.services.timezone))

    def set_language(self, language: str) -> None:
        """Speak ``language`` from now on."""
        self.call.language = language

    # -- speaking and listening -----------------------------------------------------------------------

    @property
    def department(self) -> str:
        """The department whose prompts are meant first."""
        return self.frame.flow.name.partition("/")[0]

    def utterance(self, prompt: str, extra: Mapping[str, Any] | None = None) -> Utterance:
        """What is to be heard for ``prompt`` (a catalogue key or literal text) in the caller's language."""
        scope: Mapping[str, Any] = ChainMap(dict(extra), self.scope) if extra else self.scope  # type: ignore[arg-type]
        return self.services.prompts.utterance(prompt, scope, self.call.language, self.department)

    def prepared(self, prompt: str, extra: Mapping[str, Any] | None = None) -> Utterance:
        """The same as :meth:`utterance`. Keys that are pressed while it has to be rendered count: for a collection
        that begins afterwards the switch would not have them any more."""
        call = self.call
        call.listen_for_keys(True)
        said = self.utterance(prompt, extra)
        keys = call.keys_meanwhile()
        call.listen_for_keys(False)
        if keys and keys[0] == self.stray:
            keys, self.stray = keys[1:], ""
        self.typed_ahead += keys
        return said

    def speaks_private(self, said: Utterance, extra: Mapping[str, Any] | None = None) -> bool:
        """Is something of what is said private?"""
        given = extra if isinstance(extra, Handed) else Handed(extra)
        return any(private.kind_of(self, (Use(tuple(name.split(".")), 0),), given) for name in said.values)

    def speak(
        self,
        prompt: str,
        extra: Mapping[str, Any] | None = None,
        *,
        interrupt: bool = False,
        pause: float = 0.0,
        settle: float = 0.0,
    ) -> None:
        """Let the caller hear ``prompt`` to its end, or (``interrupt``) until a key; keys pressed meanwhile count
        for the next step that asks. ``pause`` seconds of silence come first. ``settle``: keys that follow one another
        faster than so many seconds, from the first on, are dropped."""
        call = self.call
        if self.resumption is not None:
            self.resumption = None
            if self.awaited:
                # It was playing when the engine died. When it is over, the flow goes on.
                call.wait_behind(120.0)
                return
        before = self.typed_ahead
        said = self.prepared(prompt, extra) if interrupt else self.utterance(prompt, extra)
        if settle:
            self.typed_ahead = before  # so soon after the one before
        if self.typed_ahead != before:
            return  # pressed before it could begin
        with self.masked_while(self.speaks_private(said, extra)):
            self.sound(
                with_pause(said.playback, pause), said.seconds + pause, interrupt=interrupt, settle=settle
            )

    def speak_ahead(self, prompt: str) -> bool:
        """Have ``prompt`` said right before the next step asks, which the caller can't tell from waiting for its end;
        False (and nothing was done) where the next step is none that surely asks."""
        frame = self.frame
        steps = frame.flow.blocks[frame.block].steps
        after = steps[frame.index + 1] if frame.index + 1 < len(steps) else None
        if (
            self.resumption is not None
            or self.typed_ahead
            or not isinstance(after, Ask)
            or after.when is not None
            or after.is_secret
        ):
            return False
        said = self.utterance(prompt)
        self.call.play_ahead(said.playback, said.seconds)
        return True

    @contextmanager
    def masked_while(self, on: bool) -> Iterator[None]:
        """While something private is said: silence in the recording."""
        if not on or self.masked:
            yield
            return
        self.for_now = True
        self.mask(True)
        try:
            yield
        finally:
            self.for_now = False
            if self.call.leg.gone is None:
                self.mask(False)

    def sound(self, playback: str, seconds: float, *, interrupt: bool = False, settle: float = 0.0) -> None:
        """Let the caller hear any ``playback`` as :meth:`speak` lets him hear a prompt."""
        call = self.call
        if self.resumption is not None and self.awaited:
            self.resumption = None
            call.wait_behind(seconds + 15.0)
            return
        event_uuid = call.new_event_uuid()
        self.checkpoint(event_uuid)
        if interrupt:
            self.typed_ahead += call.play_until_key(
                playback, seconds, event_uuid=event_uuid, ignore=self.stray, settle=settle
            )
            self.stray = ""
        else:
            call.play(playback, seconds, event_uuid=event_uuid)

    def listen(
        self,
        prompt: str | None,
        digits: Digits,
        extra: Mapping[str, Any] | None = None,
        *,
        interrupt: bool = True,
        typed: str = "",
        said: Utterance | None = None,
    ) -> str | None:
        """Play ``prompt`` (None: nothing) and collect ``digits``; None when nothing, or too little, came in time.

        ``typed`` was keyed before and counts as the beginning. Without ``interrupt`` keys count only after the
        prompt. A collection that an earlier engine began is taken up: its result, or the wait for it. A result
        that was lost with the event socket is asked for again. ``said`` is the prompt where it is ready.
        """
        call = self.call
        patience = digits.first + digits.between * digits.maximum + 15.0
        resumption, self.resumption = self.resumption, None
        if resumption is not None and self.awaited:
            taken = call.collected(self.awaited, patience + 60.0)
            if taken is not None:
                return taken.digits
        for _ in range(3):
            seconds, playback, hidden = 0.0, SILENCE, False
            if not typed and prompt is not None:
                said = said or self.utterance(prompt, extra)
                seconds, playback = said.seconds, said.playback
                hidden = self.speaks_private(said, extra)
                if not interrupt:
                    call.play_ahead(playback, seconds)
                    seconds, playback = 0.0, SILENCE
            event_uuid = call.new_event_uuid()
            self.checkpoint(event_uuid)
            wanted = replace(
                digits,
                prompt=playback,
                minimum=max(0 if typed else 1, digits.minimum - len(typed)),
                maximum=digits.maximum - len(typed),
            )
            with self.masked_while(hidden):
                heard = call.collect(wanted, event_uuid=event_uuid, limit=patience + seconds)
            if heard is not None:
                keys = typed + (heard.digits or "")
                # Nothing but the key that ends the digits before, which were complete without it.
                stray = self.stray if not keys and heard.terminator == self.stray else ""
                return keys or stray or None
            call.stop_sound()
        raise FlowFault("the switch lost a collection of digits three times")

    def rest(self, playback: str, seconds: float) -> None:
        """Let the caller hear ``playback``, which no key ends; after a restart it is not heard again."""
        if self.resumption is not None and self.awaited:
            self.resumption = None
            self.call.wait_behind(seconds + 15.0)
            return
        event_uuid = self.call.new_event_uuid()
        self.checkpoint(event_uuid)
        self.call.play(playback, seconds, event_uuid=event_uuid)

    def flush(self) -> None:
        """Send what was gathered, unless the caller is gone (then nobody needs it)."""
        if self.call.leg.gone is None:
            self.call.flush()

    @contextmanager
    def private_keys(self, on: bool) -> Iterator[None]:
        """While a secret is typed: no key in the switch's events, variables and logs, silence in the recording."""
        if not on:
            yield
            return
        call = self.call
        call.run("set", "sensitive_dtmf=true")
        masked, before = self.masked, self.for_now
        self.for_now = before or not masked
        self.mask(True)
        try:
            yield
        finally:
            self.for_now = before
            if call.leg.gone is None:
                call.later(commands.uuid_setvar(call.id, "il_digits", ""))
                call.run("set", "sensitive_dtmf=false")
                self.mask(masked)
                call.flush()

    # -- recording ------------------------------------------------------------------------------------

    def record(self, policy: str, notice: str | None = None) -> None:
        """Record the call by ``policy`` from here on, once; the dialplan's ``record: never`` is stronger."""
        call, recordings = self.call, self.services.recordings
        if self.recorded or self.recording_policy == "never" or not recordings.records(policy):
            return
        answers = self.services.answers
        if (
            answers is not None
            and answers.first("recording_allowed", bool, call=call.view(), policy=policy) is False
        ):
            call.journal("recording.not_allowed", policy=policy)
            return
        call.answer()
        if notice is not None:
            self.speak(notice)
        started = recordings.start(call.id, policy)
        self.recorded = call.recording = started.id
        call.run("set", "RECORD_STEREO=true")
        call.later(commands.record_session(call.id, started.file))
        call.journal("recording.started", recording=started.id, policy=policy)

    def mask(self, on: bool) -> None:
        """Write silence into the recording from now on, or sound again."""
        if on == self.masked or not self.recorded or self.call.leg.gone is not None:
            self.masked = on and bool(self.recorded)
            return
        self.masked = on
        recordings = self.services.recordings
        self.call.later(
            commands.uuid_record(self.call.id, "mask" if on else "unmask", recordings.file(self.recorded))
        )
        (recordings.mask if on else recordings.unmask)(self.recorded)

    def fail(self, step: Step, failure: str, way: str) -> Move:
        """Go a step's way for a failure, which the flow can read as ``failure``."""
        self.failure = failure
        self.call.journal("step.failed", step=self.call.step, failure=failure)
        self.services.host.tell.step_failed(call=self.call.view(), step=self.call.step, why=failure)
        return Go(way)


def with_pause(playback: str, seconds: float) -> str:
    """``playback`` with silence in front."""
    if seconds <= 0:
        return playback
    pause = f"silence_stream://{round(seconds * 1000)}"
    return f"file_string://{pause}!{playback.removeprefix('file_string://')}"
