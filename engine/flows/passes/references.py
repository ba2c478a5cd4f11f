"""Pass 3, references: everything that a flow names is there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from engine.flows.away import department_of
from engine.flows.called_back import ASKED_AGAIN, KEPT_PROMPTS, PROMPTS, flow_name
from engine.flows.known import Known
from engine.flows.loader import ON_HANGUP, Draft
from engine.flows.passes.ends import outcomes_of
from engine.flows.passes.spoken import SpokenHere
from engine.flows.passes.walk import Walk, as_way
from engine.flows.step import Step
from engine.flows.steps.callback import Callback
from engine.flows.steps.command import Command
from engine.flows.steps.music import Music
from engine.flows.steps.play import Play
from engine.flows.steps.query import Query
from engine.flows.steps.record import Record
from engine.flows.steps.return_ import Return
from engine.flows.steps.run import Run
from engine.flows.values import Value
from engine.hooks.department import Argument
from engine.schema.faults import did_you_mean
from engine.schema.shapes import Reference
from engine.schema.source import Path_

#: Steps that mean nothing once the caller is gone, because they only lead on.
LEADING = ("go", "run", "return", "choose", "open_hours", "stop")


class References:
    """Looks up what the steps of one flow refer to."""

    def __init__(
        self, draft: Draft, known: Known, flows: Mapping[str, Draft], walk: Walk, spoken: SpokenHere
    ) -> None:
        self.draft = draft
        self.walk = walk
        self.spoken = spoken
        self.known = known
        self.flows = flows
        self.department = draft.name.partition("/")[0]
        self.languages = draft.head.languages if draft.head is not None else []
        self._looks: dict[str, Callable[[Step, Reference], None]] = {
            "target": self.target,
            "flow": self.flow,
            "prompt": self.prompt,
            "queue": lambda step, found: self.listed(step, found, "queue", known.queues),
            "calendar": lambda step, found: self.listed(step, found, "calendar", known.calendars),
            "skill": lambda step, found: self.listed(step, found, "skill", known.skills),
            "language": lambda step, found: self.listed(step, found, "language", self.languages),
            "query": lambda step, found: self.listed(step, found, "query", known.queries),
            "command": lambda step, found: self.listed(step, found, "command", known.commands),
            "group": lambda step, found: self.listed(step, found, "group", known.groups),
            "value": self.value,
        }

    def run(self) -> None:
        head = self.draft.head
        if head is not None:
            for index, language in enumerate(head.languages):
                if language not in self.known.languages:
                    self.draft.faults.append(
                        head.fault(
                            ("languages", index),
                            "unknown-language",
                            f"there are no prompts in `{language}`",
                            did_you_mean(language, self.known.languages),
                        )
                    )
            if "start" not in self.draft.hurt and head.start not in self.draft.blocks and self.draft.blocks:
                hint = did_you_mean(head.start, self.draft.blocks)
                self.draft.faults.append(
                    head.fault(("start",), "unknown-block", f"there is no block `{head.start}`", hint)
                )
        looks = self._looks
        for step, facts in self.draft.all_walked():
            for reference in facts.references:
                look = looks.get(reference.kind)
                if look is not None:
                    look(step, reference)
            check = _CHECKS.get(type(step))
            if check is not None:
                check(self, step)
        self._saved()
        for last in self.draft.on_hangup:
            if last is not None and (type(last).needs_caller or last.kind in LEADING):
                why = "needs the caller" if type(last).needs_caller else "leads on"
                message = f"`{last.kind}` {why}, and after the hang-up there is nobody"
                self.draft.add(last, (), "on-hangup", message, key=True)

    def _saved(self) -> None:
        """What is sound in steps that could not be read. What they lack may be what could not be read."""
        for step, facts, hurt in self.draft.partials():
            for reference in facts.references:
                look = self._looks.get(reference.kind)
                if look is not None:
                    look(step, reference)
            check = _CHECKS.get(type(step))
            if check is not None and not hurt & {"with", "flow", "ask", "do"}:
                before = len(self.draft.faults)
                check(self, step)
                self.draft.faults[before:] = [
                    fault for fault in self.draft.faults[before:] if fault.code.startswith("unknown-")
                ]

    def add(self, step: Step, path: Path_, code: str, message: str, hint: str = "", **more: Any) -> None:
        self.draft.add(step, path, code, message, hint, **more)

    def _away(self, name: str) -> bool:
        """Is that something of a department that was kept out?"""
        return bool(self.known.away) and bool(department_of(str(name), self.known.away))

    # -- one kind of reference each ---------------------------------------------------------------

    def listed(self, step: Step, found: Reference, what: str, names: Collection[str] | None) -> None:
        if names is not None and found.value not in names:
            if what in ("query", "command") and self._away(found.value):
                return
            key = found.path[-1:] == (found.value,)  # the name is a key, as in `skills: {waybill: 2}`
            self.add(
                step,
                found.path,
                f"unknown-{what}",
                f"there is no {what} `{found.value}`",
                did_you_mean(str(found.value), names),
                key=key,
            )

    def target(self, step: Step, found: Reference) -> None:
        name = found.value
        if "/" in name:
            self.flow(step, found)
        elif name not in self.draft.blocks:
            self.add(
                step,
                found.path,
                "unknown-block",
                f"there is no block `{name}`",
                did_you_mean(name, self.draft.blocks),
            )

    def flow(self, step: Step, found: Reference) -> None:
        if found.value not in self.flows:
            self.add(
                step,
                found.path,
                "unknown-flow",
                f"there is no flow `{found.value}`",
                did_you_mean(found.value, self.flows),
            )
            return
        head = self.flows[found.value].declared
        if head is None or not self.languages:
            return
        silent = [language for language in self.languages if language not in head.languages]
        if silent:
            message = f"`{found.value}` does not speak {', '.join(silent)}, which this flow speaks"
            self.add(step, found.path, "flow-language", message, "add the language to its `languages`")
        if found.kind == "target" and head.params:
            message = f"`{found.value}` needs `{head.params[0]}`, and `go` hands nothing over"
            self.add(step, found.path, "missing-argument", message, "use `run` with `with`")

    def prompt(self, step: Step, found: Reference) -> None:
        fault = self.spoken[found.value].fault
        if fault is not None:
            self.add(step, found.path, *fault, way=self._way(step) if fault[0] == "prompt-language" else "")

    def _way(self, step: Step) -> str:
        """The key presses that lead to a step."""
        said = [*(self.walk.journey(step.block) or ()), *self.walk.inside(step)]
        return "" if step.block == ON_HANGUP else as_way(said, step.label)

    def value(self, step: Step, found: Reference) -> None:
        value: Value = found.value
        if value.template is None:
            return
        for slot in value.template.slots:
            if slot.format and slot.format not in self.known.formats:
                if self._away(slot.format):
                    self.draft.away = self.draft.away or department_of(slot.format, self.known.away)
                    continue
                self.add(
                    step,
                    found.path,
                    "unknown-format",
                    f"there is no format `{slot.format}`",
                    did_you_mean(slot.format, self.known.formats),
                    offset=slot.offset,
                )

    # -- steps that need more ---------------------------------------------------------------------

    def arguments(self, step: Query | Command, name: str, wanted: Mapping[str, Argument]) -> None:
        for given in step.with_:
            if given not in wanted:
                self.add(
                    step, ("with", given), "unknown-argument", f"`{name}` has no argument `{given}`",
                    did_you_mean(given, wanted), key=True,
                )  # fmt: skip
        for argument in wanted.values():
            if argument.required and argument.name not in step.with_:
                field = "ask" if isinstance(step, Query) else "do"
                self.add(
                    step,
                    (field,),
                    "missing-argument",
                    f"`{name}` needs `{argument.name}`",
                    f"with: {{{argument.name}: …}}",
                )

    def query(self, step: Query) -> None:
        found = self.known.queries.get(step.ask)
        if found is None:
            return
        self.arguments(step, step.ask, found.arguments)
        if found.optional and step.not_found is None:
            self.add(
                step,
                ("ask",),
                "missing-way",
                f"`{step.ask}` may find nothing",
                "say where that leads: not_found: block",
            )

    def command(self, step: Command) -> None:
        found = self.known.commands.get(step.do)
        if found is None:
            return
        self.arguments(step, step.do, found.arguments)
        for refusal in step.refused:
            if refusal not in found.refusals:
                self.add(
                    step, ("refused", refusal), "unknown-refusal", f"`{step.do}` never refuses as `{refusal}`",
                    did_you_mean(refusal, found.refusals), key=True,
                )  # fmt: skip
        for refusal in found.refusals:
            if refusal not in step.refused:
                self.add(
                    step, ("do",), "missing-way", f"`{step.do}` may refuse as `{refusal}`",
                    f"say where that leads: refused: {{{refusal}: block}}",
                )  # fmt: skip

    def run_flow(self, step: Run) -> None:
        for way in step.ways():
            self.target(step, Reference("target", way.target, way.path))
        draft = self.flows.get(step.flow)
        outcomes = outcomes_of(step.flow, self.flows)
        head = draft.declared if draft is not None else None
        if head is None or outcomes is None:
            return
        for outcome in step.outcomes:
            if outcome not in outcomes:
                self.add(
                    step, (outcome,), "unknown-outcome", f"`{step.flow}` never returns `{outcome}`",
                    did_you_mean(outcome, [*outcomes, "with", "into", "flow"]), key=True,
                )  # fmt: skip
        for outcome in outcomes:
            if outcome not in step.outcomes and outcome != "done":
                self.add(
                    step,
                    ("flow",),
                    "missing-way",
                    f"`{step.flow}` may return `{outcome}`",
                    f"say where that leads: {outcome}: block",
                )
        for given in step.with_:
            if given not in head.params:
                self.add(
                    step, ("with", given), "unknown-argument", f"`{step.flow}` has no parameter `{given}`",
                    did_you_mean(given, head.params), key=True,
                )  # fmt: skip
        for wanted in head.params:
            if wanted not in step.with_:
                self.add(
                    step,
                    ("flow",),
                    "missing-argument",
                    f"`{step.flow}` needs `{wanted}`",
                    f"with: {{{wanted}: …}}",
                )

    def return_from(self, step: Return) -> None:
        head = self.draft.declared
        if head is None:
            return
        outcomes = head.outcomes or ["done"]
        if step.outcome not in outcomes:
            self.add(
                step, ("outcome",), "unknown-outcome", f"`{step.outcome}` is none of the flow's `outcomes`",
                did_you_mean(step.outcome, outcomes),
            )  # fmt: skip
        for name in step.values:
            if name not in head.returns:
                self.add(
                    step, ("values", name), "unknown-return", f"`{name}` is none of the flow's `returns`",
                    did_you_mean(name, head.returns), key=True,
                )  # fmt: skip

    def play(self, step: Play) -> None:
        for language in self.languages:
            if step.prompt is not None and self.known.prompt(step.prompt, language, self.department):
                self.add(
                    step,
                    ("prompt",),
                    "prompt-values",
                    f"the prompt `{step.prompt}` has values",
                    "write `say` in place of `play`",
                )
                return

    def callback(self, step: Callback) -> None:
        own = flow_name(self.department, step.queue, step.keep_place) in self.flows  # leads the call
        wanted = KEPT_PROMPTS if step.keep_place else PROMPTS
        for prompt in ASKED_AGAIN if own and step.keep_place else () if own else wanted:
            missing = [
                language
                for language in self.languages
                if language in self.known.languages
                and self.known.prompt(prompt, language, self.department) is None
            ]
            if missing:
                message = f"the prompt `{prompt}`, which a call back says, is missing in {', '.join(missing)}"
                self.add(step, ("queue",), "unknown-prompt", message)

    def record(self, step: Record) -> None:
        if self.known.policies is not None and step.policy not in self.known.policies:
            self.add(
                step, ("policy",), "unknown-policy", f"there is no recording policy `{step.policy}`",
                did_you_mean(step.policy, self.known.policies),
            )  # fmt: skip

    def music(self, step: Music) -> None:
        if self.known.sounds is not None and step.sound not in self.known.sounds:
            self.add(
                step, ("sound",), "unknown-music", f"there is no music `{step.sound}`",
                did_you_mean(step.sound, self.known.sounds),
            )  # fmt: skip


_CHECKS: dict[type[Step], Callable[[References, Step], None]] = {
    Query: References.query,  # type: ignore[dict-item]
    Command: References.command,  # type: ignore[dict-item]
    Callback: References.callback,  # type: ignore[dict-item]
    Run: References.run_flow,  # type: ignore[dict-item]
    Return: References.return_from,  # type: ignore[dict-item]
    Play: References.play,  # type: ignore[dict-item]
    Record: References.record,  # type: ignore[dict-item]
    Music: References.music,  # type: ignore[dict-item]
}
