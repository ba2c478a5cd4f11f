"""One call on its way through a flow: the interpreter.

A :class:`Run` holds where the call is (flow, block, step, visit) and the names that were born on the way. It
walks: runs a step's handler, takes its :class:`Move`, goes on. Before a step that waits for the caller or for the
world it puts its place on the call's own channel (:meth:`Run.checkpoint`), so that another engine can take the
call up at that step.

What goes wrong in a step goes that step's own way where it has one. Where it has none, the caller hears an
apology, the journal gets the fault, and the call ends: nothing is skipped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog

from engine.calls import state as place
from engine.calls.call import Call, Collected, Resumption
from engine.clock import Clock, TimeUp
from engine.errors import HungUp, InsidelineError
from engine.esl.commands import Digits
from engine.flows import packing
from engine.flows.model import Flow, FlowSet, Step
from engine.flows.services import Services
from engine.prompts.library import Utterance

log = structlog.get_logger(__name__)

MAX_STEPS: Final = 10_000
"""Steps of one call: far above any honest call, so that a loop ends and is told of."""
MAX_DEPTH: Final = 16
"""Flows that may run within one another."""


@dataclass(frozen=True, slots=True)
class Go:
    """Go on at a block of this flow, or at another flow for good (``department/flow``)."""

    target: str


@dataclass(frozen=True, slots=True)
class Enter:
    """Run a sub-flow with these parameters; its outcome leads on by the step's own ways."""

    flow: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leave:
    """Return from a sub-flow with an outcome and values."""

    outcome: str
    values: Mapping[str, Any] = field(default_factory=dict)


class End:
    """The call's flow is over."""


END: Final = End()
Move = Go | Enter | Leave | End | None


class FlowFault(InsidelineError):
    """A flow that can't go on: the message says where and why."""


class StepFailed(Exception):
    """A step's deed failed and it has a way for that. ``failure`` is what the flow may say of it."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


@dataclass(slots=True)
class Frame:
    """Where a call is within one flow."""

    flow: Flow
    block: str
    index: int
    names: dict[str, Any]


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
        self.secrets: set[str] = set()  # names whose values exist in this memory and nowhere else
        self.queue_place: dict[str, Any] = {}  # of the queue step under way: since, agent, leg
        self.awaited = ""
        self.resumption: Resumption | None = None  # for the one step that a call is taken up in
        self.recorded: str = ""
        self.set_language(language)

    # -- the walk -----------------------------------------------------------------------------------

    def start(self, flow: str) -> None:
        """Lead the call from the start of ``flow`` to its end."""
        self._enter(flow, {})
        self._walk()

    def resume(self, state: Mapping[str, Any], resumption: Resumption) -> None:
        """Take the call up at the step where an earlier engine left it."""
        self.visits = int(state.get("v", 0))
        self.secrets = set()
        names = state.get("x")
        if names is None:
            names = self.services.load_names(self.call.id)
        stack = [*state.get("k", []), [state["f"], state["b"], state["s"], names]]
        for flow, block, index, packed in stack:
            self.frames.append(Frame(self.flow_named(flow), block, int(index), packing.unpack(packed)))
        self.queue_place = dict(state.get("q") or {})
        self.awaited = str(state.get("e", ""))
        self.recorded = str(state.get("r", ""))
        self.call.recording = self.recorded
        self.set_language(str(state.get("l") or self.call.language))
        self.resumption = resumption
        frame = self.frame
        self._show(frame, frame.flow.blocks[frame.block].steps[frame.index])
        self.call.journal("call.resumed", flow=frame.flow.name, block=frame.block, step=frame.index)
        self._walk()

    def _walk(self) -> None:
        try:
            while self.frames:
                self._step()
        except HungUp as gone:
            self._after_hang_up(gone)
            raise

    def _step(self) -> None:
        frame = self.frame
        steps = frame.flow.blocks[frame.block].steps
        if frame.index >= len(steps):
            raise FlowFault(f"{frame.flow.name}: block {frame.block} ended without a way on")
        step = steps[frame.index]
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise FlowFault(f"{frame.flow.name}: more than {MAX_STEPS} steps in one call")
        self._show(frame, step)
        if step.when is not None and not step.when.truth(self.scope):
            frame.index += 1
            return
        self.visits += 1
        move = step.run(self)
        self.resumption = None
        self.awaited = ""
        self._follow(frame, move)

    def _follow(self, frame: Frame, move: Move) -> None:
        match move:
            case None:
                frame.index += 1
            case Go(target):
                self.go(target)
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
        self.frames.append(Frame(found, found.start, 0, dict(params)))
        self._journal_block()

    def _leave(self, outcome: str, values: Mapping[str, Any]) -> None:
        self.frames.pop()
        if not self.frames:
            return
        frame = self.frame
        step = frame.flow.blocks[frame.block].steps[frame.index]
        self._follow(frame, step.returned(self, outcome, values))

    def go(self, target: str) -> None:
        """Go on at a block, or (with a slash) in another flow for good."""
        if "/" in target:
            self.frames.pop()
            self._enter(target, {})
            return
        frame = self.frame
        frame.block, frame.index = target, 0
        self._journal_block()

    def _after_hang_up(self, gone: HungUp) -> None:
        """Run the flow's ``on_hangup`` steps: they need no caller."""
        self.call.cause = gone.cause
        for frame in reversed(self.frames):
            for step in frame.flow.on_hangup:
                try:
                    if step.when is None or step.when.truth(self.scope):
                        step.run(self)
                except HungUp:
                    log.warning("flow.on_hangup_needs_caller", flow=frame.flow.name, step=step.kind)
                except Exception:
                    log.exception("flow.on_hangup_failed", flow=frame.flow.name, step=step.kind)

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
        step = frame.flow.blocks[frame.block].steps[frame.index]
        return f"{self.call.id}:{frame.flow.name}:{step.id or f'{frame.block}.{frame.index}'}:{self.visits}"

    def flow_named(self, name: str) -> Flow:
        flow = self.flows.flows.get(name)
        if flow is None:
            raise FlowFault(f"there is no flow {name} in the set {self.flows.hash}")
        return flow

    def _show(self, frame: Frame, step: Step) -> None:
        call = self.call
        call.flow, call.revision, call.flow_hash = frame.flow.name, frame.flow.revision, self.flows.hash
        call.block, call.step = frame.block, f"{frame.block}[{frame.index + 1}] {step.kind}"

    def _journal_block(self) -> None:
        frame = self.frame
        self.call.journal("flow.block", flow=frame.flow.name, block=frame.block)

    def checkpoint(self, awaited: str = "") -> None:
        """Put the call's place on its channel, with the next thing that is sent.

        ``awaited`` is the Event-UUID that the step is about to wait for.
        """
        self.awaited = awaited
        frame = self.frame
        state: dict[str, Any] = {
            "h": self.flows.hash,
            "f": frame.flow.name,
            "b": frame.block,
            "s": frame.index,
            "v": self.visits - 1,  # the visit is made again by whoever takes the call up
            "l": self.call.language,
        }
        if awaited:
            state["e"] = awaited
        if self.queue_place:
            state["q"] = self.queue_place
        if self.recorded:
            state["r"] = self.recorded
        names = self._kept(frame.names)
        outer = [[f.flow.name, f.block, f.index, self._kept(f.names)] for f in self.frames[:-1]]
        if outer:
            state["k"] = outer
        if names:
            state["x"] = names
        try:
            self.call.save(state)
        except place.StateTooLarge:
            # Too much for every event to carry: the store keeps the names, the channel the place.
            self.services.save_names(self.call.id, names)
            state["x"] = None
            self.call.save(state)

    def _kept(self, names: Mapping[str, Any]) -> dict[str, Any]:
        return {name: packing.pack(value) for name, value in names.items() if name not in self.secrets}

    # -- names --------------------------------------------------------------------------------------

    @property
    def scope(self) -> Mapping[str, Any]:
        """The names that expressions and texts may read."""
        return Names(self)

    def bear(self, name: str, value: Any, *, secret: bool = False) -> None:
        """Give ``name`` its value in the present flow."""
        self.frame.names[name] = value
        if secret:
            self.secrets.add(name)
        else:
            self.secrets.discard(name)

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
        scope: Mapping[str, Any] = {**dict(self.scope), **extra} if extra else self.scope
        return self.services.prompts.utterance(prompt, scope, self.call.language, self.department)

    def speak(self, prompt: str, extra: Mapping[str, Any] | None = None) -> None:
        """Let the caller hear ``prompt`` to its end."""
        call = self.call
        if self.resumption is not None:
            self.resumption = None
            if self.awaited:
                # It was playing when the engine died. Behind it, when it is over, the flow goes on.
                call.wait_behind(120.0)
                return
        said = self.utterance(prompt, extra)
        event_uuid = call.new_event_uuid()
        self.checkpoint(event_uuid)
        call.play(said.playback, said.seconds, event_uuid=event_uuid)

    def listen(self, prompt: str, digits: Digits, extra: Mapping[str, Any] | None = None) -> Collected:
        """Play ``prompt`` and collect ``digits`` (whose prompt it becomes); asks again when a result was lost.

        A collection that an earlier engine began is taken up: its result, or the wait for it.
        """
        call = self.call
        resumption, self.resumption = self.resumption, None
        if resumption is not None and self.awaited:
            if resumption.done == self.awaited:
                return Collected(resumption.digits or None)
            taken = call.collected(self.awaited, digits.first + digits.between * digits.maximum + 60.0)
            if taken is not None:
                return taken
        for _ in range(3):
            said = self.utterance(prompt, extra)
            event_uuid = call.new_event_uuid()
            self.checkpoint(event_uuid)
            limit = said.seconds + digits.first + digits.between * digits.maximum + 15.0
            heard = call.collect(replace(digits, prompt=said.playback), event_uuid=event_uuid, limit=limit)
            if heard is not None:
                return heard
            call.stop_sound()
        raise FlowFault("the switch lost a collection of digits three times")

    def fail(self, step: Step, failure: str, way: str) -> Move:
        """Go a step's way for a failure, which the flow can read as ``failure``."""
        self.failure = failure
        self.call.journal("step.failed", step=self.call.step, kind=step.kind, failure=failure)
        return Go(way)


class Names(Mapping[str, Any]):
    """The names of a run, as expressions and texts see them: the flow's own, and the read-only ones."""

    __slots__ = ("_run",)

    FIXED: Final = ("call", "caller", "agent", "queue", "step", "flow", "now", "failure", "refusal")

    def __init__(self, run: Run) -> None:
        self._run = run

    def __getitem__(self, name: str) -> Any:
        run = self._run
        names = run.frame.names
        if name in names:
            return names[name]
        call = run.call
        match name:
            case "call":
                return {"id": call.id, "dialled": call.dialled, "language": call.language}
            case "caller":
                return {"number": call.number, "name": call.name, "origin": call.origin}
            case "agent":
                return {"id": call.agent}
            case "queue":
                return {"name": call.queue, **run.queue_place.get("told", {})}
            case "step":
                return call.step
            case "flow":
                return call.flow
            case "now":
                return run.local_now()
            case "failure":
                return run.failure
            case "refusal":
                return run.refusal
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from self._run.frame.names
        yield from (name for name in self.FIXED if name not in self._run.frame.names)

    def __len__(self) -> int:
        return len(set(self._run.frame.names) | set(self.FIXED))


__all__ = [
    "END",
    "End",
    "Enter",
    "FlowFault",
    "Frame",
    "Go",
    "Leave",
    "Move",
    "Names",
    "Run",
    "StepFailed",
    "TimeUp",
]
