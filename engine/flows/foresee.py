"""What a caller will meet in a flow, told without a call: what is said and asked first, and which hours stand on
the way.

A flow is walked as a caller would walk it, up to the first thing that depends on the caller or on the company's
systems. Calendars are asked for the moment in question, so a closed desk shows what its callers hear. Beyond that
point every block that can be reached is looked through for ``open_hours``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.flows.calendars import Calendars, Opening
from engine.flows.model import Flow, FlowSet
from engine.flows.step import Ask, Step
from engine.flows.steps.choose import Choose
from engine.flows.steps.go import Go
from engine.flows.steps.hangup import Hangup
from engine.flows.steps.menu import Menu
from engine.flows.steps.open_hours import OpenHours
from engine.flows.steps.play import Play
from engine.flows.steps.queue import Queue
from engine.flows.steps.record import Record
from engine.flows.steps.run import Run
from engine.flows.steps.say import Say
from engine.flows.steps.set_language import SetLanguage

_MOST = 200
"""Steps that are walked: a flow that goes round without a caller's key is cut off here."""
_SILENT = frozenset({"answer", "silence", "set", "journal", "music", "pause_recording", "tally", "alert"})
Text = Callable[[str, str, str], str]
"""prompt, language, department -> what is said."""


@dataclass(frozen=True, slots=True)
class Met:
    """One thing that a caller meets. ``what`` is one of hears, asked, hours, recording, waits, meets, ends."""

    what: str
    text: str
    place: str  # "reception/main greet[2] menu"
    maybe: str = ""  # the condition that it hangs on


@dataclass(frozen=True, slots=True)
class HoursMet:
    """An ``open_hours`` step that the call can come to, and what its calendar says at that time."""

    calendar: str
    place: str
    opening: Opening


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What is met first, in order, and all hours on the way."""

    met: tuple[Met, ...]
    hours: tuple[HoursMet, ...]


def foresee(
    flows: FlowSet,
    flow: str,
    *,
    calendars: Calendars,
    at: datetime,
    language: str,
    text: Text,
    record: str = "",
) -> Foreseen:
    """Walk ``flow`` as a call would at the aware moment ``at``. ``record`` is the dialplan's policy ("" for none)."""
    walk = _Walk(flows, calendars, at, language, text, record)
    return Foreseen(tuple(walk.met(flow)), tuple(walk.hours(flow)))


class _Walk:
    def __init__(
        self, flows: FlowSet, calendars: Calendars, at: datetime, language: str, text: Text, record: str
    ) -> None:
        self.flows = flows
        self.calendars = calendars
        self.at = at
        self.language = language
        self.text = text
        self.record = record

    # -- the first things, one by one -----------------------------------------------------------------

    def met(self, name: str) -> Iterator[Met]:
        flow: Flow | None = self.flows.get(name)
        block, index = flow.start if flow is not None else "", 0
        for _ in range(_MOST):
            if flow is None:
                yield Met("ends", f"there is no flow {name}", name)
                return
            steps = flow.blocks[block].steps
            if index >= len(steps):
                return
            step = steps[index]
            index += 1
            place = f"{flow.name} {step.label}"
            target = ""
            if isinstance(step, OpenHours):
                opening = self.calendars.at(step.calendar, self.at)
                yield Met("hours", f"{step.calendar} is {told(opening)}", place, _when(step))
                if not opening.open:
                    if step.announce and opening.prompt:
                        yield Met("hears", self._said(opening.prompt, flow), place, _when(step))
                    target = step.closed
            elif isinstance(step, Go):
                target = step.to
            elif isinstance(step, Run):
                name = step.flow
                flow, block, index = self._start(name)
                continue
            else:
                yield from self._one(step, flow, place)
                if self._leaves_open(step):
                    return
            if target and step.when is not None:
                yield Met("meets", f"where {step.when} holds: on to {target}", place)
            elif target:
                if "/" in target:
                    name = target
                    flow, block, index = self._start(target)
                else:
                    block, index = target, 0

    def _start(self, name: str) -> tuple[Flow | None, str, int]:
        flow = self.flows.get(name)
        return flow, flow.start if flow is not None else "", 0

    def _one(self, step: Step, flow: Flow, place: str) -> Iterator[Met]:
        maybe = _when(step)
        if isinstance(step, SetLanguage):
            if step.when is None and "{" not in str(step.language):
                self.language = str(step.language)
        elif isinstance(step, (Play, Say)):
            said = "a clip" if step.prompt is None else self._said(step.prompt, flow)
            yield Met("hears", said, place, maybe)
        elif isinstance(step, Record):
            policy = self.record or step.policy
            if step.notice is not None and policy != "never":
                yield Met("hears", self._said(step.notice, flow), place, maybe)
            why = " (the dialplan)" if self.record else ""
            yield Met("recording", f"{policy}{why}", place, maybe)
        elif isinstance(step, Menu):
            keys = ", ".join(f"{_key(key)} -> {target}" for key, target in step.options.items())
            yield Met(
                "asked", f"{self._said(step.prompt, flow)} [{keys}; silent -> {step.give_up}]", place, maybe
            )
        elif isinstance(step, Ask):
            yield Met("asked", f"{self._said(step.prompt, flow)} [silent -> {step.give_up}]", place, maybe)
        elif isinstance(step, Queue):
            yield Met("waits", f"in the queue {step.name}", place, maybe)
        elif isinstance(step, Choose):
            cases = [f"{case.when} -> {case.go}" for case in step.cases if case.otherwise is None]
            cases += [f"else -> {step.otherwise}"] if step.otherwise is not None else []
            yield Met("meets", f"it depends: {'; '.join(cases)}", place, maybe)
        elif isinstance(step, Hangup):
            yield Met("ends", "hung up", place, maybe)
        elif step.kind not in _SILENT:
            yield Met("meets", step.kind, place, maybe)

    def _leaves_open(self, step: Step) -> bool:
        """Does what follows depend on more than is known here? A condition that may pass a step over does not count."""
        if step.when is not None:
            return False
        return step.waits or isinstance(step, (Ask, Choose, Hangup, Queue)) or not step.falls_through()

    def _said(self, prompt: str, flow: Flow) -> str:
        return self.text(prompt, self.language, flow.department)

    # -- all hours ------------------------------------------------------------------------------------

    def hours(self, name: str) -> Iterator[HoursMet]:
        """Every ``open_hours`` that can be reached, nearest first."""
        seen: set[tuple[str, str]] = set()
        coming = [(name, "")]
        while coming:
            flow_name, block = coming.pop(0)
            flow = self.flows.get(flow_name)
            if flow is None or (flow_name, block or flow.start) in seen:
                continue
            block = block or flow.start
            seen.add((flow_name, block))
            for step in flow.blocks[block].steps:
                if isinstance(step, OpenHours):
                    opening = self.calendars.at(step.calendar, self.at)
                    yield HoursMet(step.calendar, f"{flow_name} {step.label}", opening)
                targets = [way.target for way in step.ways()] + ([step.flow] if isinstance(step, Run) else [])
                coming += [(to, "") if "/" in to else (flow_name, to) for to in targets]


def told(opening: Opening) -> str:
    """``open (tue) until 12:00``, ``closed (National Day) until 2026-10-09 08:30``."""
    until = f" until {opening.until:%Y-%m-%d %H:%M}" if opening.until is not None else ""
    return f"{'open' if opening.open else 'closed'} ({opening.why}){until}"


def _when(step: Step) -> str:
    return str(step.when) if step.when is not None else ""


def _key(key: str) -> str:
    return {"*": "star", "#": "hash"}.get(key, key)


def texts_of(catalogue: Mapping[str, Mapping[str, str]]) -> Text:
    """``Text`` over language -> full key -> text; a literal prompt is its own text."""

    def text(prompt: str, language: str, department: str) -> str:
        texts = catalogue.get(language, {})
        bare = prompt.removeprefix("common/")
        return texts.get(f"{department}/{prompt}") or texts.get(bare) or prompt

    return text
